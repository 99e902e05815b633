#include "cells.h"

enum { REGULAR_MAX = 16 };

static bool is_one_of(const char *list, uint8_t byte)
{
    return byte && strchr(list, byte);
}

static nz_cell *last(nz_cells *c)
{
    return &c->last[c->id >> (32 - NZ_CELL_BITS)];
}

static void next_byte(nz_cells *c, const uint8_t *raw, uint32_t pos, uint8_t byte)
{
    uint32_t n = pos - 1 - c->from;
    c->same += c->above.at && c->same == n && raw[c->above.at + n] == byte;
    c->bytes = nz_hash32(c->bytes, byte);
}

/* Ends of lines and equals signs say nothing, markup speaks against a table. */
static void judge(nz_cells *c, uint8_t byte, bool key, uint32_t above)
{
    if (byte == '<')
        c->regular /= 2;
    else if (c->above.at && (key || c->above.at >= above))
        c->regular += c->regular < REGULAR_MAX;
    else if (!c->above.at && is_one_of("\t,;|", byte))
        c->regular /= 2;
}

void nz_cells_next(nz_cells *c, const uint8_t *raw, uint32_t pos, uint32_t above,
                   const nz_outline *o)
{
    uint8_t byte = raw[pos - 1];
    if (!is_one_of("\n\t:=,;|<>([{", byte)) {
        next_byte(c, raw, pos, byte);
        return;
    }
    bool named = is_one_of(":=>", byte);
    *last(c) = (nz_cell){c->id, c->from, c->bytes};
    c->id = nz_hash32(named ? o->last_name : o->line_signs, byte);
    c->above = last(c)->id == c->id ? *last(c) : (nz_cell){0};
    c->from = pos;
    c->bytes = c->same = 0;
    if (!is_one_of("\n=>", byte))
        judge(c, byte, byte == ':' && pos > 1 && raw[pos - 2] == '"', above);
}
