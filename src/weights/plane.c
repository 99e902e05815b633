#include "weights/plane.h"

#include <stdlib.h>
#include <string.h>

void nz_plane_free(nz_plane *p)
{
    free(p->encoder);
    free(p->decoder);
    p->encoder = NULL;
    p->decoder = NULL;
}

void nz_plane_count(uint32_t (*counts)[256], const uint8_t *bytes, const uint8_t *set, size_t n)
{
    /* Two counters of a byte keep equal neighbours from waiting for each other. */
    uint32_t odd[NZ_PLANE_SETS][256];
    unsigned sets = 1;
    size_t i = 0;
    if (set) {
        for (size_t k = 0; k < n; k++)
            sets = set[k] >= sets ? set[k] + 1u : sets;
        memset(odd, 0, sets * sizeof *odd);
        for (; i + 2 <= n; i += 2) {
            counts[set[i]][bytes[i]]++;
            odd[set[i + 1]][bytes[i + 1]]++;
        }
    } else {
        memset(odd, 0, sizeof *odd);
        for (; i + 2 <= n; i += 2) {
            counts[0][bytes[i]]++;
            odd[0][bytes[i + 1]]++;
        }
    }
    for (; i < n; i++)
        counts[set ? set[i] : 0][bytes[i]]++;
    for (unsigned s = 0; s < sets; s++)
        for (int b = 0; b < 256; b++)
            counts[s][b] += odd[s][b];
}

bool nz_plane_is_noise(const uint8_t *bytes, size_t n)
{
    enum { PIECES = 16, PIECE = 2048 };
    const nz_tables none = {0};
    uint32_t counts[1][256] = {{0}};
    if (n < 4 * PIECES * PIECE)
        return false;
    for (size_t k = 0; k < PIECES; k++)
        nz_plane_count(counts, bytes + (n - PIECE) / (PIECES - 1) * k, NULL, PIECE);
    /* 256 symbols counted in so few seem to gain half a nat each: what they gain more counts. */
    uint64_t seen = PIECES * PIECE, cost = nz_tables_cost(&none, counts[0], seen, n);
    return cost + n / 64 > 8 * n;
}

nz_err nz_plane_choose(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256], unsigned sets,
                       uint64_t *cost)
{
    uint64_t n = 0;
    unsigned used = 0;
    *p = (nz_plane){.kind = NZ_PLANE_RANS, .sets = sets};
    for (int b = 0; b < 256; b++) {
        uint64_t all = 0;
        for (unsigned s = 0; s < sets; s++)
            all += counts[s][b];
        n += all;
        used += all > 0;
        if (all)
            p->fill = (uint8_t)b;
    }
    *cost = 16;
    if (used <= 1) {
        p->kind = NZ_PLANE_FILL;
        return NZ_OK;
    }
    /* Before any table is added: is there anything to gain? */
    uint64_t coded = 8 * (4 * NZ_RANS_LANES);
    for (unsigned s = 0; s < sets; s++)
        coded += nz_tables_cost(tables, counts[s], 1, 1);
    if (coded >= 8 * n - n / 64) {
        p->kind = NZ_PLANE_RAW;
        *cost = 8 * n;
        return NZ_OK;
    }
    for (unsigned s = 0; s < sets; s++) {
        uint64_t total = 0, one;
        for (int b = 0; b < 256; b++)
            total += counts[s][b];
        unsigned index = NZ_TABLES_MAX;
        if (total) {
            nz_err err = nz_tables_choose(tables, counts[s], &index, &one);
            if (err)
                return err;
            if (one == UINT64_MAX) { /* no room for another table */
                p->kind = NZ_PLANE_RAW;
                *cost = 8 * n;
                return NZ_OK;
            }
            *cost += one;
        }
        p->table[s] = (uint16_t)index;
    }
    p->encoder = calloc(sets, sizeof *p->encoder);
    if (!p->encoder)
        return NZ_E_MEM;
    for (unsigned s = 0; s < sets; s++)
        if (p->table[s] < tables->n)
            nz_rans_encoder_init(&p->encoder[s], tables->table[p->table[s]].freq);
    return NZ_OK;
}

void nz_plane_store(const nz_plane *p, nz_buf *out)
{
    nz_buf_byte(out, (unsigned)p->kind | (p->sets - 1) << 4);
    if (p->kind == NZ_PLANE_FILL)
        nz_buf_byte(out, p->fill);
    for (unsigned s = 0; p->kind == NZ_PLANE_RANS && s < p->sets; s++)
        nz_buf_varint(out, p->table[s] == NZ_TABLES_MAX ? 0 : p->table[s] + 1u);
}

