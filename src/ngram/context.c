#include "context.h"

#include "instruction.h"
#include "list.h"

/* Orders 1 to 4 and 6. */
static void orders(list *l, const nz_past *p)
{
    add(l, p->c4 & 0xff);
    add(l, p->c4 & 0xffff);
    add(l, p->c4 & 0xffffff);
    add(l, p->c4);
    add(l, (uint64_t)p->c4 << 16 | (p->c8 & 0xffff));
}

#define PLAIN_ORDERS 0x1f

static void more_orders(list *l, const nz_past *p)
{
    add(l, (uint64_t)p->c4 << 8 | (p->c8 & 0xff));
    add(l, (uint64_t)p->c4 << 32 | p->c8);
}

/* How much of a word there is, at most so many letters; whether it is one; how it is written. */
static uint32_t word_form(const nz_past *p, uint32_t most)
{
    uint32_t len = p->word_len < most ? p->word_len : most;
    return len << 3 | (nz_phrase_age(&p->phrase, p->pos) > 0) << 2 | p->capital;
}

/* What the cell above held, given how this one begins. */
static uint64_t succession(const nz_past *p)
{
    return pair(h2(p->cells.id, p->cells.above.bytes), p->cells.bytes);
}

/* What is over the next byte in the cell above, and behind that. */
static uint64_t over(const nz_past *p)
{
    const nz_cells *c = &p->cells;
    uint32_t n = p->pos - c->from, at = c->above.at + n;
    uint32_t next = at < p->pos ? p->raw[at] : 0, behind = at + 1 < p->pos ? p->raw[at + 1] : 0;
    return pair(h2(c->id, next | behind << 8), c->same == n ? 256 : p->c4 & 0xff);
}

/* Levels 5 and 6: of every kind of context one or two. */
static void essentials(list *l, const nz_past *p)
{
    const nz_outline *o = &p->outline;
    const uint32_t *w = p->word;
    nz_nest nest = nz_past_nest(p);
    uint32_t c1 = p->c4 & 0xff, kinds = p->classes & 0xfff;
    uint32_t depth = p->depth > 15 ? 15 : p->depth, part = nest.part > 15 ? 15 : nest.part;
    add(l, 0);
    add(l, p->c4 & 0xffff);
    add(l, p->c4);
    add(l, (uint64_t)w[0] << 8 | c1);
    add(l, (uint64_t)h2(w[0], w[1]) << 8 | c1);
    add(l, nz_cells_table(&p->cells) ? over(p) : h2(w[0], w[2]));
    add(l, o->shape & 0xffffffffffff);
    add(l, pair(o->line_signs, o->name_len > 3 ? 3 : o->name_len));
    add(l, pair(nz_past_column(p), kinds));
    add(l, pair(nest.what | word_form(p, 6) << 8, p->classes & 15));
    add(l, pair(h2(nest.what, nest.first), o->field));
    add(l, pair(h2(depth, part), h2(c1, kinds)));
    add(l, succession(p));
}

#define PLAIN_ESSENTIALS 0x1e

/* Levels 7 and 8: a few more of each. */
static void supplements(list *l, const nz_past *p)
{
    const nz_outline *o = &p->outline;
    const uint32_t *w = p->phrase.word, *joined = p->phrase.joined;
    nz_nest nest = nz_past_nest(p);
    uint32_t c1 = p->c4 & 0xff, column = nz_past_column(p), part = nest.part > 15 ? 15 : nest.part;
    uint32_t up = nz_past_above(p, 1, column), up2 = nz_past_above(p, 2, column);
    add(l, c1);
    add(l, (uint64_t)p->c4 << 16 | (p->c8 & 0xffff));
    add(l, pair(h2(joined[0], joined[1]), joined[3]));
    add(l, pair(w[0], nz_phrase_age(&p->phrase, p->pos)));
    add(l, pair(p->phrase.gap, p->phrase.keyword));
    add(l, pair(p->spelling.kinds & 0xffff, word_form(p, 6)));
    add(l, pair(nz_follow_of(&p->follow, NZ_FOLLOW_TOKEN), p->classes & 0xffff));
    add(l, pair(h2((uint32_t)o->signs, (uint32_t)(o->signs >> 32)), c1));
    add(l, column << 1 | (c1 == ' '));
    add(l, pair(h2(o->above_first, o->first), o->name));
    add(l, pair(up | up2 << 8 | nz_past_above(p, 3, column) << 16, o->shape & 0xffff));
    add(l, pair(h2(nest.first, part), w[0]));
    add(l, pair(p->pos >> 10, w[0]));
}

