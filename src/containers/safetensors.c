/* safetensors: the header's length in 8 bytes, a header in JSON, then the data it tells of.
 *
 *   {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}
 *
 * The header's syntax is checked whole before anything in it is believed. */
#include "parse.h"

#include <stdlib.h>

#define DEPTH_MAX 64 /* of values we have no use for; a header has three levels */
#define SHAPE_MAX 64

typedef struct cursor {
    const uint8_t *p, *end;
} cursor;

typedef struct header {
    size_t bytes;
    char name[NZ_NAME_MAX + 1];
} header;

static int peek(const cursor *c)
{
    return c->p < c->end ? *c->p : -1;
}

static void space(cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
        c->p++;
}

/* One character, white space on both sides. */
static bool take(cursor *c, int byte)
{
    space(c);
    if (peek(c) != byte)
        return false;
    c->p++;
    space(c);
    return true;
}

static int hex4(cursor *c)
{
    int v = 0;
    if (c->end - c->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = *c->p++;
        if (d >= '0' && d <= '9')
            d -= '0';
        else if ((d | 32) >= 'a' && (d | 32) <= 'f')
            d = (d | 32) - 'a' + 10;
        else
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* The code point after \u, -1 for none: surrogates come in pairs. */
static int32_t escaped(cursor *c)
{
    int a = hex4(c);
    if (a < 0xd800 || a > 0xdfff)
        return a;
    if (a > 0xdbff || c->end - c->p < 6 || c->p[0] != '\\' || c->p[1] != 'u')
        return -1;
    c->p += 2;
    int b = hex4(c);
    return b < 0xdc00 || b > 0xdfff ? -1 : 0x10000 + ((a - 0xd800) << 10) + (b - 0xdc00);
}

static size_t utf8(uint8_t out[4], int32_t v)
{
    int more = v < 0x80 ? 0 : v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
    static const uint8_t FIRST[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(FIRST[more] | v >> 6 * more);
    for (int i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (v >> 6 * (more - i) & 63));
    return 1 + (size_t)more;
}

/* A string; out, of room bytes, takes its beginning and n its full length. False: malformed. */
static bool string(cursor *c, char *out, size_t room, size_t *n)
{
    static const char ESCAPES[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    *n = 0;
    if (peek(c) != '"')
        return false;
    c->p++;
    for (;;) {
        uint8_t unit[4];
        size_t k = 1;
        int byte = peek(c);
        if (byte < 32)
            return false;
        c->p++;
        unit[0] = (uint8_t)byte;
        if (byte == '"')
            return true;
        if (byte == '\\') {
            const char *e = ESCAPES;
            byte = peek(c);
            if (byte < 0)
                return false;
            c->p++;
            while (*e && *e != byte)
                e += 2;
            unit[0] = (uint8_t)(*e ? e[1] : 0);
            if (byte == 'u') {
                int32_t v = escaped(c);
                if (v < 0)
                    return false;
                k = utf8(unit, v);
            } else if (!*e) {
                return false;
            }
        }
        for (size_t i = 0; i < k; i++, ++*n)
            if (*n < room)
                out[*n] = (char)unit[i];
    }
}

static bool digits(cursor *c)
{
    const uint8_t *p = c->p;
    while (peek(c) >= '0' && peek(c) <= '9')
        c->p++;
    return c->p > p;
}

/* A number, true, false or null. */
static bool scalar(cursor *c)
{
    static const char *const WORDS[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(WORDS[i]);
        if ((size_t)(c->end - c->p) >= n && !memcmp(c->p, WORDS[i], n)) {
            c->p += n;
            return true;
        }
    }
    if (peek(c) == '-')
        c->p++;
    bool zero = peek(c) == '0';
    const uint8_t *first = c->p;
    if (!digits(c) || (zero && c->p > first + 1))
        return false;
    if (peek(c) == '.') {
        c->p++;
        if (!digits(c))
            return false;
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->p++;
        if (peek(c) == '+' || peek(c) == '-')
            c->p++;
        if (!digits(c))
            return false;
    }
    return true;
}

/* Any value; one bit a level tells objects from arrays. */
static bool value(cursor *c)
{
    uint64_t objects = 0;
    unsigned depth = 0;
    size_t n;
    space(c);
    for (;;) {
        int open = peek(c);
        bool empty = false;
        if (open == '{' || open == '[') {
            if (depth++ == DEPTH_MAX)
                return false;
            objects = objects << 1 | (open == '{');
            take(c, open);
            empty = take(c, open + 2); /* ']' is '[' + 2, and so are the braces */
            depth -= empty;
            objects >>= empty;
        } else if (open == '"' ? !string(c, NULL, 0, &n) : !scalar(c)) {
            return false;
        }
        if (empty || (open != '{' && open != '[')) {
            while (depth > 0 && take(c, objects & 1 ? '}' : ']')) {
                depth--;
                objects >>= 1;
            }
            if (depth == 0) {
                space(c);
                return true;
            }
            if (!take(c, ','))
                return false;
        }
        if ((objects & 1) && (!string(c, NULL, 0, &n) || !take(c, ':')))
            return false;
    }
}

/* An unsigned integer that fits. */
static bool number(cursor *c, uint64_t *v)
{
    const uint8_t *p = c->p;
    *v = 0;
    for (; peek(c) >= '0' && peek(c) <= '9'; c->p++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *c->p - '0', v))
            return false;
    return c->p > p;
}

/* [1, 2, 3]: at most `most` numbers. */
static bool numbers(cursor *c, uint64_t *v, size_t most, size_t *n)
{
    *n = 0;
    if (!take(c, '['))
        return false;
    if (take(c, ']'))
        return true;
    do {
        if (*n == most || !number(c, &v[(*n)++]))
            return false;
    } while (take(c, ','));
    return take(c, ']');
}

/* {"dtype": .., "shape": .., "data_offsets": ..}. False: not a tensor. */
static bool entry(cursor *c, nz_tensor *t)
{
    uint64_t shape[SHAPE_MAX], range[2];
    size_t dims = 0, ends = 0, n;
    char key[16], dtype[16];
    size_t dtype_n = 0;
    unsigned seen = 0;
    if (!take(c, '{') || take(c, '}'))
        return false;
    do {
        if (!string(c, key, sizeof key, &n) || !take(c, ':'))
            return false;
        bool good = true;
        if (n == 5 && !memcmp(key, "dtype", n)) {
            good = string(c, dtype, sizeof dtype, &dtype_n) && dtype_n <= sizeof dtype;
            seen |= 1;
        } else if (n == 5 && !memcmp(key, "shape", n)) {
            good = numbers(c, shape, SHAPE_MAX, &dims);
            seen |= 2;
        } else if (n == 12 && !memcmp(key, "data_offsets", n)) {
            good = numbers(c, range, 2, &ends) && ends == 2;
            seen |= 4;
        } else {
            good = value(c);
        }
        if (!good)
            return false;
    } while (take(c, ','));
    if (seen != 7 || range[0] > range[1])
        return false;
    t->at = range[0];
    uint64_t bytes = range[1] - range[0];
    nz_dtype known = nz_dtype_find(dtype, dtype_n);
    if (known == NZ_DT_BYTES || !nz_tensor_shape(t, known, shape, dims) || t->bytes != bytes)
        nz_tensor_bytes(t, bytes);
    return true;
}

static nz_err json(nz_scan *s, const uint8_t *p, size_t n)
{
    header *h = nz_scan_state(s);
    cursor c = {p, p + n};
    if (!value(&c) || c.p < c.end)
        return NZ_OK;
    nz_scan_known(s, "safetensors");
    uint64_t data = nz_scan_at(s) + n;
    c.p = p;
    if (!take(&c, '{') || take(&c, '}'))
        return NZ_OK;
    do {
        size_t name;
        if (!string(&c, h->name, sizeof h->name, &name) || !take(&c, ':'))
            return NZ_OK;
        cursor past = c;
        value(&past);
        nz_tensor t = {0};
        bool metadata = name == 12 && !memcmp(h->name, "__metadata__", name);
        if (!metadata && name <= NZ_NAME_MAX && entry(&c, &t) &&
            !__builtin_add_overflow(t.at, data, &t.at)) {
            nz_err err = nz_scan_add(s, &t, h->name, name);
            if (err)
                return err;
        }
        c.p = past.p;
    } while (take(&c, ','));
    return NZ_OK;
}

nz_err nz_safetensors_head(nz_scan *s, const uint8_t *p, size_t n)
{
    (void)n;
    /* An object begins with a name or ends at once; text that happens to look like a length
     * and a brace is told apart here, and not after that many bytes. */
    if (p[9] != '"' && p[9] != '}' && p[9] != ' ' && p[9] != '\n' && p[9] != '\t' && p[9] != '\r')
        return NZ_OK;
    header *h = nz_scan_keep(s, sizeof *h, NULL);
    if (!h)
        return NZ_E_MEM;
    nz_scan_next(s, 8, (size_t)nz_load64(p), json);
    return NZ_OK;
}
