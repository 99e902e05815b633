/* What torch.save() wrote before it wrote zip archives: five pickles in a row - magic number,
 * protocol, system, object, keys - and for each key the storage, its number of elements first. */
#include "parse.h"
#include "storage.h"

enum { SYSTEM = 2, OBJECT, KEYS };

typedef struct legacy {
    nz_pickle pickle;
    unsigned number; /* of the pickle */
    nz_storages storages;
    uint64_t run; /* of the list of keys, and the next one in it */
    uint32_t i;
} legacy;

static nz_step pickle, storage;

static void end(void *state)
{
    legacy *l = state;
    nz_pickle_end(&l->pickle);
    nz_storages_end(&l->storages);
}

/* {'protocol_version': 1001, 'little_endian': True, ...} */
static bool big_endian(const nz_pickle *k)
{
    uint64_t run = k->root.kind == NZ_PK_DICT ? k->pool[k->root.v].v : 0;
    if (!run)
        return false;
    const nz_pvalue *v = &k->pool[run];
    for (uint32_t i = 0; i + 1 < v->n; i += 2)
        if (nz_pickle_is(k, v[1 + i], "little_endian"))
            return v[2 + i].kind == NZ_PK_INT && v[2 + i].v == 0;
    return false;
}

/* The next key of the list, if any: its storage begins `skip` from here. */
static nz_err next(nz_scan *s, legacy *l, uint64_t skip)
{
    const nz_pickle *k = &l->pickle;
    while (l->run && l->i == k->pool[l->run].n) {
        l->run = k->pool[l->run].v;
        l->i = 0;
    }
    if (l->run)
        nz_scan_next(s, skip, 8, storage);
    return NZ_OK;
}

static nz_err pickle(nz_scan *s, const uint8_t *p, size_t n)
{
    legacy *l = nz_scan_state(s);
    nz_pickle *k = &l->pickle;
    nz_pickle_take(k, p, n);
    if (!k->want)
        return NZ_OK;
    if (!k->end) {
        nz_scan_next(s, k->skip, k->want, pickle);
        return NZ_OK;
    }
    if (l->number == KEYS) {
        l->run = k->root.kind == NZ_PK_LIST ? k->pool[k->root.v].v : 0;
        return next(s, l, k->skip);
    }
    uint64_t skip = k->skip;
    if (l->number == SYSTEM)
        l->storages.foreign = big_endian(k);
    if (l->number == OBJECT) {
        nz_scan_known(s, "pytorch");
        nz_err err = nz_storages_read(&l->storages, k);
        if (err)
            return err;
    }
    nz_pickle_end(k);
    nz_pickle_begin(k);
    l->number++;
    nz_scan_next(s, skip, 1, pickle);
    return NZ_OK;
}

static nz_err storage(nz_scan *s, const uint8_t *p, size_t n)
{
    legacy *l = nz_scan_state(s);
    const nz_pickle *k = &l->pickle;
    nz_pvalue key = k->pool[l->run + 1 + l->i++];
    if (key.kind != NZ_PK_STR)
        return NZ_OK;
    const char *name = k->text + key.v;
    size_t views;
    nz_view *v = nz_storages_find(&l->storages, name, key.n, &views);
    uint64_t skip;
    if (!v || nz_load64(p) != v->bytes / nz_dtype_about(v->dtype)->bytes ||
        __builtin_add_overflow(v->bytes, n, &skip))
        return NZ_OK;
    nz_err err =
        nz_storages_add(s, &l->storages, v, views, nz_scan_at(s) + n, v->bytes, name, key.n);
    return err ? err : next(s, l, skip);
}

nz_err nz_legacy_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)p, (void)n;
    legacy *l = nz_scan_keep(s, sizeof *l, end);
    if (!l)
        return NZ_E_MEM;
    nz_pickle_begin(&l->pickle);
    nz_scan_next(s, 0, 1, pickle);
    return NZ_OK;
}