/* Text at level 9: all that is left to gain for those who have the time. */

/* Words over punctuation and line ends: what stood between them counts, or does not. */
static void phrases(list *l, const nz_past *p)
{
    const nz_phrase *f = &p->phrase;
    const uint32_t *w = f->word, *joined = f->joined;
    uint32_t c1 = p->c4 & 0xff;
    add(l, (uint64_t)p->word[0] << 8 | c1);
    add(l, pair(p->follows, p->word[0]));
    add(l, pair(w[0], f->gap));
    add(l, pair(w[0], nz_phrase_age(f, p->pos)));
    add(l, pair(f->gap, f->keyword));
    add(l, pair(h2(w[0], f->keyword), c1));
    add(l, pair(h2(w[0], f->last_gap), c1));
    add(l, pair(h2(w[1], f->gap), c1));
    add(l, pair(h2(w[1], f->gap), h2(w[2], f->last_gap)));
    add(l, pair(h2(w[0], w[1]), f->last_gap));
    add(l, pair(w[0], w[1]));
    add(l, pair(h2(w[0], w[2]), c1));
    add(l, pair(h3(w[0], w[1], w[4]), c1));
    add(l, pair(joined[0], joined[2]));
    add(l, pair(h2(joined[0], joined[1]), joined[3]));
    add(l, pair(h2(joined[0], joined[1]), f->gap));
}

/* Letters: parts of words, and words never met. */
static void spellings(list *l, const nz_past *p)
{
    uint64_t letters = p->phrase.letters;
    uint32_t len = p->word_len;
    add(l, letters & 0xffffffff);
    add(l, letters & 0xffffffffffff);
    add(l, pair((uint32_t)letters, (uint32_t)(letters >> 32)));
    add(l, pair(p->spelling.kinds & 0xffff, word_form(p, 6)));
    add(l, len < 2 ? 0 : pair(p->tail & 0xffff, word_form(p, 5)));
    add(l, len < 3 ? 0 : pair(p->tail & 0xffffff, word_form(p, 6)));
    add(l, len < 4 ? 0 : pair(p->tail, word_form(p, 7)));
}

/* What came after the same the last times. */
static void followers(list *l, const nz_past *p)
{
    uint32_t c1 = p->c4 & 0xff, classes = (uint32_t)p->classes;
    uint32_t token = nz_follow_of(&p->follow, NZ_FOLLOW_TOKEN);
    uint32_t words = nz_follow_of(&p->follow, NZ_FOLLOW_WORDS);
    uint32_t letters = nz_follow_of(&p->follow, NZ_FOLLOW_LETTERS);
    add(l, pair(token & 0xff, classes));
    add(l, pair(token, classes & 0xffff));
    add(l, pair((words & 0xff) | (token & 0xff) << 8, c1));
    add(l, pair(letters, c1));
    add(l, pair(*nz_past_after3(p) & 0xffff, c1));
}

