#include "weights/plane.h"
#include "base/log.h"
#include "base/varint.h"
#include "weights/lz.h"

#include <stdlib.h>
#include <string.h>

struct nz_plane_repeats {
    nz_plane part[NZ_LZ_STREAMS];
    /* Packing: what the parser made of all chunks, and how much of that is not yet coded. */
    nz_buf stream[NZ_LZ_STREAMS];
    size_t (*sizes)[NZ_LZ_STREAMS]; /* of the chunks, in order */
    size_t at[NZ_LZ_STREAMS], next; /* streams up to here and chunks before this one are coded */
    /* Unpacking, the open chunk: */
    nz_plane_reader reader[NZ_LZ_STREAMS];
    size_t size[NZ_LZ_STREAMS];
    uint8_t *streams, *bytes;
};

static void repeats_free(nz_plane_repeats *r)
{
    if (!r)
        return;
    for (unsigned k = 0; k < NZ_LZ_STREAMS; k++) {
        nz_plane_free(&r->part[k]);
        nz_buf_free(&r->stream[k]);
    }
    free(r->sizes);
    free(r->streams);
    free(r->bytes);
    free(r);
}

void nz_plane_free(nz_plane *p)
{
    repeats_free(p->repeats);
    free(p->encoder);
    free(p->decoder);
    p->encoder = NULL;
    p->decoder = NULL;
    p->repeats = NULL;
}

/* Two counters of a byte keep equal neighbours from waiting for each other. */
static inline void count(uint32_t *even, uint32_t *odd, const uint8_t *bytes, const uint8_t *set,
                         size_t n)
{
    enum { GROUP = 64 };
    size_t whole = n / GROUP * GROUP;
    for (size_t i = 0; i < whole; i += GROUP) {
        uint16_t at[GROUP];
        for (size_t k = 0; k < GROUP; k++)
            at[k] = (uint16_t)((set ? set[i + k] << 8 : 0) | bytes[i + k]);
        for (size_t k = 0; k < GROUP; k += 2) {
            even[at[k]]++;
            odd[at[k + 1]]++;
        }
    }
    for (size_t i = whole; i < n; i++)
        even[(set ? set[i] << 8 : 0) | bytes[i]]++;
}

