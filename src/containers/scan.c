/* The pieces of a stream, cut to what the steps of a parser want. */
#include "parse.h"

#include <stdlib.h>

struct nz_scan {
    uint64_t at;   /* bytes put so far */
    uint64_t from; /* the window of the next step: from here, `want` bytes */
    size_t want;
    nz_step *step; /* NULL: over */
    uint8_t *held; /* the first `have` bytes of the window, from earlier pieces */
    size_t have, room;
    uint64_t skip; /* what the running step said last */
    bool said;

    void *state;
    void (*state_end)(void *);
    const char *container;
    bool unknown;

    nz_tensor *tensors;
    size_t n, settled, tensors_room; /* those after `settled` were added by the running step */
    size_t names;                    /* bytes */
    uint64_t free;                   /* no tensor may begin before */
};

/* Any file that is none of ours is given up here, after its first ten bytes. */
static nz_err recognise(nz_scan *s, const uint8_t *p, size_t n)
{
    static const struct {
        nz_step *step;
        size_t n;
        const char *magic;
    } MAGIC[] = {
        {nz_gguf_head, 4, "GGUF"},
        {nz_zip_head, 4, "PK\3\4"},
        {nz_npy_head, 6, "\x93NUMPY"},
        {nz_legacy_head, 10, "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20"},
    };
    for (size_t i = 0; i < sizeof MAGIC / sizeof *MAGIC; i++)
        if (!memcmp(p, MAGIC[i].magic, MAGIC[i].n))
            return MAGIC[i].step(s, p, n);
    if (nz_load64(p) >= 2 && nz_load64(p) <= NZ_JSON_HEADER_MAX && p[8] == '{')
        return nz_safetensors_head(s, p, n);
    /* Field 1 of a model is its version, a small number. */
    if (p[0] == 8 && p[1] > 0 && p[1] < 64)
        return nz_onnx_head(s, p, n);
    s->unknown = true;
    return NZ_OK;
}

nz_err nz_scan_new(nz_scan **out)
{
    nz_scan *s = calloc(1, sizeof *s);
    if (!s)
        return NZ_E_MEM;
    s->want = NZ_SCAN_HEAD;
    s->step = recognise;
    *out = s;
    return NZ_OK;
}

static void state_free(nz_scan *s)
{
    if (s->state && s->state_end)
        s->state_end(s->state);
    free(s->state);
    s->state = NULL;
}

static void over(nz_scan *s)
{
    s->step = NULL;
    state_free(s);
    free(s->held);
    s->held = NULL;
    s->have = s->room = 0;
}

void nz_scan_free(nz_scan *s)
{
    if (!s)
        return;
    over(s);
    for (size_t i = 0; i < s->n; i++)
        free(s->tensors[i].name);
    free(s->tensors);
    free(s);
}

/* By place; where two begin at the same, the empty ones first, and then any order that does not
 * depend on how they came. */
