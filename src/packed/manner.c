/* The parameters are those with which zlib does most often what was done. Which may be right at
 * all, the largest distance and the first block tell. */
#include "manner.h"
#include "guess.h"
#include "inflate.h"

/* Raw bytes that parameters are tried on. */
#define SAMPLE_MIN ((size_t)1 << 12)
#define SAMPLE_MAX ((size_t)1 << 18)

enum {
    CANDIDATES = 64,
    GZIP_LEAST = 16382 /* tokens of a last block: zlib's usual ones have fewer */
};

void nz_manner_store(const nz_manner *m, uint8_t out[NZ_MANNER_BYTES])
{
    out[0] = (uint8_t)(m->level | m->filtered << 4 | m->gzip << 5);
    out[1] = (uint8_t)(m->window | m->memory << 4);
}

bool nz_manner_load(nz_manner *m, const uint8_t in[NZ_MANNER_BYTES])
{
    *m = (nz_manner){.level = in[0] & 15,
                     .filtered = in[0] >> 4 & 1,
                     .gzip = in[0] >> 5 & 1,
                     .window = in[1] & 15,
                     .memory = in[1] >> 4};
    return in[0] < 64 && m->level >= 1 && m->level <= 9 && m->window >= 9 && m->memory >= 1 &&
           m->memory <= 9;
}

/* A stream whose packer is sought. */
typedef struct stream {
    const uint8_t *packed, *raw;
    size_t packed_n, raw_n;
} stream;

/* How often zlib with these parameters would do something else in this block, up to `end`. */
static uint64_t block_misses(nz_guess *g, const nz_deflate *b, size_t end)
{
    bool eager;
    if (b->kind == NZ_DEFLATE_STORED) {
        size_t bytes;
        bool full = nz_guess_stored(g, b->stored, &bytes);
        nz_guess_pass(g, b->stored);
        return !full || bytes != b->stored;
    }
    uint64_t misses = !nz_guess_fills(g, b);
    for (size_t i = 0; i < b->tokens && nz_guess_at(g) < end; i++) {
        misses += nz_guess_token(g, &eager) != b->token[i];
        nz_guess_take(g, b->token[i]);
    }
    return misses;
}

/* In the blocks that begin before `end`. */
static nz_err count_misses(uint64_t *misses, const nz_manner *m, const stream *t, size_t end)
{
    nz_guess *g = NULL;
    nz_deflate b = {0};
    nz_inflate z = nz_inflate_of(t->packed, t->packed_n, t->raw_n);
    nz_err err = nz_guess_new(&g, m, t->raw, t->raw_n);
    *misses = 0;
    while (!err && !b.last && nz_guess_at(g) < end) {
        err = nz_inflate_block(&z, &b);
        if (!err)
            *misses += block_misses(g, &b, end);
    }
    nz_deflate_reset(&b);
    nz_guess_free(g);
    return err;
}

/* What a stream shows of its parameters. */
typedef struct survey {
    unsigned distance; /* the largest */
    size_t tokens;     /* of the first block, */
    bool ends;         /* the last one, too */
} survey;

static nz_err survey_take(survey *v, const stream *t)
{
    nz_deflate b = {0};
    nz_inflate z = nz_inflate_of(t->packed, t->packed_n, t->raw_n);
    nz_err err = NZ_OK;
    *v = (survey){0};
    for (bool first = true; !b.last && !(err = nz_inflate_block(&z, &b)); first = false) {
        for (size_t i = 0; i < b.tokens; i++)
            if (nz_token_distance(b.token[i]) > v->distance)
                v->distance = nz_token_distance(b.token[i]);
        if (first) {
            v->tokens = b.tokens;
            v->ends = b.last;
        }
    }
    nz_deflate_reset(&b);
    return err;
}

/* Whether the first block may end so. One that is like none of zlib's is taken for usual. */
static bool plausible(const survey *v, const nz_manner *m)
{
    size_t full = nz_manner_full(m);
    bool usual = m->memory == 8, steps = v->tokens && v->tokens % NZ_GZIP_STEP == 0;
    if (v->tokens == full)
        return !m->gzip || usual;
    if (v->ends && v->tokens < NZ_GZIP_FULL)
        return m->memory >= 8 && v->tokens < full &&
               (!m->gzip || (usual && v->tokens > GZIP_LEAST));
    return usual && m->gzip == steps;
}

/* Parameters that may be right, the likely ones first. */
static unsigned candidates(nz_manner *to, const survey *v, size_t raw_n)
{
    static const uint8_t LEVELS[] = {6, 9, 1, 5, 8, 7, 4, 3, 2};
    static const uint8_t MEMORIES[] = {8, 9, 7, 6, 5, 4, 3, 2, 1};
    unsigned n = 0;
    nz_manner m = {.window = 9};
    while (m.window < 15 && (1u << m.window) < v->distance + NZ_LOOK_AHEAD)
        m.window++;
    if (raw_n + NZ_LOOK_AHEAD <= (size_t)1 << m.window)
        m.window = 15; /* the usual one; nothing is out of reach in either */
    for (int filtered = 0; filtered < 2; filtered++)
        for (int gzip = 0; gzip < 2; gzip++)
            for (unsigned i = 0; i < sizeof MEMORIES; i++)
                for (unsigned k = 0; k < sizeof LEVELS; k++) {
                    m.level = LEVELS[k];
                    m.memory = MEMORIES[i];
                    m.filtered = filtered;
                    m.gzip = gzip;
                    if (plausible(v, &m) && (!filtered || m.level >= 4) && n < CANDIDATES)
                        to[n++] = m;
                }
    return n;
}

/* All are tried on a little; those not much worse than the best, on more. */
nz_err nz_manner_find(nz_manner *best, const uint8_t *packed, size_t packed_n, const uint8_t *raw,
                      size_t raw_n)
{
    stream t = {packed, raw, packed_n, raw_n};
    survey v;
    nz_manner m[CANDIDATES];
    uint64_t misses[CANDIDATES];
    nz_err err = survey_take(&v, &t);
    unsigned n = candidates(m, &v, raw_n);
    *best = m[0]; /* there is one for any first block */
    for (size_t end = SAMPLE_MIN; !err && n > 1 && end <= SAMPLE_MAX; end *= 4) {
        uint64_t least = UINT64_MAX;
        for (unsigned i = 0; i < n && !err && (least || end < raw_n); i++) {
            misses[i] = UINT64_MAX;
            err = count_misses(&misses[i], &m[i], &t, end);
            if (!err && misses[i] < least) {
                least = misses[i];
                *best = m[i];
            }
        }
        unsigned kept = 0;
        for (unsigned i = 0; i < n && !err && end < raw_n; i++)
            if (misses[i] <= least + least / 8)
                m[kept++] = m[i];
        n = kept;
    }
    return err;
}