void nz_plane_count(uint32_t (*counts)[256], const uint8_t *bytes, const uint8_t *set, size_t n)
{
    uint32_t odd[NZ_PLANE_SETS * 256];
    uint8_t last = 0;
    for (size_t i = 0; set && i < n; i++)
        last = set[i] > last ? set[i] : last;
    size_t size = (last + (size_t)1) * 256;
    memset(odd, 0, size * sizeof *odd);
    if (set)
        count(counts[0], odd, bytes, set, n);
    else
        count(counts[0], odd, bytes, NULL, n);
    for (size_t i = 0; i < size; i++)
        counts[i / 256][i % 256] += odd[i];
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

/* What bytes with these counts cost without repeats, before any table is added; 8 a byte if there
 * is nothing to gain. */
static uint64_t plain_cost(const nz_tables *tables, uint32_t (*counts)[256], unsigned sets)
{
    uint64_t n = 0, coded = 0;
    for (unsigned s = 0; s < sets; s++) {
        for (int b = 0; b < 256; b++)
            n += counts[s][b];
        coded += nz_tables_cost(tables, counts[s], 1, 1);
    }
    coded += n < NZ_RANS_WIDE ? 32 : 32 * NZ_RANS_LANES; /* states */
    return coded >= 8 * n - n / 64 ? 8 * n : coded;
}

/* `plain`: what plain_cost() says. */
static nz_err choose_plain(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256], unsigned sets,
                           uint64_t plain)
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
    if (used <= 1) {
        p->kind = NZ_PLANE_FILL;
        return NZ_OK;
    }
    if (plain == 8 * n) {
        p->kind = NZ_PLANE_RAW;
        return NZ_OK;
    }
    for (unsigned s = 0; s < sets; s++) {
        uint64_t total = 0, cost;
        for (int b = 0; b < 256; b++)
            total += counts[s][b];
        unsigned index = NZ_TABLES_MAX;
        if (total) {
            nz_err err = nz_tables_choose(tables, counts[s], &index, &cost);
            if (err)
                return err;
            if (cost == UINT64_MAX) { /* no room for another table */
                p->kind = NZ_PLANE_RAW;
                return NZ_OK;
            }
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

nz_err nz_plane_choose(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256], unsigned sets)
{
    return choose_plain(p, tables, counts, sets, plain_cost(tables, counts, sets));
}

/* Parses all chunks and counts the symbols of their streams. */
static nz_err repeats_parse(nz_plane_repeats *r, uint32_t (*counts)[1][256], const uint8_t *bytes,
                            size_t n, size_t chunk, unsigned price)
{
    nz_err err = NZ_OK;
    r->sizes = malloc((n + chunk - 1) / chunk * sizeof *r->sizes);
    if (!r->sizes)
        return NZ_E_MEM;
    for (size_t i = 0, at = 0; at < n && !err; at += chunk, i++) {
        size_t before[NZ_LZ_STREAMS];
        for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
            before[k] = r->stream[k].n;
        err = nz_lz_parse(r->stream, bytes + at, n - at < chunk ? n - at : chunk, price);
        for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
            r->sizes[i][k] = r->stream[k].n - before[k];
    }
    for (unsigned k = 0; k < NZ_LZ_STREAMS && !err; k++)
        nz_plane_count(counts[k], r->stream[k].p, NULL, r->stream[k].n);
    return err;
}

/* Makes p a plane of repeats if that costs less than `plain` bits, else leaves it as it is. */
static nz_err repeats_choose(nz_plane *p, nz_tables *tables, const uint8_t *bytes, size_t n,
                             size_t chunk, uint64_t plain)
{
    enum { GAIN = 32, CHUNK_BITS = 64 }; /* repeats unpack slower: a 32nd must be saved */
    uint32_t(*counts)[1][256] = calloc(NZ_LZ_STREAMS, sizeof *counts);
    nz_plane_repeats *r = calloc(1, sizeof *r);
    nz_err err = counts && r ? NZ_OK : NZ_E_MEM;
    uint64_t total = (n + chunk - 1) / chunk * CHUNK_BITS;
    if (err)
        goto done;
    err = repeats_parse(r, counts, bytes, n, chunk, (unsigned)(plain * 16 / n));
    for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
        total += plain_cost(tables, counts[k], 1);
    if (err || total >= plain - plain / GAIN)
        goto done;
    p->kind = NZ_PLANE_LZ;
    p->repeats = r;
    r = NULL;
    for (unsigned k = 0; k < NZ_LZ_STREAMS && !err; k++)
        err = nz_plane_choose(&p->repeats->part[k], tables, counts[k], 1);
done:
    repeats_free(r);
    free(counts);
    return err;
}

/* What each byte costs, in 1/16 bit, in the set where it costs least: rows that are zeros all over
 * repeat, but have cost nothing before. */
static void prices_fill(uint8_t prices[256], uint32_t (*counts)[256], unsigned sets)
{
    memset(prices, UINT8_MAX, 256);
    for (unsigned s = 0; s < sets; s++) {
        uint32_t total = 0;
        for (int b = 0; b < 256; b++)
            total += counts[s][b];
        for (int b = 0; b < 256; b++) {
            unsigned price =
                counts[s][b] ? 16 * (nz_log2_whole(total) - nz_log2_whole(counts[s][b])) : 255;
            prices[b] = (uint8_t)(price < prices[b] ? price : prices[b]);
        }
    }
}

nz_err nz_plane_choose_repeats(nz_plane *p, nz_tables *tables, uint32_t (*counts)[256],
                               unsigned sets, const uint8_t *bytes, size_t n, size_t chunk)
{
    uint64_t plain = plain_cost(tables, counts, sets);
    bool likely = false;
    if (bytes && n) {
        uint8_t prices[256];
        prices_fill(prices, counts, sets);
        likely = nz_lz_likely(bytes, n, chunk, (unsigned)(plain * 16 / n), prices);
    }
    *p = (nz_plane){.sets = sets};
    nz_err err = likely ? repeats_choose(p, tables, bytes, n, chunk, plain) : NZ_OK;
    return err || p->kind == NZ_PLANE_LZ ? err : choose_plain(p, tables, counts, sets, plain);
}

void nz_plane_store(const nz_plane *p, nz_buf *out)
{
    nz_buf_byte(out, (unsigned)p->kind | (p->sets - 1) << 4);
    if (p->kind == NZ_PLANE_FILL)
        nz_buf_byte(out, p->fill);
    for (unsigned s = 0; p->kind == NZ_PLANE_RANS && s < p->sets; s++)
        nz_buf_varint(out, p->table[s] == NZ_TABLES_MAX ? 0 : p->table[s] + 1u);
    if (p->kind == NZ_PLANE_LZ)
        for (unsigned k = 0; k < NZ_LZ_STREAMS; k++)
            nz_plane_store(&p->repeats->part[k], out);
}

static nz_err repeats_load(nz_plane *p, const nz_tables *tables, nz_span *in)
{
    p->repeats = calloc(1, sizeof *p->repeats);
    nz_err err = p->repeats ? NZ_OK : NZ_E_MEM;
    for (unsigned k = 0; k < NZ_LZ_STREAMS && !err; k++) {
        /* One set, and no repeats: one that had some would load without end. */
        if (nz_span_left(in) && *in->at >= NZ_PLANE_LZ)
            err = NZ_E_CORRUPT;
        else
            err = nz_plane_load(&p->repeats->part[k], tables, in);
    }
    if (err)
        nz_plane_free(p);
    return err;
}

nz_err nz_plane_load(nz_plane *p, const nz_tables *tables, nz_span *in)
{
    unsigned head = nz_span_byte(in);
    *p = (nz_plane){.kind = head & 15, .sets = (head >> 4) + 1};
    if (p->kind == NZ_PLANE_FILL)
        p->fill = (uint8_t)nz_span_byte(in);
    if (in->bad || p->kind > NZ_PLANE_LZ)
        return NZ_E_CORRUPT;
    if (p->kind == NZ_PLANE_LZ)
        return repeats_load(p, tables, in);
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

static void repeats_encode(nz_plane_repeats *r, const nz_kern *kern, nz_buf *out)
{
    const size_t *size = r->sizes[r->next++];
    nz_buf_varint(out, size[NZ_LZ_RUNS]);
    nz_buf_varint(out, size[NZ_LZ_LITERALS]);
    nz_buf_varint(out, size[NZ_LZ_EXTRA]);
    for (unsigned k = 0; k < NZ_LZ_STREAMS; k++) {
        nz_plane_encode(&r->part[k], kern, r->stream[k].p + r->at[k], NULL, size[k], out);
        r->at[k] += size[k];
    }
}

void nz_plane_encode(const nz_plane *p, const nz_kern *kern, const uint8_t *bytes,
                     const uint8_t *set, size_t n, nz_buf *out)
{
    if (n == 0)
        return;
    if (p->kind == NZ_PLANE_RAW)
        nz_buf_put(out, bytes, n);
    if (p->kind == NZ_PLANE_LZ)
        repeats_encode(p->repeats, kern, out);
    if (p->kind != NZ_PLANE_RANS)
        return;
    /* The code comes out from its end on: made at the end of the room, then moved down. */
    size_t most = NZ_VARINT_BYTES + nz_rans_bound(n);
    uint8_t *room = nz_buf_room(out, most);
    if (!room)
        return;
    uint8_t *end = room + most;
    size_t size = nz_rans_encode(kern, p->encoder, p->sets > 1 ? set : NULL, bytes, n, end);
    size_t head = nz_varint_store(room, size);
    memmove(room + head, end - size, size);
    out->n += head + size;
}

/* Room for a chunk of n bytes and for its streams, which are found but not yet decoded. */
static nz_err repeats_open(nz_plane_repeats *r, size_t n, nz_span *in)
{
    uint64_t steps = nz_span_varint(in), literals = nz_span_varint(in), extra = nz_span_varint(in);
    if (in->bad || n > NZ_LZ_MOST || literals > n || steps > (n - literals) / NZ_LZ_MATCH ||
        extra > steps * NZ_LZ_EXTRA_MOST)
        return NZ_E_CORRUPT;
    free(r->streams);
    free(r->bytes);
    r->streams = malloc((size_t)(literals + 3 * steps + extra + 1));
    r->bytes = malloc(n);
    if (!r->streams || !r->bytes)
        return NZ_E_MEM;
    nz_err err = NZ_OK;
    for (unsigned k = 0; k < NZ_LZ_STREAMS && !err; k++) {
        r->size[k] = (size_t)(k == NZ_LZ_LITERALS ? literals : k == NZ_LZ_EXTRA ? extra : steps);
        err = nz_plane_open(&r->reader[k], &r->part[k], r->size[k], in);
    }
    return err;
}

static nz_err repeats_unpack(nz_plane_repeats *r, const nz_kern *kern, size_t n)
{
    nz_span from[NZ_LZ_STREAMS];
    nz_err err = NZ_OK;
    uint8_t *at = r->streams;
    for (unsigned k = 0; k < NZ_LZ_STREAMS && !err; k++) {
        const uint8_t *p = nz_plane_read(&r->reader[k], kern, NULL, at, r->size[k]);
        from[k] = nz_span_of(p, r->size[k]);
        err = nz_plane_close(&r->reader[k]);
        at += r->size[k];
    }
    if (!err)
        err = nz_lz_expand(r->bytes, n, from);
    if (err)
        memset(r->bytes, 0, n); /* as if the archive had them: not what memory had before */
    return err;
}

nz_err nz_plane_open(nz_plane_reader *r, const nz_plane *p, size_t n, nz_span *in)
{
    *r = (nz_plane_reader){.plane = p, .n = n, .code = nz_span_cut(in, 0)};
    if (p->kind == NZ_PLANE_FILL || n == 0)
        return NZ_OK;
    if (p->kind == NZ_PLANE_LZ)
        return repeats_open(p->repeats, n, in);
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
    if (p->kind == NZ_PLANE_LZ && r->n) {
        r->unpacked = repeats_unpack(p->repeats, kern, r->n);
        r->code = nz_span_of(p->repeats->bytes, r->n);
        r->n = 0;
    }
    if (p->kind == NZ_PLANE_RAW || p->kind == NZ_PLANE_LZ) {
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
    if (r->plane->kind == NZ_PLANE_LZ)
        return r->unpacked;
    return r->plane->kind == NZ_PLANE_RANS ? nz_rans_close(&r->rans) : NZ_OK;
}

/* ---- A plane of one chunk ---- */

void nz_plane_whole_store(const uint8_t *bytes, size_t n, const nz_kern *kern, nz_tables *tables,
                          nz_buf *out, nz_err *err)
{
    uint32_t counts[1][256] = {{0}};
    nz_plane p = {0};
    nz_plane_count(counts, bytes, NULL, n);
    if (!*err)
        *err = nz_plane_choose(&p, tables, counts, 1);
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
