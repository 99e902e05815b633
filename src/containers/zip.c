/* Zip archives, front to back: arrays of NumPy (.npz) and what torch.save() writes.
 *
 * The directory at the end comes too late for us, and torch leaves the sizes out of the headers
 * before the data: they follow it. The pickle, which torch writes first, ends by itself and knows
 * the size of every storage; for small members of unknown size the record behind them is sought.
 * Only members that are stored, not compressed, hold tensors. */
#include "npy.h"
#include "parse.h"
#include "storage.h"

#include <stdlib.h>

#define LOCAL_BYTES      30
#define DESCRIPTOR_BYTES 24 /* with sizes of 8 bytes; 16 with sizes of 4 */
#define SEEK_MAX         ((uint64_t)1 << 20)

enum { ENCRYPTED = 1, SIZE_FOLLOWS = 8 };

typedef struct zip {
    char name[NZ_NAME_MAX]; /* of the member */
    size_t name_n;
    unsigned flags;
    bool sized;          /* its size is known, */
    uint64_t data, size; /* it is [data, data + size) */
    uint64_t sought;     /* bytes searched for its end */

    bool torch;             /* there was a pickle, */
    char root[NZ_NAME_MAX]; /* in this folder, the '/' included */
    size_t root_n;
    nz_pickle pickle;
    nz_storages storages;
} zip;

static nz_step local, member, pickle, byteorder, array_size, array, seek, descriptor;

static void end(void *state)
{
    zip *z = state;
    nz_pickle_end(&z->pickle);
    nz_storages_end(&z->storages);
}

/* Goes on behind the member, of which everything before `skip` from here has been looked at. */
static nz_err leave(nz_scan *s, zip *z, uint64_t skip)
{
    uint64_t here, to;
    if (!z->sized) {
        z->sought = 0;
        nz_scan_next(s, skip, DESCRIPTOR_BYTES, seek);
        return NZ_OK;
    }
    if (__builtin_add_overflow(nz_scan_at(s), skip, &here) ||
        __builtin_add_overflow(z->data, z->size, &to) || to < here)
        return NZ_OK;
    skip += to - here;
    if (z->flags & SIZE_FOLLOWS)
        nz_scan_next(s, skip, DESCRIPTOR_BYTES + 4, descriptor);
    else
        nz_scan_next(s, skip, LOCAL_BYTES, local);
    return NZ_OK;
}

/* Looks for the record behind a member: it repeats how many bytes there were. Empty members may go
 * without. */
static nz_err seek(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    uint64_t size = nz_scan_at(s) - z->data;
    if (size == 0 && !memcmp(p, "PK\3\4", 4)) {
        nz_scan_next(s, 0, LOCAL_BYTES, local);
        return NZ_OK;
    }
    if (!memcmp(p, "PK\7\10", 4)) {
        size_t record = 0;
        if (nz_load64(p + 8) == size && nz_load64(p + 16) == size)
            record = 24;
        else if (nz_load32(p + 8) == size && nz_load32(p + 12) == size)
            record = 16;
        if (record) {
            nz_scan_next(s, record, LOCAL_BYTES, local);
            return NZ_OK;
        }
    }
    const uint8_t *more = memchr(p + 1, 'P', n - 1);
    size_t skip = more ? (size_t)(more - p) : n;
    z->sought += skip;
    if (z->sought <= SEEK_MAX)
        nz_scan_next(s, skip, n, seek);
    return NZ_OK;
}

/* The record behind a member of known size: which of its forms shows in where it ends. */
static nz_err descriptor(nz_scan *s, const uint8_t *p, size_t n)
{
    static const uint8_t FORMS[] = {16, 24, 12, 20, 0};
    (void)n;
    for (size_t i = memcmp(p, "PK\7\10", 4) ? 2 : 0; i < sizeof FORMS; i++) {
        const uint8_t *q = p + FORMS[i];
        if (!memcmp(q, "PK\3\4", 4)) {
            nz_scan_next(s, FORMS[i], LOCAL_BYTES, local);
            break;
        }
    }
    return NZ_OK;
}

static nz_err local(nz_scan *s, const uint8_t *p, size_t n)
{
    if (!memcmp(p, "PK\3\4", 4))
        nz_scan_next(s, 0, n + nz_load16(p + 26) + nz_load16(p + 28), member);
    return NZ_OK;
}