/* What is there beside words: signs, names of any spelling, kinds of bytes. */
static void outlines(list *l, const nz_past *p)
{
    const nz_outline *o = &p->outline;
    uint32_t c1 = p->c4 & 0xff, c2 = p->c4 & 0xffff;
    uint32_t classes = (uint32_t)p->classes, before = (uint32_t)(p->classes >> 32);
    uint32_t runs = (uint32_t)p->class_runs, runs_before = (uint32_t)(p->class_runs >> 32);
    add(l, o->shape & 0xffffffffff);
    add(l, o->shape & 0xffffffffffff);
    add(l, o->signs & 0xffffffff);
    add(l, pair(h2((uint32_t)o->signs, (uint32_t)(o->signs >> 32)), c1));
    add(l, pair(o->signs & 0xffffff, o->name));
    add(l, pair(h2(o->last_name, o->name), c1));
    add(l, pair(p->digits4, p->digits8 & 0xffff));
    add(l, pair(classes, before));
    add(l, pair(classes & 0xffffff, c2));
    add(l, pair(runs, c2));
    add(l, pair(h2(runs, runs_before), p->word[0]));
}

/* Lines and columns, cells, and what is above. */
static void layout(list *l, const nz_past *p)
{
    const nz_outline *o = &p->outline;
    uint32_t c1 = p->c4 & 0xff, c2 = p->c4 & 0xffff, column = nz_past_column(p);
    uint32_t up = nz_past_above(p, 1, column), up2 = nz_past_above(p, 2, column);
    uint32_t length = p->line[0] - p->line[1];
    bool alike = p->alike == p->pos - p->line[0];
    add(l, column << 1 | (c1 == ' '));
    add(l, pair(column, length));
    add(l, pair(column, p->classes & 0xfff));
    add(l, o->line);
    add(l, pair(o->line_signs, o->name_len > 3 ? 3 : o->name_len));
    add(l, pair(h2(o->line_signs, o->name), c1));
    add(l, pair(h2(o->line_signs, o->first), c1));
    add(l, pair(h2(o->above_first, o->first), o->field));
    add(l, pair(h2(o->above_first, o->first), o->name));
    add(l, p->line_first);
    add(l, pair(h2(up, nz_past_above(p, 1, column + 1)), c2));
    add(l, pair(up | up2 << 8, p->classes & 0xff));
    add(l, pair(up | up2 << 8 | nz_past_above(p, 3, column) << 16, o->shape & 0xffff));
    add(l, !alike ? 0 : pair(up, p->alike > 15 ? 15 : p->alike));
    add(l, succession(p));
    add(l, nz_cells_table(&p->cells) ? over(p) : 0);
}

/* Brackets, quotations and tags: what opened them, and how far inside this is. */
static void nests(list *l, const nz_past *p)
{
    const nz_outline *o = &p->outline;
    nz_nest nest = nz_past_nest(p);
    uint32_t c1 = p->c4 & 0xff, inside = p->pos - nest.pos, part = nest.part > 15 ? 15 : nest.part;
    uint32_t depth = p->depth > 15 ? 15 : p->depth;
    add(l, pair(nest.what | nz_past_top(p, 1) << 8, p->c4 & 0xffff));
    add(l, pair(nest.what | word_form(p, 6) << 8, p->classes & 15));
    add(l, pair(nest.what | c1 << 8, nz_phrase_age(&p->phrase, p->pos) > 0));
    add(l, pair(h2(nest.what, nest.name), inside > 63 ? 63 : inside));
    add(l, pair(h2(nest.what, nest.first), o->field));
    add(l, pair(h2(nest.first, o->name), c1));
    add(l, pair(h2(nest.first, part), p->phrase.word[0]));
    add(l, pair(h2(nest.name, part), c1));
    add(l, pair(h2(depth, part), h2(c1, p->classes & 0xfff)));
    add(l, pair(h2(p->tag, p->line_first), p->word[0]));
    add(l, pair(p->tag, p->c4 & 0xffffff));
}

