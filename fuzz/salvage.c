/* Any bytes may come in, and any damage to an archive: salvaging stays in bounds, its account is
 * right, and what it says is whole is what the reader gives. */
#include "archive/format.h"
#include "lib/fuzz.h"

#define ROOM  ((size_t)1 << 18)
#define EDITS 16 /* each of them 6 bytes: kind, size, place, value */

typedef struct account {
    uint64_t file, out, zeros;
    bool exact, unsized;
} account;

static void note(void *arg, const nz_lost *l)
{
    account *a = arg;
    check(l->err && l->reason && (l->sized || !l->raw));
    check(l->offset >= a->file && l->at >= a->out);
    a->file = l->offset + l->packed;
    a->out = l->at + l->raw;
    a->zeros += l->raw;
    a->unsized |= !l->sized;
}

static void use(const uint8_t *in, size_t n)
{
    static uint8_t out[ROOM], want[ROOM];
    const nz_options opt = {.threads = 1, .memory = (uint64_t)2 << 20};
    account a = {0};
    nz_salvage *s;
    size_t at = 0, got, raw;
    nz_err err = nz_salvage_open(&s, in, n, &opt, note, &a);
    if (err)
        return;
    do {
        err = nz_salvage_get(s, out + at, ROOM - at, &got);
        at += got;
    } while (!err && got);
    nz_salvaged sum = nz_salvage_sum(s);
    nz_salvage_free(s);
    check(a.file <= n && sum.lost_raw == a.zeros && sum.exact == !a.unsized);
    if (at == ROOM)
        return; /* there may be more */
    check(!err && sum.raw + sum.lost_raw == at && a.out <= at);
    err = nz_unpack(want, ROOM, &raw, in, n, &opt);
    check(sum.damaged || !err);
    check(err || (sum.whole && raw == at && !memcmp(out, want, at)));
}

/* Frames, stored and not, and an end. */
static size_t sample(uint8_t to[ROOM])
{
    static uint8_t raw[2][3000], one[8192];
    const nz_options opt = {.level = 1, .threads = 1, .prior = NZ_PRIOR_OFF};
    nz_index x = {0};
    size_t at = NZ_HEAD_BYTES, n;
    for (size_t i = 0; i < sizeof raw[0]; i++) {
        raw[0][i] = (uint8_t)(nz_hash32((uint32_t)i, 1) >> 24);
        raw[1][i] = (uint8_t) "some text "[i % 10];
    }
    nz_head_store(to);
    for (int i = 0; i < 4; i++) {
        nz_header h;
        const char *reason;
        raw[i & 1][0] = (uint8_t)i;
        check(!nz_pack(one, sizeof one, &n, raw[i & 1], sizeof raw[0], &opt));
        check(!nz_header_load(&h, one + NZ_HEAD_BYTES, n - NZ_HEAD_BYTES, &reason));
        n = h.size + (size_t)h.packed;
        memcpy(to + at, one + NZ_HEAD_BYTES, n);
        at += n;
        check(!nz_index_add(&x, n, h.raw));
    }
    uint8_t *end;
    check(!nz_index_store(&x, &end, &n));
    memcpy(to + at, end, n);
    free(end);
    nz_index_reset(&x);
    return at + n;
}

/* One damage: bytes changed, gone, put in between, or a copy of others. */
static size_t edit(uint8_t *p, size_t n, const uint8_t e[6])
{
    size_t at = nz_load16(e + 2) % n, size = e[1] * e[1] / 8u + 1u;
    if (size > n - at)
        size = n - at;
    switch (e[0] & 3) {
    case 0: p[at] ^= e[4]; break;
    case 1: memmove(p + at, p + at + size, n - at - size); return n - size;
    case 2:
        if (n + size > ROOM)
            break;
        memmove(p + at + size, p + at, n - at);
        memset(p + at, e[4], size);
        return n + size;
    default: memmove(p + at, p + (e[4] * 256u + e[5]) % (n - size + 1), size);
    }
    return n;
}

static void use_damaged(const uint8_t *in, size_t n)
{
    static uint8_t whole[ROOM], damaged[ROOM];
    static size_t size;
    if (!size)
        size = sample(whole);
    size_t m = size;
    memcpy(damaged, whole, size);
    for (size_t i = 0; i < EDITS && 6 * (i + 1) <= n && m; i++)
        m = edit(damaged, m, in + 6 * i);
    use(damaged, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    use(in, n);
    use_damaged(in, n);
    return 0;
}