static int by_place(const void *a, const void *b)
{
    const nz_tensor *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sorts what the step added and drops what is not free. */
static void settle(nz_scan *s)
{
    if (s->settled == s->n)
        return;
    if (s->free < s->from + s->want)
        s->free = s->from + s->want;
    qsort(s->tensors + s->settled, s->n - s->settled, sizeof *s->tensors, by_place);
    for (size_t i = s->settled; i < s->n; i++) {
        nz_tensor *t = &s->tensors[i];
        if (t->at < s->free) {
            s->names -= strlen(t->name) + 1;
            free(t->name);
            continue;
        }
        s->free = t->at + t->bytes;
        s->tensors[s->settled++] = *t;
    }
    s->n = s->settled;
}

/* Runs the step; p is its window. */
static nz_err run(nz_scan *s, const uint8_t *p)
{
    nz_step *step = s->step;
    size_t want = s->want;
    s->said = false;
    nz_err err = step(s, p, want);
    size_t next = s->want;
    s->want = want;
    settle(s);
    s->want = next;
    uint64_t to;
    if (err || !s->said || __builtin_add_overflow(s->from, s->skip, &to) ||
        to > UINT64_MAX - next) {
        over(s);
        return err;
    }
    s->from = to;
    if (s->skip >= s->have) {
        s->have = 0;
    } else if (s->skip) {
        s->have -= s->skip;
        memmove(s->held, s->held + s->skip, s->have);
    }
    return NZ_OK;
}

nz_err nz_scan_put(nz_scan *s, const void *data, size_t n)
{
    const uint8_t *piece = data;
    uint64_t begin = s->at;
    s->at += n;
    while (s->step) {
        /* Whatever of the window lies in this piece need not be held. */
        if (s->from >= begin)
            s->have = 0;
        uint64_t have = s->from + s->have;
        size_t missing = s->want > s->have ? s->want - s->have : 0;
        size_t here = have < s->at ? s->at - have : 0;
        const uint8_t *window = s->held;
        if (s->have == 0 && here >= missing) {
            window = piece + (s->from - begin);
        } else if (missing > 0) {
            if (here == 0)
                break;
            if (here > missing)
                here = missing;
            if (!nz_array_grow(&s->held, &s->room, s->have + here, 1, s->want)) {
                over(s);
                return NZ_E_MEM;
            }
            memcpy(s->held + s->have, piece + (have - begin), here);
            s->have += here;
            if (here < missing)
                break;
            window = s->held;
        }
        nz_err err = run(s, window);
        if (err)
            return err;
    }
    return NZ_OK;
}

const nz_tensor *nz_scan_tensors(const nz_scan *s, size_t *n)
{
    *n = s->n;
    return s->tensors;
}

const char *nz_scan_container(const nz_scan *s)
{
    return s->container;
}

bool nz_scan_over(const nz_scan *s)
{
    return !s->step;
}

bool nz_scan_unknown(const nz_scan *s)
{
    return s->unknown;
}

void nz_scan_next(nz_scan *s, uint64_t skip, size_t n, nz_step *step)
{
    s->said = true;
    s->skip = skip;
    s->want = n;
    s->step = step;
}

uint64_t nz_scan_at(const nz_scan *s)
{
    return s->from;
}

nz_err nz_scan_add(nz_scan *s, const nz_tensor *t, const char *name, size_t n)
{
    if (n > NZ_NAME_MAX || (n && memchr(name, 0, n)) || n + 1 > NZ_NAMES_MAX - s->names ||
        t->at > UINT64_MAX - t->bytes || s->n == NZ_TENSORS_MAX)
        return NZ_OK;
    char *own = malloc(n + 1);
    if (!own || !nz_array_grow(&s->tensors, &s->tensors_room, s->n + 1, sizeof *s->tensors,
                               NZ_TENSORS_MAX)) {
        free(own);
        return NZ_E_MEM;
    }
    if (n)
        memcpy(own, name, n);
    own[n] = 0;
    s->names += n + 1;
    s->tensors[s->n] = *t;
    s->tensors[s->n++].name = own;
    return NZ_OK;
}

void nz_scan_known(nz_scan *s, const char *container)
{
    s->container = container;
}

void *nz_scan_keep(nz_scan *s, size_t bytes, void (*end)(void *state))
{
    state_free(s);
    s->state = calloc(1, bytes);
    s->state_end = end;
    return s->state;
}

void *nz_scan_state(const nz_scan *s)
{
    return s->state;
}

bool nz_array_grow(void *array, size_t *room, size_t need, size_t element, size_t most)
{
    if (need <= *room)
        return true;
    if (need > most)
        return false;
    size_t more = *room ? 2 * *room : 16;
    if (more < need)
        more = need;
    if (more > most)
        more = most;
    void *grown;
    memcpy(&grown, array, sizeof grown);
    grown = realloc(grown, more * element);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return true;
}
