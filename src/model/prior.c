#include "prior.h"

#include "backend/hash.h"
#include "fast.h"
#include "prior_file.h"

#include <pthread.h>
#include <stdlib.h>

enum { PROSE = 1 };

static const struct {
    const char *name;
    int after; /* the prior whose front comes before its own text */
} priors[NZ_PRIORS + 1] = {[PROSE] = {"prose", 0}, {"markup", PROSE}, {"code", PROSE}, {"data", 0}};

/* The most for each level; a byte skimmed costs about a fifth of one read. */
static const nz_prime_size most[NZ_LEVEL_MAX + 1] = {
    [1] = {0, NZ_PRIOR_TAIL},        [2] = {0, NZ_PRIOR_TAIL},
    [3] = {0, NZ_PRIOR_TAIL},        [4] = {0, NZ_PRIOR_TAIL},
    [5] = {NZ_PRIOR_MOST, 64 << 10}, [6] = {NZ_PRIOR_MOST, 64 << 10},
    [7] = {NZ_PRIOR_MOST, 96 << 10}, [8] = {NZ_PRIOR_MOST, 96 << 10},
    [9] = {NZ_PRIOR_MOST, 96 << 10},
};

/* The unpacked texts, made when they are needed first, and kept: what is in front of the end of
 * one only where it is asked for. */
typedef struct text {
    uint8_t *raw;
    bool end, front;
} text;

static text texts[NZ_PRIORS + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t raw_size(int prior, int piece)
{
    return prior ? nz_prior_piece_of(prior, piece).raw : 0;
}

/* Of what comes before the end. */
static size_t front_size(int prior)
{
    return raw_size(priors[prior].after, NZ_PRIOR_FRONT) + raw_size(prior, NZ_PRIOR_FRONT);
}

static size_t text_size(int prior)
{
    return front_size(prior) + raw_size(prior, NZ_PRIOR_END);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

const char *nz_prior_name(int prior)
{
    return prior >= 1 && prior <= NZ_PRIORS ? priors[prior].name : NULL;
}

/* Small frames are not worth the time of a long prior. */
nz_prime_size nz_prime_size_of(const nz_shape *s, size_t n)
{
    enum { LEAST = 16 << 10, TIMES = 8, SKIM_TIMES = 4 };
    if (!s->prior)
        return (nz_prime_size){0};
    size_t all = text_size(s->prior), bound = LEAST + TIMES * n;
    nz_prime_size size = most[s->level];
    size.read = least(all, least(size.read, bound));
    size.skim = least(all - size.read, least(size.skim, SKIM_TIMES * bound));
    return size;
}

static uint64_t unpack_memory(int prior, int piece)
{
    nz_shape s;
    return nz_shape_load(&s, nz_prior_piece_of(prior, piece).shape) ? 0 : nz_fast_memory(&s);
}

static uint64_t largest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t nz_prior_memory(const nz_shape *s)
{
    if (!s->prior)
        return 0;
    bool front = most[s->level].skim > 0;
    uint64_t one = unpack_memory(s->prior, NZ_PRIOR_END);
    if (front)
        one = largest(one, unpack_memory(s->prior, NZ_PRIOR_FRONT));
    if (front && priors[s->prior].after)
        one = largest(one, unpack_memory(priors[s->prior].after, NZ_PRIOR_FRONT));
    uint64_t codes = s->engine == NZ_ENGINE_FAST ? most[s->level].read : 0;
    return one + text_size(s->prior) + codes;
}

static nz_err unpack(uint8_t *to, int prior, int piece)
{
    nz_prior_piece p = nz_prior_piece_of(prior, piece);
    nz_shape s;
    nz_kern kern;
    nz_kern_init(&kern, nz_cpu());
    nz_err err = nz_shape_load(&s, p.shape);
    if (!err)
        err = nz_fast_decode(&s, &(nz_run){.kern = &kern}, p.packed, p.packed_n, to, p.raw);
    return err ? err : nz_hash(to, p.raw) == p.hash ? NZ_OK : NZ_E_CORRUPT;
}

static nz_err make_front(int prior)
{
    uint8_t *to = texts[prior].raw;
    int after = priors[prior].after;
    nz_err err = after ? unpack(to, after, NZ_PRIOR_FRONT) : NZ_OK;
    return err ? err : unpack(to + raw_size(after, NZ_PRIOR_FRONT), prior, NZ_PRIOR_FRONT);
}

/* Under the lock. */
static nz_err make(int prior, bool front)
{
    text *t = &texts[prior];
    if (!t->raw && !(t->raw = malloc(text_size(prior))))
        return NZ_E_MEM;
    nz_err err = t->end ? NZ_OK : unpack(t->raw + front_size(prior), prior, NZ_PRIOR_END);
    t->end |= !err;
    if (err || !front || t->front)
        return err;
    err = make_front(prior);
    t->front = !err;
    return err;
}

nz_err nz_prime_get(nz_prime *p, const nz_shape *s, size_t n)
{
    int prior = s->prior;
    p->size = nz_prime_size_of(s, n);
    size_t bytes = p->size.skim + p->size.read;
    pthread_mutex_lock(&lock);
    nz_err err = make(prior, bytes > raw_size(prior, NZ_PRIOR_END));
    pthread_mutex_unlock(&lock);
    if (!err)
        p->text = texts[prior].raw + text_size(prior) - bytes;
    return err;
}
