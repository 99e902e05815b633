#include "scene.h"

/* 1 + the place of c in a short list, 0 for none. */
static uint32_t place(const char *list, uint32_t c)
{
    for (uint32_t i = 0; list[i]; i++)
        if ((uint8_t)list[i] == c)
            return i + 1;
    return 0;
}

static uint32_t letter_class(uint32_t c)
{
    return c >= 'a' && c <= 'z'               ? 0
           : c >= 'A' && c <= 'Z'             ? 1
           : c >= '0' && c <= '9'             ? 2
           : c == ' '                         ? 3
           : c == 10                          ? 4
           : c >= 128                         ? 5
           : c == '[' || c == '{' || c == '<' ? 6
                                              : 7;
}

static void textures(uint32_t *h, const nz_past *p)
{
    const nz_texture *t = &p->texture;
    uint32_t len = p->word_len, log = len > 6 ? 3 : len > 2 ? 2 : len > 0;
    uint32_t capitals = (p->capital > 0) | ((p->capitals & 3) > 0) << 1;
    uint32_t flags = capitals << 1 | t->pause;
    h[0] = t->kinds & 0xff;
    h[1] = log << 3 | flags;
    h[2] = (t->kinds & 0x3ff) << 2 | capitals;
    h[3] = (t->blanks & 0x1ff) << 3 | flags;
    h[4] = (len < 4 ? p->initial : 0) << 3 | (len < 6 ? len : 6);
    h[5] = p->last_initial << 16 | (p->last_tail & 0xff) << 8 | (len < 4 ? len : 4) << 1 | t->pause;
    h[6] = nz_cells_table(&p->cells) ? p->cells.id : p->class_runs & 0xff;
}

nz_scene nz_scene_text(const nz_past *p)
{
    uint32_t c1 = p->c4 & 0xff, top = nz_past_top(p, 0), nest = place("[{(<L\"", top);
    uint32_t t = nz_byte_class[c1] * 16u + nz_byte_class[p->c4 >> 8 & 0xff];
    nz_scene s = {.local = (p->word_len > 7 ? 7 : p->word_len) * 8 + letter_class(c1),
                  .frame = (top && !nest ? 7 : nest) * 8 + place("*=|#: <", p->line_first),
                  .left = p->bracket,
                  .type = t,
                  .third = nz_byte_class[p->c4 >> 16 & 0xff]};
    textures(s.texture, p);
    return s;
}

nz_scene nz_scene_binary(const nz_past *p)
{
    uint32_t c1 = p->c4 & 0xff;
    return (nz_scene){.local = (p->pos & 7) * 8 + (c1 >> 5),
                      .frame = p->pos % p->period & 63,
                      .left = p->same & 0xff,
                      .type = (c1 & 0xf0) | (p->c4 >> 12 & 15),
                      .third = p->c4 >> 20 & 15,
                      .texture = {[5] = (p->zeros & 0xff) | (p->pos & 3) << 8}};
}

/* Where in a record, and where in an instruction; what stood in it and before it. */
nz_scene nz_scene_code(const nz_past *p)
{
    const nz_x86 *x = &p->x86;
    uint32_t place = nz_x86_place(x), opcode = nz_x86_opcode(x);
    nz_scene s = nz_scene_binary(p);
    s.local = s.frame;
    s.frame = place;
    s.left = x->opcode | (x->map > 0) << 8;
    s.texture[0] = place | opcode << 8;
    s.texture[1] = place | x->trust << 8;
    s.texture[2] = place | x->op[0] << 8;
    s.texture[3] = place | opcode << 8 | (uint32_t)x->modrm << 20;
    s.texture[4] = nz_hash32(x->op[0], x->op[1]) + place;
    s.texture[5] = x->length | x->trust << 8;
    s.texture[6] = x->bytes;
    return s;
}

nz_scene nz_scene_arm64(const nz_past *p)
{
    const nz_arm64 *a = &p->arm64;
    uint32_t first = a->place ? a->now >> (8 * a->place - 8) & 0xff : a->word[0] >> 24;
    nz_scene s = nz_scene_binary(p);
    s.local = s.frame;
    s.frame = a->place | a->trust >> 1 << 2;
    s.left = first | (a->place > 0) << 8;
    s.texture[0] = a->place | first << 8;
    s.texture[1] = a->place | a->trust << 8;
    s.texture[2] = a->place | a->op[0] << 8;
    s.texture[3] = a->now;
    s.texture[4] = nz_hash32(a->op[0], a->op[1]) + a->place;
    s.texture[5] = a->place | (p->zeros & 15) << 8;
    s.texture[6] = nz_hash32(a->word[0], a->place);
    return s;
}
