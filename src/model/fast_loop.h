/* One frame through the fast engine: the one text that every backend compiles.
 *
 * Before including it a backend defines FAST_TARGET (function attributes), FAST_FRAMES (the name
 * of its table) and, on groups of eight lanes:
 *     lanes            cells as loaded
 *     row              eight weights, or the sum of several rows
 *     sums             running dot products
 *     lanes_load       eight cells
 *     lanes_follow     every history becomes the next one
 *     lanes_learn      every stretch += slope >> FAST_SLOPE, within bounds
 *     row_load, row_store, row_add
 *     sums_zero, dot   sum of (stretch >> 16) * (weight >> 16), wrapping
 *     sums_fold        the total
 *     row_step         (stretch >> 16) * err: what a row learns, wrapping
 *     row_slope        (weight >> 16) * err: what cells learn, wrapping
 * fast_c.c is the definition; integer sums may be taken in any order. */
#include "fast.h"
#include "fast_ledger.h"
#include "ngram/row.h"

#define FAST_INLINE FAST_TARGET NZ_INLINE

/* The loops over lanes and sets have constant bounds and are worth unrolling whole; clang does it
 * unasked. */
#if defined(__clang__)
#define FAST_UNROLL
#else
#define FAST_UNROLL _Pragma("GCC unroll 32")
#endif

enum {
    LANES_MAX = FAST_GROUPS_MAX * FAST_LANES,
    /* The learning rate falls from first to last by one every 128 bytes. */
    RATE_FIRST = 12 << 4,
    RATE_LAST = 3 << 4,
};

/* The slot of a context's nibble in its line, its histories at [1] to [15]. When there is none, the
 * one whose first history is the youngest starts afresh. */
FAST_INLINE uint8_t *find_slot(uint8_t *line, uint32_t check)
{
    uint8_t *slots = line + FAST_WAYS - 1;
    /* The lowest zero byte of `differ` is where `same` has its lowest bit. */
    uint32_t differ = nz_load32(line) ^ check * 0x01010101u;
    uint32_t same = (differ - 0x01010101u) & ~differ & 0x80808080u;
    if (NZ_LIKELY(same))
        return slots + (__builtin_ctz(same) >> 3) * FAST_NODES;
    int least = 0;
    for (int i = 1; i < FAST_WAYS; i++)
        if (slots[i * FAST_NODES + 1] < slots[least * FAST_NODES + 1])
            least = i;
    line[least] = (uint8_t)check;
    slots += least * FAST_NODES;
    memset(slots + 1, 0, FAST_NODES);
    return slots;
}

/* What followed the last few bytes when they were seen before. The hash leaves the latest byte
 * out, so that both the table and the candidate can be fetched early; checking includes it. */
typedef struct match {
    uint32_t at, len; /* the expected byte; bytes verified before it */
    uint32_t *last;   /* entry of the hash without the latest byte */
    uint32_t byte;    /* expected byte | 256, 0 for none or once it was wrong */
    uint32_t bucket;  /* of len */
} match;

FAST_INLINE void match_next(match *m, const fast_past *p, uint32_t *entry, uint32_t min)
{
    enum { VERIFY = 32, LEN_MAX = 65535 };
    if (m->len) {
        m->at++;
        m->len += m->len < LEN_MAX;
    } else if (*m->last) {
        uint32_t n = 0, at = *m->last + 1;
        while (n < VERIFY && n < at && p->raw[at - 1 - n] == p->raw[p->pos - 1 - n])
            n++;
        if (n >= min) {
            m->at = at;
            m->len = n;
        }
    }
    *m->last = p->pos - 1;
    m->last = entry;
    __builtin_prefetch(entry, 1);
}

FAST_INLINE void matches_next(match *m, const fast_plan plan, const nz_fast *f, const fast_past *p)
{
    enum { MIN = 6, SHORT = 4 };
    match_next(m, p, f->matches[0] + (fast_hash(p->c4, p->c8 & 255) >> f->match_shift), MIN);
    if (plan.matches > 1)
        match_next(m + 1, p, f->matches[1] + (fast_hash(p->c4 & 0xffffff, 3) >> f->match_shift),
                   SHORT);
}

FAST_INLINE uint32_t match_bucket(uint32_t len)
{
    uint32_t b = len < 16 ? len : len < 32 ? 12 + len / 4 : len < 64 ? 16 + len / 8 : 22 + len / 32;
    return b < 31 ? b : 31;
}

FAST_INLINE void match_expect(match *m, const uint8_t *raw)
{
    m->byte = m->len ? raw[m->at] | 256u : 0;
    m->bucket = match_bucket(m->len);
}

/* Two neighbouring entries of a row, weighted by `part` of 4096. */
FAST_INLINE uint32_t sse_get(const uint16_t *row, const uint16_t *start, uint32_t part)
{
    return ((uint32_t)(row[0] ^ start[0]) * (4096 - part) + (uint32_t)(row[1] ^ start[1]) * part) >>
           12;
}