/* Contexts that begin anew in every part of the text. */
static void places(list *l, const nz_past *p)
{
    uint32_t c1 = p->c4 & 0xff, c2 = p->c4 & 0xffff, word = p->phrase.word[0];
    add(l, p->line[0]);
    add(l, pair(p->line[0], c1));
    add(l, pair(p->line[0], c2));
    add(l, pair(p->phrase.sentence, c1));
    add(l, pair(p->paragraph, word));
    add(l, pair(p->paragraph, c2));
    add(l, pair(nz_past_nest(p).pos, word));
    add(l, pair(p->pos >> 8, c1));
    add(l, pair(p->pos >> 10, word));
    add(l, pair(p->pos >> 12, c2));
    add(l, pair(p->pos >> 13, word));
}

/* The row above: what is over the next byte, and where the slope there would lead from the last. */
static void rows(list *l, const nz_past *p)
{
    uint32_t c1 = p->c4 & 0xff, up = nz_past_at(p, p->row), left = nz_past_at(p, p->row + 1);
    int slope = (int)c1 + (int)up - (int)left;
    add(l, pair(up | c1 << 8, 21));
    add(l, pair((uint32_t)(slope < 0 ? 0 : slope > 255 ? 255 : slope) | (up > left) << 8, 22));
    add(l, pair(up | nz_past_at(p, p->row - 1) << 8 | (c1 >> 3) << 16, 23));
}

/* Images: what is over and around the next byte. */
static void more_rows(list *l, const nz_past *p)
{
    uint32_t w = p->c4 & 0xff, row = p->row;
    uint32_t n = nz_past_at(p, row), nw = nz_past_at(p, row + 1), ne = nz_past_at(p, row - 1);
    uint32_t nn = nz_past_at(p, 2 * row), nnn = nz_past_at(p, 3 * row);
    add(l, n | nn << 8 | w << 16);
    add(l, n | nn << 8 | nnn << 16);
    add(l, pair(n | nw << 8 | ne << 16, w));
    add(l, pair(n | nn << 8 | nnn << 16, h3(nw, ne, w)));
}

/* What binary data repeats: fields at fixed distances, records, high bits, text inside. */
static void fields(list *l, const nz_past *p)
{
    uint32_t c4 = p->c4, c8 = p->c8, c1 = c4 & 0xff;
    uint32_t above = nz_past_at(p, p->period), above2 = nz_past_at(p, 2 * p->period);
    add(l, 0);
    add(l, c4 & 0xffff00);
    add(l, c4 & 0xff00ff);
    add(l, c4 & 0xff0000ff);
    add(l, c1 | (uint64_t)(c8 & 0xff) << 8);
    add(l, pair(c4 & 0xf0f0f0f0, c8 & 0xf0f0));
    add(l, above | (uint64_t)c1 << 8 | (uint64_t)p->period << 32);
    add(l, above | (uint64_t)above2 << 8 | (uint64_t)p->pos % p->period << 32);
    add(l, (uint64_t)p->after2[c4 & 0xffff] << 16 | (c4 & 0xffff));
    add(l, (uint64_t)p->word[0] << 8 | c1);
}

static void more_fields(list *l, const nz_past *p)
{
    uint32_t c4 = p->c4, c8 = p->c8, c1 = c4 & 0xff, period = p->period;
    uint32_t above = nz_past_at(p, period), since = p->pos - p->zero;
    uint32_t after3 = *nz_past_after3(p);
    since = since > 255 ? 255 : since;
    add(l, c4 & 0xffffff00);
    add(l, c4 & 0xffff00ff);
    add(l, c4 & 0xff00ff00);
    add(l, c8 & 0xffff);
    add(l, pair(c4 & 0xffff, c8 & 0xff000000));
    add(l, pair(c4 & 0xf8f8f8f8, c8 & 0xf8));
    add(l, pair(c4 & 0xe0e0e0e0, c8 & 0xe0e0e0e0));
    add(l, (p->after1[c1] & 0xffff) | (uint64_t)c1 << 16);
    add(l, (after3 & 0xffff) | (uint64_t)c1 << 16);
    add(l, pair(since, c4 & 0xffff));
    add(l, (p->pos & 3) | (uint64_t)c1 << 8 | (uint64_t)(c4 >> 24) << 16);
    add(l, pair(above, nz_past_at(p, period - 1) | nz_past_at(p, period + 1) << 8));
    add(l, pair(above | p->pos % period << 8, c1));
    add(l, (uint64_t)h2(p->word[0], p->word[1]) << 8 | c1);
}

