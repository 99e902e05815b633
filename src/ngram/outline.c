#include "outline.h"

static bool is_delimiter(uint8_t byte)
{
    return byte && strchr("\n\t:=,;|<>([{", byte);
}

static void sign(nz_outline *o, uint8_t what)
{
    o->signs = o->signs << 8 | what;
    o->line_signs = nz_hash32(o->line_signs, what);
}

static void name(nz_outline *o, uint8_t byte)
{
    if (!o->name_len)
        sign(o, NZ_OUTLINE_NAME);
    o->name = nz_hash32(o->name, byte);
    o->name_len++;
}

static void name_end(nz_outline *o)
{
    if (!o->first)
        o->first = o->name;
    o->last_name = o->name;
    o->name = o->name_len = 0;
}

static void line_end(nz_outline *o)
{
    o->above_first = o->first;
    o->first = o->line = o->line_signs = o->indent = 0;
    o->blank = true;
}

void nz_outline_next(nz_outline *o, uint8_t byte, bool letter)
{
    bool digit = byte >= '0' && byte <= '9', small = byte >= 'a' && byte <= 'z';
    bool capital = byte >= 'A' && byte <= 'Z';
    uint8_t kind = digit ? '0' : small ? 'a' : capital ? 'A' : byte >= 128 ? byte & 0xf0 : byte;
    if (!(digit || small || capital) || kind != (o->shape & 0xff))
        o->shape = o->shape << 8 | kind;
    o->line = nz_hash32(o->line, byte);
    o->field = is_delimiter(byte) ? 0 : nz_hash32(o->field, byte);
    if (letter || digit || byte == '_') {
        name(o, byte);
    } else {
        if (o->name_len)
            name_end(o);
        if (byte > ' ')
            sign(o, byte);
    }
    if (byte == '\n')
        line_end(o);
    else if (o->blank && (byte == ' ' || byte == '\t'))
        o->indent += byte == ' ' ? 1 : 8;
    else
        o->blank = false;
}