/* Sets sized and size from the header and its extra fields, in which large sizes are. */
static bool sizes(zip *z, unsigned method, const uint8_t *p, const uint8_t *extra, size_t n)
{
    uint64_t packed = nz_load32(p + 18), raw = nz_load32(p + 22);
    while (n >= 4) {
        size_t bytes = nz_load16(extra + 2);
        if (bytes > n - 4)
            break;
        if (nz_load16(extra) == 1 && bytes >= 16 && packed == UINT32_MAX && raw == UINT32_MAX) {
            raw = nz_load64(extra + 4);
            packed = nz_load64(extra + 12);
        }
        extra += 4 + bytes;
        n -= 4 + bytes;
    }
    if (packed == UINT32_MAX)
        packed = raw = 0;
    z->size = packed;
    z->sized = !(z->flags & SIZE_FOLLOWS) || packed || raw;
    return method != 0 || packed == raw;
}

static bool ends_with(const zip *z, const char *text)
{
    size_t n = strlen(text);
    return z->name_n >= n && !memcmp(z->name + z->name_n - n, text, n);
}

/* The rest of the name when the member lies in torch's folder, under `path`. */
static const char *inside(const zip *z, const char *path, size_t *n)
{
    size_t skip = z->root_n + strlen(path);
    if (!z->torch || z->name_n < skip || memcmp(z->name, z->root, z->root_n) != 0 ||
        memcmp(z->name + z->root_n, path, skip - z->root_n) != 0)
        return NULL;
    *n = z->name_n - skip;
    return z->name + skip;
}

static nz_err member(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    unsigned method = nz_load16(p + 8);
    z->flags = nz_load16(p + 6);
    z->name_n = nz_load16(p + 26);
    memcpy(z->name, p + LOCAL_BYTES, z->name_n);
    z->data = nz_scan_at(s) + n;
    if (!sizes(z, method, p, p + LOCAL_BYTES + z->name_n, nz_load16(p + 28)))
        return NZ_OK;
    if (method != 0 || (z->flags & ENCRYPTED))
        return z->sized ? leave(s, z, n) : NZ_OK;

    size_t rest;
    const char *key = inside(z, "data/", &rest);
    nz_view *views = key ? nz_storages_find(&z->storages, key, rest, &rest) : NULL;
    if (views) {
        if (!z->sized)
            z->size = views->bytes;
        z->sized = true;
        nz_err err =
            nz_storages_add(s, &z->storages, views, rest, z->data, z->size, z->name, z->name_n);
        return err ? err : leave(s, z, n);
    }
    bool room = !z->sized || z->size >= NZ_NPY_HEAD;
    if (!z->torch && (ends_with(z, "/data.pkl") || (z->name_n == 8 && ends_with(z, "data.pkl")))) {
        z->root_n = z->name_n - 8;
        memcpy(z->root, z->name, z->root_n);
        nz_pickle_begin(&z->pickle);
        nz_scan_next(s, n, 1, pickle);
    } else if (room && ends_with(z, ".npy")) {
        nz_scan_next(s, n, NZ_NPY_HEAD, array_size);
    } else if (inside(z, "byteorder", &rest) && rest == 0 && (!z->sized || z->size >= 3)) {
        nz_scan_next(s, n, 3, byteorder);
    } else {
        return leave(s, z, n);
    }
    return NZ_OK;
}

static nz_err pickle(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    nz_pickle *k = &z->pickle;
    nz_pickle_take(k, p, n);
    if (k->want && !k->end) {
        nz_scan_next(s, k->skip, k->want, pickle);
        return NZ_OK;
    }
    uint64_t skip = k->want ? k->skip : 0;
    nz_err err = NZ_OK;
    if (k->want) {
        nz_scan_known(s, "pytorch");
        z->torch = true;
        err = nz_storages_read(&z->storages, k);
    }
    nz_pickle_end(k);
    return err ? err : leave(s, z, skip);
}

static nz_err byteorder(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    z->storages.foreign = !memcmp(p, "big", n);
    return leave(s, z, 0);
}

static nz_err array_size(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    size_t size = nz_npy_size(p);
    (void)n;
    if (size == 0 || (z->sized && size > z->size))
        return leave(s, z, 0);
    nz_scan_next(s, 0, size, array);
    return NZ_OK;
}

static nz_err array(nz_scan *s, const uint8_t *p, size_t n)
{
    zip *z = nz_scan_state(s);
    nz_tensor t = {.at = nz_scan_at(s) + n};
    if (!nz_npy_read(&t, p, n) || (z->sized && t.bytes != z->size - n))
        return leave(s, z, n);
    nz_scan_known(s, "npz");
    if (!z->sized && __builtin_add_overflow(t.bytes, n, &z->size))
        return NZ_OK;
    z->sized = true;
    nz_err err = nz_scan_add(s, &t, z->name, z->name_n - 4);
    return err ? err : leave(s, z, n);
}

nz_err nz_zip_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)p, (void)n;
    if (!nz_scan_keep(s, sizeof(zip), end))
        return NZ_E_MEM;
    nz_scan_known(s, "zip");
    nz_scan_next(s, 0, LOCAL_BYTES, local);
    return NZ_OK;
}