static void most_fields(list *l, const nz_past *p)
{
    uint32_t c4 = p->c4, c8 = p->c8, c1 = c4 & 0xff, period = p->period;
    uint32_t above = nz_past_at(p, period);
    add(l, pair(c4, c8 & 0xffffff));
    add(l, pair(c4 & 0xffffff, p->pos & 3));
    add(l, pair(c8 & 0xffffff, c1));
    add(l, c4 & 0xff000000);
    add(l, pair(c8 & 0xffff00, 1));
    add(l, pair(above | (c4 & 0xffff) << 8, period));
    add(l, pair(above - nz_past_at(p, 2 * period), c1 | period << 8));
    add(l, pair(c4 & 0xf0ff, 3));
    add(l, pair(p->classes & 0xffffffff, c1));
    add(l, pair(c4 & 0xfff8f8, c8 & 0xf8f8));
    add(l,
        pair(h2(p->after1[c1] & 0xff, p->after2[c4 & 0xffff] & 0xff), *nz_past_after3(p) & 0xff));
}

/* Where zeros are, and where a record is as the one above. */
static void records(list *l, const nz_past *p, int tier)
{
    uint32_t column = p->pos % p->period | p->period << 16;
    add(l, pair(p->zeros & 0xffff, column));
    if (tier > 0)
        add(l, pair(p->same & 0xffff, column));
    if (tier > 1)
        add(l, pair(p->c4 & 0xffe00000, (p->zeros & 15) << 4 | (p->same4 & 15)));
}

/* What is around the code: strings, and tables of records of 4 to 24 bytes. */
static void around_code(list *l, const nz_past *p)
{
    const uint32_t *w = p->word;
    uint32_t c1 = p->c4 & 0xff, four = nz_past_at(p, 4), eight = nz_past_at(p, 8);
    uint32_t sixteen = nz_past_at(p, 16);
    add(l, pair(w[0], w[1]));
    add(l, pair(h2(w[0], w[2]), c1));
    add(l, pair(h2(w[0], p->phrase.gap), c1));
    add(l, p->phrase.letters & 0xffffffffffff);
    add(l, pair(p->spelling.kinds & 0xffff, p->word_len < 6 ? p->word_len : 6));
    add(l, pair(p->classes & 0xffffff, w[0]));
    add(l, pair(p->c4, p->pos - p->zero));
    add(l, pair(four | eight << 8 | nz_past_at(p, 12) << 16, c1));
    add(l, pair(eight | sixteen << 8 | (p->pos & 7) << 16, c1));
    add(l, pair(eight | nz_past_at(p, 7) << 8 | (p->pos & 7) << 16, p->c4 & 0xffff));
    add(l, pair(sixteen | nz_past_at(p, 32) << 8 | (p->pos & 15) << 16, c1));
    add(l, pair(nz_past_at(p, 24) | nz_past_at(p, 48) << 8 | (p->pos & 7) << 16, c1));
}

static void text_slots(uint64_t *h, const nz_past *p, int tier)
{
    list l = {h, 0};
    if (tier < 2) {
        essentials(&l, p);
        if (tier > 0)
            supplements(&l, p);
        return;
    }
    orders(&l, p);
    add(&l, 0);
    phrases(&l, p);
    spellings(&l, p);
    followers(&l, p);
    outlines(&l, p);
    layout(&l, p);
    nests(&l, p);
    places(&l, p);
    more_orders(&l, p);
}

static void binary_slots(uint64_t *h, const nz_past *p, int tier)
{
    list l = {h, 0};
    orders(&l, p);
    fields(&l, p);
    rows(&l, p);
    records(&l, p, tier);
    if (tier > 0)
        more_fields(&l, p);
    if (tier > 1) {
        most_fields(&l, p);
        more_rows(&l, p);
        more_orders(&l, p);
    }
}

