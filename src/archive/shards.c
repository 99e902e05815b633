/* Behind nz_shards: the tensors of all files that have no base, found by a key of their contents.
 *
 * A key is of a tensor's ends and middle: reading all of every file might take longer than packing
 * it. Only what has a key in common with another file is read and compared. */
#include "archive/format.h"
#include "base/base.h"
#include "containers/scan.h"

#include <stdlib.h>

/* The least that is worth needing another file to unpack: bytes, and which part of the file. */
enum { WORTH = 64 << 10, WORTH_PART = 256, STRIP = 4096, SLOTS_FIRST = 1024 };

typedef struct slot {
    uint64_t key, at, bytes;
    size_t file; /* from 1 on; 0: the slot is free */
} slot;

struct nz_shards {
    const uint8_t **file;
    size_t files;
    slot *slot; /* linear probing; at most half of them are used */
    size_t slots, used;
};

/* A file that is being added. */
typedef struct shard {
    const uint8_t *p;
    const nz_tensor *t;
    size_t n;
    uint64_t *key;
} shard;

static uint64_t key_of(const uint8_t *p, const nz_tensor *t)
{
    size_t n = t->bytes < STRIP ? (size_t)t->bytes : STRIP;
    const uint64_t rest = t->bytes - n;
    p += t->at;
    uint64_t part[] = {t->dtype, t->bytes, nz_hash(p, n), nz_hash(p + rest / 2, n),
                       nz_hash(p + rest, n)};
    return nz_hash(part, sizeof part);
}

/* The slot of that key and file, or else the free one where it belongs. */
static slot *find(const nz_shards *s, uint64_t key, size_t file)
{
    size_t i = (size_t)key & (s->slots - 1);
    while (s->slot[i].file && (s->slot[i].key != key || s->slot[i].file != file))
        i = (i + 1) & (s->slots - 1);
    return &s->slot[i];
}

/* Adds to sum[], for each file with a tensor of that key, its bytes. */
static void count(const nz_shards *s, uint64_t key, uint64_t bytes, uint64_t *sum)
{
    size_t i = (size_t)key & (s->slots - 1);
    for (; s->slot[i].file; i = (i + 1) & (s->slots - 1))
        if (s->slot[i].key == key)
            sum[s->slot[i].file - 1] += bytes;
}

static nz_err grow(nz_shards *s, size_t more)
{
    nz_shards bigger = {.slots = s->slots ? s->slots : SLOTS_FIRST};
    while (bigger.slots / 2 < s->used + more)
        bigger.slots *= 2;
    if (bigger.slots == s->slots)
        return NZ_OK;
    if (!(bigger.slot = calloc(bigger.slots, sizeof *bigger.slot)))
        return NZ_E_MEM;
    for (size_t i = 0; i < s->slots; i++)
        if (s->slot[i].file)
            *find(&bigger, s->slot[i].key, s->slot[i].file) = s->slot[i];
    free(s->slot);
    s->slot = bigger.slot;
    s->slots = bigger.slots;
    return NZ_OK;
}

static nz_err remember(nz_shards *s, const shard *a)
{
    nz_err err = grow(s, a->n);
    for (size_t i = 0; i < a->n && !err; i++) {
        slot *to = find(s, a->key[i], s->files);
        s->used += !to->file;
        if (!to->file)
            *to = (slot){a->key[i], a->t[i].at, a->t[i].bytes, s->files};
    }
    return err;
}

/* What is the same in an earlier file, byte by byte. */
static nz_shared compare(const nz_shards *s, const shard *a, size_t file)
{
    nz_shared r = {.own = a->n, .file = file};
    for (size_t i = 0; i < a->n; i++) {
        const slot *e = find(s, a->key[i], file + 1);
        if (!e->bytes || e->bytes != a->t[i].bytes ||
            memcmp(a->p + a->t[i].at, s->file[file] + e->at, (size_t)e->bytes))
            continue;
        r.tensors++;
        r.bytes += e->bytes;
    }
    return r;
}

static bool worth(uint64_t shared, size_t n)
{
    return shared >= WORTH && shared >= n / WORTH_PART;
}

static nz_err look(nz_shards *s, const shard *a, size_t n, nz_shared *shared)
{
    uint64_t *sum = calloc(s->files + 1, sizeof *sum);
    size_t best = 0;
    if (!sum)
        return NZ_E_MEM;
    for (size_t i = 0; i < a->n && s->slots; i++)
        count(s, a->key[i], a->t[i].bytes, sum);
    for (size_t i = 1; i < s->files; i++)
        if (sum[i] > sum[best])
            best = i;
    *shared = (nz_shared){.own = a->n};
    if (worth(sum[best], n)) {
        nz_shared same = compare(s, a, best);
        if (worth(same.bytes, n))
            *shared = same;
    }
    free(sum);
    return NZ_OK;
}

/* The tensors that are all there, and their keys. */
static nz_err shard_open(shard *a, nz_scan *scan, const uint8_t *p, size_t n)
{
    nz_err err = nz_scan_put(scan, p, n);
    if (err)
        return err;
    *a = (shard){.p = p};
    a->t = nz_scan_tensors(scan, &a->n);
    while (a->n && (a->t[a->n - 1].at > n || a->t[a->n - 1].bytes > n - a->t[a->n - 1].at))
        a->n--;
    if (!(a->key = malloc((a->n + 1) * sizeof *a->key)))
        return NZ_E_MEM;
    for (size_t i = 0; i < a->n; i++)
        a->key[i] = key_of(p, &a->t[i]);
    return NZ_OK;
}

nz_err nz_shards_new(nz_shards **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? NZ_OK : NZ_E_MEM;
}

nz_err nz_shards_add(nz_shards *s, const void *p, size_t n, nz_shared *shared)
{
    shard a = {0};
    nz_scan *scan = NULL;
    *shared = (nz_shared){0};
    const uint8_t **more = realloc(s->file, (s->files + 1) * sizeof *more);
    if (!more)
        return NZ_E_MEM;
    s->file = more;
    nz_err err = nz_scan_new(&scan);
    if (!err)
        err = shard_open(&a, scan, p, n);
    if (!err)
        err = look(s, &a, n, shared);
    if (!err) {
        s->file[s->files++] = p;
        if (!shared->tensors)
            err = remember(s, &a);
    }
    free(a.key);
    nz_scan_free(scan);
    return err;
}

void nz_shards_free(nz_shards *s)
{
    if (!s)
        return;
    free(s->file);
    free(s->slot);
    free(s);
}