nz_err nz_plane_load(nz_plane *p, const nz_tables *tables, nz_span *in)
{
    unsigned head = nz_span_byte(in);
    *p = (nz_plane){.kind = head & 15, .sets = (head >> 4) + 1};
    if (p->kind == NZ_PLANE_FILL)
        p->fill = (uint8_t)nz_span_byte(in);
    if (in->bad || p->kind > NZ_PLANE_RANS)
        return NZ_E_CORRUPT;
    if (p->kind != NZ_PLANE_RANS)
        return NZ_OK;
    p->decoder = calloc(p->sets, sizeof *p->decoder);
    if (!p->decoder)
        return NZ_E_MEM;
    for (unsigned s = 0; s < p->sets; s++) {
        uint64_t table = nz_span_varint(in);
        if (in->bad || table > tables->n) {
            nz_plane_free(p);
            return NZ_E_CORRUPT;
        }
        p->table[s] = (uint16_t)(table ? table - 1 : NZ_TABLES_MAX);
        if (!table)
            continue; /* slots of zeros: safe, and never right */
        nz_rans_decoder_init(&p->decoder[s], tables->table[p->table[s]].freq);
    }
    return NZ_OK;
}

void nz_plane_encode(const nz_plane *p, const nz_kern *kern, const uint8_t *bytes,
                     const uint8_t *set, size_t n, nz_buf *out)
{
    if (p->kind == NZ_PLANE_RAW)
        nz_buf_put(out, bytes, n);
    if (p->kind != NZ_PLANE_RANS)
        return;
    /* The code comes out from its end on: made at the end of the room, then moved down. */
    size_t bound = nz_rans_bound(n);
    uint8_t *room = nz_buf_room(out, bound + 16);
    if (!room)
        return;
    uint8_t *end = room + bound + 16;
    size_t size = nz_rans_encode(kern, p->encoder, p->sets > 1 ? set : NULL, bytes, n, end);
    uint8_t head[16];
    nz_buf number = {.p = head, .cap = sizeof head};
    nz_buf_varint(&number, size);
    memmove(room + number.n, end - size, size);
    memcpy(room, head, number.n);
    out->n += number.n + size;
}

nz_err nz_plane_open(nz_plane_reader *r, const nz_plane *p, size_t n, nz_span *in)
{
    *r = (nz_plane_reader){.plane = p};
    if (p->kind == NZ_PLANE_FILL)
        return NZ_OK;
    r->code = nz_span_cut(in, p->kind == NZ_PLANE_RAW ? n : nz_span_varint(in));
    if (r->code.bad)
        return NZ_E_CORRUPT;
    if (p->kind == NZ_PLANE_RANS)
        nz_rans_open(&r->rans, r->code.at, nz_span_left(&r->code), n);
    return NZ_OK;
}

const uint8_t *nz_plane_read(nz_plane_reader *r, const nz_kern *kern, const uint8_t *set,
                             uint8_t *to, size_t n)
{
    const nz_plane *p = r->plane;
    if (p->kind == NZ_PLANE_RAW) {
        nz_span part = nz_span_cut(&r->code, n);
        return part.at;
    }
    if (p->kind == NZ_PLANE_FILL)
        memset(to, p->fill, n);
    else
        nz_rans_decode(kern, &r->rans, p->decoder, p->sets > 1 ? set : NULL, to, n);
    return to;
}

nz_err nz_plane_close(const nz_plane_reader *r)
{
    return r->plane->kind == NZ_PLANE_RANS ? nz_rans_close(&r->rans) : NZ_OK;
}

/* ---- A plane of one chunk ---- */

void nz_plane_whole_store(const uint8_t *bytes, size_t n, const nz_kern *kern, nz_tables *tables,
                          nz_buf *out, nz_err *err)
{
    uint32_t counts[1][256] = {{0}};
    nz_plane p = {0};
    uint64_t cost;
    nz_plane_count(counts, bytes, NULL, n);
    if (!*err)
        *err = nz_plane_choose(&p, tables, counts, 1, &cost);
    if (!*err) {
        nz_plane_store(&p, out);
        nz_plane_encode(&p, kern, bytes, NULL, n, out);
    }
    nz_plane_free(&p);
}

nz_err nz_plane_whole_load(uint8_t *bytes, size_t n, const nz_kern *kern, const nz_tables *tables,
                           nz_span *in)
{
    nz_plane p;
    nz_plane_reader r;
    nz_err err = nz_plane_load(&p, tables, in);
    if (err)
        return err;
    err = p.sets > 1 ? NZ_E_CORRUPT : nz_plane_open(&r, &p, n, in);
    if (!err) {
        const uint8_t *from = nz_plane_read(&r, kern, NULL, bytes, n);
        if (from != bytes)
            memcpy(bytes, from, n);
        err = nz_plane_close(&r);
    }
    nz_plane_free(&p);
    return err;
}