/* Moves an entry towards the bit by 1/64, rounding away from zero so that it can get there. */
FAST_INLINE void sse_learn(uint16_t *e, uint16_t start, int bit)
{
    int v = *e ^ start;
    v += bit ? (65535 - v + 63) >> 6 : -((v + 63) >> 6);
    *e = (uint16_t)(v ^ start);
}

/* Codes one bit with p of 65536 for a one. */
FAST_INLINE int code_bit(nz_arith *a, int decode, uint32_t p, int bit)
{
    if (decode)
        return nz_arith_decode(a, p);
    nz_arith_encode(a, p, bit);
    return bit;
}

/* The cells of the histories at a node: cheaper to work out twice than to keep. */
FAST_INLINE void find_cells(fast_cell **cell, fast_cell *cells, uint8_t *const *slot, uint32_t node,
                            int histories)
{
    FAST_UNROLL
    for (int i = 0; i < histories; i++)
        cell[i] = cells + 256 * i + slot[i][node];
}

/* A ledger that is not NULL is written by an instance of its own: no other pays for it. */
FAST_INLINE nz_err code_frame(const fast_plan plan, const int decode, nz_ledger *const ledger,
                              nz_fast *f, const nz_run *run, nz_arith *whole, uint8_t *raw,
                              size_t n)
{
    const int lanes_all = plan.groups * FAST_LANES, contexts = plan.contexts;
    const int histories = contexts + 1;
    const uint32_t late_mask = (1u << plan.late) - 1;
    const nz_numeric *num = f->num;
    const uint16_t *start = f->sse_start;
    const int shift = f->table_shift, binary = f->binary;
    /* Copies: histories are stored as bytes, which may alias anything that *f holds. */
    fast_cell *const cells = f->cells;
    int32_t *weights[FAST_SETS];
    uint16_t *sse_rows[3];
    memcpy(weights, f->weights, sizeof weights);
    memcpy(sse_rows, f->sse, sizeof sse_rows);
    uint8_t *const table = f->table, *const order1 = f->order1;
    fast_cell *const order0 = cells + 256 * histories, *const matched = order0 + 256;
    fast_cell *const idle = matched + 128;

    nz_arith coder = *whole;
    fast_past past = f->past, before = past;
    match m[2] = {{.last = f->matches[0]}, {.last = f->matches[1]}};
    uint16_t flags[16]; /* probability that a long match holds, by its length */
    for (int i = 0; i < 16; i++)
        flags[i] = 65000;

    uint32_t hash[LANES_MAX] = {0}, line[LANES_MAX] = {0};
    uint8_t *slot[LANES_MAX];
    /* Offset of the pair of lines that a context's nibble is in, then of the line. A second nibble
     * shares the first one's page or, in contexts that few bytes follow, takes the pair's other
     * line: fewer misses for the little that it crowds. */
    size_t at[LANES_MAX] = {0};
    fast_cell *cell[LANES_MAX];
    uint32_t mask = UINT32_MAX; /* see fast_text */
    uint32_t late = 0;          /* the last plan.late bits */
    int known = 0;              /* the lines of the next byte have been worked out */
    int rate = RATE_FIRST;

    for (size_t pos = 0; pos < n; pos++) {
        if (!(pos % FAST_STEP) && pos) {
            if (run->done)
                atomic_fetch_add_explicit(run->done, FAST_STEP, memory_order_relaxed);
            if (run->stop && atomic_load_explicit(run->stop, memory_order_relaxed))
                return NZ_E_STOPPED;
            if (!decode && coder.over)
                return NZ_E_FULL;
            if (binary && !(pos % NZ_ROW_STEP))
                past.row = nz_row_find(raw, (uint32_t)pos, past.row);
        }
        const uint32_t byte = decode ? 0 : raw[pos];

        if (m[0].len >= FAST_LONG) {
            uint32_t expected = raw[m[0].at], k = m[0].len / FAST_LONG;
            uint16_t *flag = &flags[k < 16 ? k : 15];
            const int hit = code_bit(&coder, decode, *flag, byte == expected);
            if (ledger)
                nz_ledger_sure(ledger, ledger->earned[0], NZ_MODEL_MATCH, pos, *flag, hit);
            if (hit) {
                *flag += (65535 - *flag) >> 5;
                if (decode)
                    raw[pos] = (uint8_t)expected;
                before = past;
                fast_past_next(&past, expected);
                matches_next(m, plan, f, &past);
                known = 0;
                continue;
            }
            *flag -= *flag >> 5;
            m[0].len = 0;
        }
        if (!known) {
            uint32_t last = past.c4 & 255;
            late = last & late_mask;
            mask = binary ? fast_binary(&before, contexts, last ^ late, hash)
                          : fast_text(&before, contexts, plan.late, last ^ late, hash);
            for (int i = 0; i < lanes_all; i++)
                line[i] = fast_line(hash[i], 0);
            FAST_UNROLL
            for (int i = 0; i < contexts; i++)
                at[i] = (size_t)(line[i] >> shift) * FAST_PAIR;
        }

        FAST_UNROLL
        for (int i = 0; i < plan.matches; i++)
            match_expect(&m[i], raw);
        const uint32_t c1 = past.c4 & 255;
        const uint32_t sse_base[3] = {c1 << 8, fast_hash(past.c4 & 0xffff, 99) & 0xff80,
                                      m[0].byte << 8 & 0xff00};
        const uint32_t length = past.length < 7 ? past.length : 7;
        const uint32_t word_class = length << 6 | fast_class(c1) << 3;
        uint32_t c0 = 1;

        for (int nibble = 0; nibble < 2; nibble++) {
            uint32_t seen = 0;
            FAST_UNROLL
            for (int i = 0; i < contexts; i++) {
                uint32_t h = line[i], tail = mask >> i & 1 ? late : 0;
                if (nibble && plan.close >> i & 1)
                    at[i] ^= FAST_LINE;
                else
                    at[i] += ((h >> 8 ^ tail ^ tail >> (plan.late - 1)) & 1) * FAST_LINE;
                slot[i] = find_slot(table + at[i], (h ^ tail * 0x4D) & 255);
                seen += slot[i][1] != 0;
            }
            slot[contexts] = order1 + (c1 * 17 + (nibble ? c0 - 15 : 0)) * 16;
            seen += slot[contexts][1] != 0;
            if (!nibble)
                FAST_UNROLL
            for (int i = 0; i < contexts; i++)
                hash[i] += mask >> i & 1 ? late * 0x51ED270B : 0;
            uint32_t node = 1;
            for (int b = 0; b < 4; b++) {
                const int bit = nibble * 4 + b;
                if (b == 4 - plan.late) {
                    if (nibble) {
                        __builtin_prefetch(raw + *m[0].last);
                        uint32_t most = c0 << plan.late & 255;
                        mask = binary ? fast_binary(&past, contexts, most, hash)
                                      : fast_text(&past, contexts, plan.late, most, hash);
                    }
                    for (int i = 0; i < lanes_all; i++)
                        line[i] = fast_line(hash[i], nibble ? 0 : c0 * 0x9E3779B1u);
                    FAST_UNROLL
                    for (int i = 0; i < contexts; i++) {
                        const size_t in_page = FAST_PAGE - 1;
                        size_t pair = (size_t)(line[i] >> shift) * FAST_PAIR;
                        if (!nibble && plan.close >> i & 1)
                            continue;
                        at[i] = nibble ? pair : (at[i] & ~in_page) | (pair & in_page);
                        __builtin_prefetch(table + at[i], 1);
                        __builtin_prefetch(table + at[i] + FAST_LINE, 1);
                    }
                }

                find_cells(cell, cells, slot, node, histories);
                fast_cell *hit[2];
                FAST_UNROLL
                for (int i = 0; i < plan.matches; i++)
                    hit[i] = matched + 64 * i +
                             (m[i].byte ? m[i].bucket * 2 + (m[i].byte >> (7 - bit) & 1) : 0);
                if (plan.matches == 1) {
                    cell[histories] = m[0].byte ? hit[0] : order0 + c0;
                } else {
                    cell[histories] = order0 + c0;
                    cell[histories + 1] = hit[0];
                    cell[histories + 2] = hit[1];
                    FAST_UNROLL
                    for (int i = histories + 3; i < lanes_all; i++)
                        cell[i] = idle + i;
                }
                lanes in[FAST_GROUPS_MAX];
                FAST_UNROLL
                for (int g = 0; g < plan.groups; g++)
                    in[g] = lanes_load(cell + g * FAST_LANES);

                const uint32_t held = m[0].bucket;
                const uint32_t hold = held == 0 ? 0 : held < 12 ? 1 : held < 20 ? 2 : 3;
                const uint32_t pick[FAST_SETS] = {
                    c0,
                    (hold << 8) + c1,
                    (seen << 5) + (hold << 3) + (uint32_t)bit,
                    word_class + (uint32_t)bit,
                    (past.mark << 3) + (uint32_t)bit,
                    past.c4 >> 8 & 255,
                    m[0].byte,
                    past.c4 >> 16 & 255,
                };
                int32_t *w[FAST_SETS];
                row sum[FAST_GROUPS_MAX];
                FAST_UNROLL
                for (int s = 0; s < FAST_SETS; s++) {
                    w[s] = weights[s] + (size_t)pick[s] * (unsigned)lanes_all;
                    FAST_UNROLL
                    for (int g = 0; g < plan.groups; g++) {
                        row r = row_load(w[s] + g * FAST_LANES);
                        sum[g] = s ? row_add(sum[g], r) : r;
                    }
                }
                sums acc = sums_zero();
                FAST_UNROLL
                for (int g = 0; g < plan.groups; g++)
                    acc = dot(acc, in[g], sum[g]);
                const int mixed = nz_stretch_clamp(sums_fold(acc) >> 13);

                const int p = nz_squash(num, mixed);
                uint32_t part = (uint32_t)(mixed + NZ_STRETCH_MAX + 1) * FAST_SSE_SCALE;
                const uint32_t step = part >> 12, near = step + (part >> 11 & 1);
                part &= 4095;
                uint16_t *sse[3];
                uint32_t refined = 0;
                FAST_UNROLL
                for (int i = 0; i < plan.refine; i++) {
                    sse[i] = sse_rows[i] + (size_t)((sse_base[i] + c0) & 65535) * FAST_SSE_STEPS;
                    refined += sse_get(sse[i] + step, start + step, part);
                    /* One of these two rows comes next. */
                    uint16_t *child =
                        sse_rows[i] + (size_t)((sse_base[i] + 2 * c0) & 65535) * FAST_SSE_STEPS;
                    __builtin_prefetch(child, 1);
                    __builtin_prefetch(child + FAST_SSE_STEPS, 1);
                }
                /* p is in 1..65535, so this is too. */
                uint32_t coded =
                    ((uint32_t)p + refined + (unsigned)plan.refine) / (unsigned)(plan.refine + 1);
                const int y = code_bit(&coder, decode, coded, byte >> (7 - bit) & 1);

                if (ledger)
                    nz_fast_enter_bit(ledger, f, pos, cell, w, m[0].byte != 0, coded, y);

                /* What was all but certain teaches little, but costs as much; histories keep it. */
                enum { SURE = 128 };
                const int32_t off = (y << 16) - p, err = off * rate >> 10;
                if (off > SURE || off < -SURE) {
                    find_cells(cell, cells, slot, node, histories);
                    FAST_UNROLL
                    for (int g = 0; g < plan.groups; g++) {
                        row step = row_step(in[g], err);
                        FAST_UNROLL
                        for (int s = 0; s < FAST_SETS; s++)
                            row_store(w[s] + g * FAST_LANES,
                                      row_add(row_load(w[s] + g * FAST_LANES), step));
                        lanes_learn(cell + g * FAST_LANES, in[g], row_slope(sum[g], err));
                    }
                }
                FAST_UNROLL
                for (int g = 0; g < plan.groups; g++)
                    lanes_follow(slot + g * FAST_LANES, node, histories - g * FAST_LANES, in[g], y);
                FAST_UNROLL
                for (int i = 0; i < plan.matches; i++)
                    if (m[i].byte && (int)(m[i].byte >> (7 - bit) & 1) != y)
                        m[i].byte = m[i].len = m[i].bucket = 0;
                FAST_UNROLL
                for (int i = 0; i < plan.refine; i++)
                    sse_learn(sse[i] + near, start[near], y);
                node = node * 2 + (uint32_t)y;
                c0 = c0 * 2 + (uint32_t)y;
            }
            late = c0 & late_mask;
        }
        if (rate > RATE_LAST)
            rate -= !(pos % 128);
        if (decode)
            raw[pos] = (uint8_t)c0;
        fast_past_next(&past, c0 & 255);
        matches_next(m, plan, f, &past);
        known = 1;
    }
    if (run->done)
        atomic_fetch_add_explicit(run->done, (n - 1) % FAST_STEP + 1, memory_order_relaxed);
    *whole = coder;
    f->past = past;
    return NZ_OK;
}

#define FAST_INSTANCE(name, plan, decode)                                                        \
    FAST_TARGET static nz_err name(nz_fast *f, const nz_run *run, nz_arith *coder, uint8_t *raw, \
                                   size_t n)                                                     \
    {                                                                                            \
        return code_frame(plan, decode, NULL, f, run, coder, raw, n);                            \
    }
FAST_INSTANCE(pack1, FAST_PLAN1, 0)
FAST_INSTANCE(unpack1, FAST_PLAN1, 1)
FAST_INSTANCE(pack2, FAST_PLAN2, 0)
FAST_INSTANCE(unpack2, FAST_PLAN2, 1)
FAST_INSTANCE(pack3, FAST_PLAN3, 0)
FAST_INSTANCE(unpack3, FAST_PLAN3, 1)
FAST_INSTANCE(pack4, FAST_PLAN4, 0)
FAST_INSTANCE(unpack4, FAST_PLAN4, 1)

fast_frames FAST_FRAMES = {{pack1, unpack1}, {pack2, unpack2}, {pack3, unpack3}, {pack4, unpack4}};