/* Of any machine's code; `instructions` adds the machine's own. */
NZ_INLINE void any_code_slots(uint64_t *h, const nz_past *p, int tier,
                              void (*instructions)(list *l, const nz_past *p, int tier))
{
    list l = {h, 0};
    orders(&l, p);
    fields(&l, p);
    if (tier > 0)
        more_fields(&l, p);
    if (tier > 1) {
        most_fields(&l, p);
        more_orders(&l, p);
    }
    instructions(&l, p, tier);
    if (tier > 1)
        around_code(&l, p);
}

static void code_slots(uint64_t *h, const nz_past *p, int tier)
{
    any_code_slots(h, p, tier, nz_instruction_slots);
}

static void arm64_slots(uint64_t *h, const nz_past *p, int tier)
{
    any_code_slots(h, p, tier, nz_arm64_slots);
}

static void text_rows(uint32_t *hash, const nz_past *p, int tier)
{
    const uint32_t *w = p->word;
    uint32_t c1 = p->c4 & 0xff, c2 = p->c4 & 0xffff, column = nz_past_column(p), n = 0;
    hash[n++] = h2(w[0], c1);
    hash[n++] = h2(w[0], w[1]);
    hash[n++] = h2(p->c4 & 0xffff00, 11);
    hash[n++] = h2(p->bracket, w[0]);
    if (tier == 0)
        return;
    hash[n++] = h3(w[0], w[1], w[2]);
    hash[n++] = h2(nz_past_above(p, 1, column) << 8 | c1, column < 4 ? column : 4);
    hash[n++] = h2(p->c4 & 0xff00ff, 12);
    hash[n++] = h2(w[1], w[0] == 0);
    hash[n++] = h2(p->c4 & 0xffffff00, 13);
    hash[n++] = h2(w[0], w[2]);
    hash[n++] = h2(w[0], w[3]);
    hash[n++] = h3(w[0], w[1], w[3]);
    hash[n++] = h2(w[0], p->last_tail & 0xffffff);
    hash[n++] = h3(w[0], p->capital, p->capitals);
    hash[n++] = h2(w[0], p->stop);
    hash[n++] = h2(w[0], p->follows);
    hash[n++] = h2(p->tag, c2);
    hash[n++] = h3(nz_past_top(p, 0), nz_past_top(p, 1), c2);
    hash[n++] = h2((uint32_t)p->classes, c1);
    if (tier == 1)
        return;
    hash[n++] = h2(p->c4, p->c8);
    hash[n++] = h2(w[0], p->line_word);
    hash[n++] = h2(w[0], p->capital_word);
    hash[n++] = h3(w[1], p->initial, p->word_len);
    hash[n++] = h3((uint32_t)p->class_runs, (uint32_t)(p->class_runs >> 32), w[0]);
    hash[n++] = h2(p->line_head, c1);
    hash[n++] = h2(p->after1[c1] & 0xffff, c1);
    hash[n++] = h2(p->after2[c2], c1);
}

