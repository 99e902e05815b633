#include "instruction.h"

/* The opcode, and which part of the instruction is next. */
static uint32_t form_of(const nz_x86 *x)
{
    return nz_x86_opcode(x) | nz_x86_place(x) << 16;
}

/* What is known of a displacement, and from which register it counts. */
static uint32_t offset_of(const nz_x86 *x)
{
    return h3(nz_x86_base(x), x->value, nz_x86_place(x));
}

/* Levels 5 and 6. */
static void essentials(list *l, const nz_past *p)
{
    const nz_x86 *x = &p->x86;
    const uint32_t *op = x->op, *shape = x->shape, now = x->bytes;
    add(l, now);
    add(l, pair(now, h2(op[0], op[1])));
    add(l, pair(now, h2(op[1], op[2])));
    add(l, pair(now, h3(op[0], op[1], op[2])));
    add(l, pair(now, h2(h3(op[0], op[1], op[2]), op[3])));
    add(l, pair(now, h2(op[0], x->since)));
    add(l, pair(now, shape[0]));
    add(l, pair(now, h2(shape[0], shape[1])));
    add(l, pair(now, x->whole[0]));
    add(l, pair(now, x->operands & 0xffffff));
    add(l, pair(form_of(x), p->c4 & 0xff));
    add(l, pair(offset_of(x), h2(x->offset[nz_x86_base(x)][0], form_of(x))));
}

/* Levels 7 and 8. */
static void supplements(list *l, const nz_past *p)
{
    const nz_x86 *x = &p->x86;
    const uint32_t *op = x->op, *shape = x->shape, *whole = x->whole, now = x->bytes;
    const uint32_t *offset = x->offset[nz_x86_base(x)];
    add(l, pair(now, op[0]));
    add(l, pair(now, h2(h3(op[0], op[1], op[2]), h3(op[3], op[4], op[5]))));
    add(l, pair(now, shape[1]));
    add(l, pair(now, h3(shape[0], shape[1], shape[2])));
    add(l, pair(now, h2(whole[0], whole[1])));
    add(l, pair(now, x->call[0]));
    add(l, pair(now, x->data));
    add(l, pair(now, x->number[nz_x86_number_row(x)]));
    add(l, pair(form_of(x), h2(op[0], op[1])));
    add(l, pair(form_of(x), p->c4 & 0xffff));
    add(l, pair(h2(form_of(x), x->modrm), shape[0]));
    add(l, pair(offset_of(x), h2(offset[0], offset[1])));
}

/* Level 9. */
static void rest(list *l, const nz_past *p)
{
    const nz_x86 *x = &p->x86;
    const uint32_t *op = x->op, *shape = x->shape, *whole = x->whole, now = x->bytes;
    uint32_t place = nz_x86_place(x);
    add(l, pair(now, h2(h3(op[0], op[1], op[2]), h3(shape[3], shape[4], shape[5]))));
    add(l, pair(now, h2(h3(shape[0], shape[1], shape[2]), shape[3])));
    add(l, pair(now, h3(whole[0], whole[1], whole[2])));
    add(l, pair(now, whole[1]));
    add(l, pair(now, whole[2]));
    add(l, pair(now, h2(x->call[0], x->call[1])));
    add(l, pair(now, h2(p->pos & 15, op[0])));
    add(l, pair(p->c4 & 0xffffff, place));
    add(l, pair(h2(x->value, place), x->jump));
    add(l, pair(x->value, form_of(x)));
}

void nz_instruction_slots(list *l, const nz_past *p, int tier)
{
    essentials(l, p);
    if (tier > 0)
        supplements(l, p);
    if (tier > 1)
        rest(l, p);
}

void nz_instruction_rows(uint32_t *hash, const nz_past *p, int tier)
{
    const nz_x86 *x = &p->x86;
    const uint32_t *op = x->op, *shape = x->shape, now = x->bytes;
    uint32_t n = 0;
    hash[n++] = h2(now, op[0]);
    hash[n++] = h3(now, op[0], op[1]);
    hash[n++] = h2(now, shape[0]);
    hash[n++] = h2(now, nz_x86_place(x));
    if (tier == 0)
        return;
    hash[n++] = h3(now, shape[0], shape[1]);
    hash[n++] = h3(now, h2(op[0], op[1]), op[2]);
    hash[n++] = h3(offset_of(x), x->offset[nz_x86_base(x)][0], form_of(x));
    hash[n++] = h2(now, x->operands & 0xffffff);
    hash[n++] = h2(now, x->whole[0]);
    if (tier == 1)
        return;
    hash[n++] = h2(now, x->call[0]);
    hash[n++] = h2(now, h2(op[1], op[2]));
    hash[n++] = h2(form_of(x), p->c4 & 0xff);
    hash[n++] = h2(now, x->data);
    hash[n++] = h3(now, h3(op[0], op[1], op[2]), op[3]);
}