static void binary_rows(uint32_t *hash, const nz_past *p, int tier)
{
    uint32_t c4 = p->c4, c8 = p->c8, c1 = c4 & 0xff, c2 = c4 & 0xffff, period = p->period, n = 0;
    uint32_t above = nz_past_at(p, period), since = p->pos - p->zero;
    since = since > 255 ? 255 : since;
    hash[n++] = h2(p->word[0], c1);
    hash[n++] = h2(c4 & 0xff00ff, 12);
    hash[n++] = h2(c4 & 0xffff00, 11);
    hash[n++] = h2(nz_past_at(p, p->row) | c1 << 8, 16);
    if (tier == 0)
        return;
    hash[n++] = h2(c4 & 0xf0f0f0f0, c8 & 0xf0f0);
    hash[n++] = h2(above, p->pos % period);
    hash[n++] = h2(c4 & 0xff0000ff, 14);
    hash[n++] = h2(c1 | (c8 & 0xff) << 8, 15);
    hash[n++] = h2(c4 & 0xffffff00, 13);
    hash[n++] = h2(c4, c8);
    hash[n++] = h2(c4 & 0xffff00ff, 17);
    hash[n++] = h2(c8 & 0xffff, 18);
    hash[n++] = h2(c4 & 0xf8f8f8f8, c8 & 0xf8);
    hash[n++] = h3(above, nz_past_at(p, 2 * period), c1);
    hash[n++] = h2(c2, p->pos & 3);
    hash[n++] = h2(c2, since);
    hash[n++] = h2(c2, p->after2[c2] & 0xffff);
    hash[n++] = h2(p->word[0], p->word[1]);
    hash[n++] = h2((uint32_t)p->classes, c1);
    if (tier == 1)
        return;
    hash[n++] = h2(c4 & 0xff00ff00, 19);
    hash[n++] = h2(c8 & 0xffffff, c1);
    hash[n++] = h2(c4 & 0xe0e0e0e0, c8 & 0xe0e0e0e0);
    hash[n++] = h2(c2, above);
    hash[n++] = h3(above, nz_past_at(p, period - 1), nz_past_at(p, period + 1));
    hash[n++] = h2(c1, p->after1[c1] & 0xffff);
    hash[n++] = h2(c1, *nz_past_after3(p) & 0xffff);
    hash[n++] = h2(c8 & 0xffff0000, c1);
}

/* Instructions take the places of the last of what binary data has. */
static const uint8_t code_kept[] = {0, 10, 13};

static void code_rows(uint32_t *hash, const nz_past *p, int tier)
{
    binary_rows(hash, p, tier);
    nz_instruction_rows(hash + code_kept[tier], p, tier);
}

static void arm64_rows(uint32_t *hash, const nz_past *p, int tier)
{
    binary_rows(hash, p, tier);
    nz_arm64_rows(hash + code_kept[tier], p, tier);
}

const nz_contexts nz_contexts_text = {
    {{13, 8, PLAIN_ESSENTIALS}, {26, 23, PLAIN_ESSENTIALS}, {85, 31, PLAIN_ORDERS}},
    text_slots,
    text_rows,
};
const nz_contexts nz_contexts_binary = {
    {{19, 8, PLAIN_ORDERS}, {34, 23, PLAIN_ORDERS}, {52, 31, PLAIN_ORDERS}},
    binary_slots,
    binary_rows,
};
const nz_contexts nz_contexts_code = {
    {{27, 8, PLAIN_ORDERS}, {53, 23, PLAIN_ORDERS}, {88, 31, PLAIN_ORDERS}},
    code_slots,
    code_rows,
};
const nz_contexts nz_contexts_arm64 = {
    {{27, 8, PLAIN_ORDERS}, {53, 23, PLAIN_ORDERS}, {78, 31, PLAIN_ORDERS}},
    arm64_slots,
    arm64_rows,
};

void nz_contexts_net(uint32_t direct[NZ_ROWS_DIRECT], uint32_t *hash, const nz_past *p,
                     const nz_contexts *contexts, int tier, uint32_t match_state)
{
    uint32_t c1 = p->c4 & 0xff;
    direct[0] = c1;
    direct[1] = p->c4 & 0xffff;
    direct[2] = match_state;
    direct[3] = p->after1[c1] & 0xff;
    direct[4] = p->after2[p->c4 & 0xffff] & 0xff;
    direct[5] = *nz_past_after3(p) & 0xff;
    hash[0] = h2(p->c4 & 0xffffff, 3);
    hash[1] = h2(p->c4, 4);
    hash[2] = h2(p->c4, (p->c8 & 0xff) + 1000);
    hash[3] = h2(p->c4, (p->c8 & 0xffff) + 0x10000);
    if (contexts)
        contexts->rows(hash + NZ_ROWS_PLAIN, p, tier);
}
