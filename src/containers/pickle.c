#include "pickle.h"
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#define PICKLE_MAX ((uint64_t)64 << 20) /* bytes */
#define POOL_MAX   ((size_t)1 << 23)    /* values: 128 MiB, 400000 tensors of a state dict */
#define STACK_MAX  ((size_t)1 << 20)
#define MEMO_MAX   ((size_t)1 << 22)
#define STRING_MAX 1024 /* longer ones are no keys; a key is copied whenever it comes */
#define GLOBAL_MAX 512

/* What follows an opcode: so many bytes, or a count of that many bytes and as many bytes as it
 * says, or two lines. */
enum {
    NOT = 0,
    ARG0,
    ARG1 = ARG0 + 1,
    ARG2 = ARG0 + 2,
    ARG4 = ARG0 + 4,
    ARG8 = ARG0 + 8,
    COUNT1 = 32,
    COUNT4,
    COUNT8,
    LINES
};

/* Protocol 0 writes other opcodes for numbers, strings and the memo: NOT. */
static const uint8_t LAYOUT[256] = {
    ['('] = ARG0,    ['.'] = ARG0,    ['0'] = ARG0,    ['1'] = ARG0,    ['2'] = ARG0,
    ['J'] = ARG4,    ['K'] = ARG1,    ['M'] = ARG2,    ['N'] = ARG0,    ['Q'] = ARG0,
    ['R'] = ARG0,    ['T'] = COUNT4,  ['U'] = COUNT1,  ['X'] = COUNT4,  ['a'] = ARG0,
    ['b'] = ARG0,    ['c'] = LINES,   ['d'] = ARG0,    ['}'] = ARG0,    ['e'] = ARG0,
    ['h'] = ARG1,    ['j'] = ARG4,    ['l'] = ARG0,    [']'] = ARG0,    ['o'] = ARG0,
    ['q'] = ARG1,    ['r'] = ARG4,    ['s'] = ARG0,    ['t'] = ARG0,    [')'] = ARG0,
    ['u'] = ARG0,    ['G'] = ARG8,    ['B'] = COUNT4,  ['C'] = COUNT1,  [0x80] = ARG1,
    [0x81] = ARG0,   [0x82] = ARG1,   [0x83] = ARG2,   [0x84] = ARG4,   [0x85] = ARG0,
    [0x86] = ARG0,   [0x87] = ARG0,   [0x88] = ARG0,   [0x89] = ARG0,   [0x8a] = COUNT1,
    [0x8b] = COUNT4, [0x8c] = COUNT1, [0x8d] = COUNT8, [0x8e] = COUNT8, [0x8f] = ARG0,
    [0x90] = ARG0,   [0x91] = ARG0,   [0x92] = ARG0,   [0x93] = ARG0,   [0x94] = ARG0,
    [0x95] = ARG8,   [0x96] = COUNT8, [0x97] = ARG0,   [0x98] = ARG0,
};

void nz_pickle_begin(nz_pickle *k)
{
    k->want = 1;
    k->skip = 0;
    k->end = false;
    k->bytes = 0;
    k->stack_n = k->memo_n = k->text_n = 0;
    k->pool_n = 1; /* 0 means none */
}

void nz_pickle_end(nz_pickle *k)
{
    free(k->pool);
    free(k->text);
    free(k->stack);
    free(k->memo);
    *k = (nz_pickle){0};
}

/* Where n more values of the pool are; 0: there is no room. */
static uint32_t pool_more(nz_pickle *k, size_t n)
{
    if (k->pool_n + n > POOL_MAX ||
        !nz_array_grow(&k->pool, &k->pool_room, k->pool_n + n, sizeof *k->pool, POOL_MAX))
        return 0;
    uint32_t at = (uint32_t)k->pool_n;
    k->pool_n += n;
    return at;
}

static bool push(nz_pickle *k, nz_pkind kind, size_t n, uint64_t v)
{
    if (!nz_array_grow(&k->stack, &k->stack_room, k->stack_n + 1, sizeof *k->stack, STACK_MAX))
        return false;
    k->stack[k->stack_n++] = (nz_pvalue){kind, (uint32_t)n, v};
    return true;
}

/* A string or global: a and, unless NULL, '.' and b. */
static bool push_text(nz_pickle *k, nz_pkind kind, const void *a, size_t an, const void *b,
                      size_t bn)
{
    size_t n = an + (b ? 1 + bn : 0), at = k->text_n;
    if (!nz_array_grow(&k->text, &k->text_room, at + n, 1, PICKLE_MAX))
        return false;
    if (an)
        memcpy(k->text + at, a, an);
    if (b)
        k->text[at + an] = '.';
    if (b && bn)
        memcpy(k->text + at + an + 1, b, bn);
    k->text_n += n;
    return push(k, kind, n, at);
}

/* How many values lie above the topmost mark; SIZE_MAX without one. */
static size_t above_mark(const nz_pickle *k)
{
    for (size_t n = 0; n < k->stack_n; n++)
        if (k->stack[k->stack_n - 1 - n].kind == NZ_PK_MARK)
            return n;
    return SIZE_MAX;
}

/* Moves the topmost n values into a new run of whatever head is in the pool at `head`. */
static bool run_add(nz_pickle *k, uint64_t head, nz_pkind kind, size_t n)
{
    if (n == 0)
        return true;
    uint32_t run = pool_more(k, 1 + n);
    if (!run)
        return false;
    k->stack_n -= n;
    k->pool[run] = (nz_pvalue){kind, (uint32_t)n, 0};
    memcpy(&k->pool[run + 1], &k->stack[k->stack_n], n * sizeof *k->pool);
    nz_pvalue *h = &k->pool[head];
    if (h->n)
        k->pool[h->n].v = run;
    else
        h->v = run;
    h->n = run;
    return true;
}

/* Replaces the topmost n values by a container of them. */
static bool gather(nz_pickle *k, nz_pkind kind, size_t n)
{
    uint32_t head = pool_more(k, 1);
    if (!head)
        return false;
    k->pool[head] = (nz_pvalue){NZ_PK_HEAD, 0, 0};
    return run_add(k, head, kind == NZ_PK_DICT ? NZ_PK_PAIRS : NZ_PK_ITEMS, n) &&
           push(k, kind, 0, head);
}

/* Replaces a callable and its arguments by the object that would come of it. */
static bool call(nz_pickle *k)
{
    uint32_t head = k->stack_n < 2 ? 0 : pool_more(k, 3);
    if (!head)
        return false;
    k->stack_n -= 2;
    k->pool[head] = (nz_pvalue){NZ_PK_HEAD, 0, 0};
    memcpy(&k->pool[head + 1], &k->stack[k->stack_n], 2 * sizeof *k->pool);
    return push(k, NZ_PK_OBJECT, 0, head);
}

/* Gives the topmost n values to the container below them. */
static bool give(nz_pickle *k, nz_pkind kind, size_t n, bool mark)
{
    if (n == SIZE_MAX || k->stack_n < n + mark + 1)
        return false;
    nz_pvalue to = k->stack[k->stack_n - n - mark - 1];
    if (to.kind < NZ_PK_LIST || to.kind > NZ_PK_OBJECT || (kind == NZ_PK_PAIRS && n % 2)) {
        k->stack_n -= n + mark; /* whatever it is, we cannot look inside */
        return true;
    }
    if (!run_add(k, to.v, kind, n))
        return false;
    k->stack_n -= mark;
    return true;
}

static bool memo_put(nz_pickle *k, uint64_t i)
{
    /* Picklers count up from 0; what is far ahead would only ask for memory. */
    if (i > k->bytes || k->stack_n == 0 ||
        !nz_array_grow(&k->memo, &k->memo_room, i + 1, sizeof *k->memo, MEMO_MAX))
        return false;
    for (; k->memo_n <= i; k->memo_n++)
        k->memo[k->memo_n] = (nz_pvalue){NZ_PK_OTHER, 0, 0};
    k->memo[i] = k->stack[k->stack_n - 1];
    return true;
}

static bool memo_get(nz_pickle *k, uint64_t i)
{
    return i < k->memo_n && push(k, k->memo[i].kind, k->memo[i].n, k->memo[i].v);
}

static bool pop(nz_pickle *k, size_t n)
{
    if (k->stack_n < n)
        return false;
    k->stack_n -= n;
    return true;
}

static bool stack_global(nz_pickle *k)
{
    if (!pop(k, 2))
        return false;
    nz_pvalue a = k->stack[k->stack_n], b = k->stack[k->stack_n + 1];
    if (a.kind != NZ_PK_STR || b.kind != NZ_PK_STR)
        return false;
    /* The text may move while it grows. */
    if (!nz_array_grow(&k->text, &k->text_room, k->text_n + a.n + b.n + 1, 1, PICKLE_MAX))
        return false;
    return push_text(k, NZ_PK_GLOBAL, k->text + a.v, a.n, k->text + b.v, b.n);
}

/* Little-endian, signed, at most 8 bytes. */
static bool push_long(nz_pickle *k, const uint8_t *p, size_t n)
{
    if (n > 8)
        return push(k, NZ_PK_OTHER, 0, 0);
    uint64_t v = n && p[n - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return push(k, NZ_PK_INT, 0, v);
}

static bool counted(nz_pickle *k, uint8_t op, const uint8_t *p, size_t n)
{
    switch (op) {
    case 'T':
    case 'U':
    case 'X':
    case 0x8c:
    case 0x8d: return push_text(k, NZ_PK_STR, p, n, NULL, 0);
    case 0x8a:
    case 0x8b: return push_long(k, p, n);
    default: return push(k, NZ_PK_OTHER, 0, 0);
    }
}

/* Does one opcode; p is what follows it. False: broken, or out of room. */
static bool execute(nz_pickle *k, uint8_t op, const uint8_t *p)
{
    size_t n;
    switch (op) {
    case 0x80: /* PROTO */
    case 0x95: /* FRAME */ return true;
    case '(': return push(k, NZ_PK_MARK, 0, 0);
    case '.':
        if (!pop(k, 1))
            return false;
        k->root = k->stack[k->stack_n];
        return k->end = true;
    case '0': return pop(k, 1);
    case '1': n = above_mark(k); return n != SIZE_MAX && pop(k, n + 1);
    case '2':
        return k->stack_n > 0 && push(k, k->stack[k->stack_n - 1].kind, k->stack[k->stack_n - 1].n,
                                      k->stack[k->stack_n - 1].v);
    case 'K': return push(k, NZ_PK_INT, 0, p[0]);
    case 'M': return push(k, NZ_PK_INT, 0, nz_load16(p));
    case 'J': return push_long(k, p, 4);
    case 'N': return push(k, NZ_PK_NONE, 0, 0);
    case 0x88: return push(k, NZ_PK_INT, 0, 1);
    case 0x89: return push(k, NZ_PK_INT, 0, 0);
    case 'q': return memo_put(k, p[0]);
    case 'r': return memo_put(k, nz_load32(p));
    case 0x94: return memo_put(k, k->memo_n);
    case 'h': return memo_get(k, p[0]);
    case 'j': return memo_get(k, nz_load32(p));
    case ')': return gather(k, NZ_PK_TUPLE, 0);
    case 0x85: return k->stack_n >= 1 && gather(k, NZ_PK_TUPLE, 1);
    case 0x86: return k->stack_n >= 2 && gather(k, NZ_PK_TUPLE, 2);
    case 0x87: return k->stack_n >= 3 && gather(k, NZ_PK_TUPLE, 3);
    case ']':
    case 0x8f: /* EMPTY_SET */ return gather(k, NZ_PK_LIST, 0);
    case '}': return gather(k, NZ_PK_DICT, 0);
    case 't':
    case 'l':
    case 'd':
    case 0x91: /* FROZENSET */
        n = above_mark(k);
        if (n == SIZE_MAX || (op == 'd' && n % 2))
            return false;
        if (!gather(k, op == 't' ? NZ_PK_TUPLE : op == 'd' ? NZ_PK_DICT : NZ_PK_LIST, n))
            return false;
        k->stack[k->stack_n - 2] = k->stack[k->stack_n - 1]; /* over the mark */
        return pop(k, 1);
    case 'a': return give(k, NZ_PK_ITEMS, 1, false);
    case 's': return give(k, NZ_PK_PAIRS, 2, false);
    case 'e':
    case 0x90: /* ADDITEMS */ return give(k, NZ_PK_ITEMS, above_mark(k), true);
    case 'u': return give(k, NZ_PK_PAIRS, above_mark(k), true);
    case 'b': return give(k, NZ_PK_STATE, 1, false);
    case 'R':
    case 0x81: /* NEWOBJ */ return call(k);
    case 0x92: /* NEWOBJ_EX: also keywords, which no tensor needs */ return pop(k, 1) && call(k);
    case 0x93: return stack_global(k);
    case 'Q': {
        uint32_t id = k->stack_n ? pool_more(k, 1) : 0;
        if (!id)
            return false;
        k->pool[id] = k->stack[--k->stack_n];
        return push(k, NZ_PK_PERSID, 0, id);
    }
    case 'o': /* OBJ, of protocol 1: the class and its arguments above a mark */
        n = above_mark(k);
        return n != SIZE_MAX && pop(k, n + 1) && push(k, NZ_PK_OTHER, 0, 0);
    case 0x98: /* READONLY_BUFFER */ return true;
    default: /* floats, extensions, buffers */ return push(k, NZ_PK_OTHER, 0, 0);
    }
}

/* The last line of an opcode with two of them is whole when p ends in the second newline. */
static void global(nz_pickle *k, const uint8_t *p, size_t n)
{
    const uint8_t *a = memchr(p + 1, '\n', n - 1);
    if (!a || p[n - 1] != '\n' || a == p + n - 1) {
        if (n < GLOBAL_MAX)
            k->want = n + 1;
        return;
    }
    if (push_text(k, NZ_PK_GLOBAL, p + 1, (size_t)(a - p) - 1, a + 1,
                  (size_t)(p + n - 1 - a) - 1)) {
        k->skip = n;
        k->want = 1;
    }
    return;
}

/* The count of an opcode that has one. */
static uint64_t count(uint8_t layout, const uint8_t *p)
{
    return layout == COUNT1 ? p[1] : layout == COUNT4 ? nz_load32(p + 1) : nz_load64(p + 1);
}

void nz_pickle_take(nz_pickle *k, const uint8_t *p, size_t n)
{
    uint8_t layout = LAYOUT[p[0]];
    k->skip = 0;
    k->want = 0;
    if (layout == NOT || k->bytes > PICKLE_MAX)
        return;
    if (layout == LINES) {
        global(k, p, n);
        k->bytes += k->skip;
        return;
    }
    size_t head = layout < COUNT1 ? layout : layout == COUNT1 ? 2 : layout == COUNT4 ? 5 : 9;
    if (n < head) {
        k->want = head;
        return;
    }
    bool good;
    if (layout < COUNT1) {
        k->skip = head;
        good = execute(k, p[0], p + 1);
    } else {
        uint64_t c = count(layout, p);
        k->skip = head + c;
        if (c > PICKLE_MAX) {
            good = false;
        } else if (c > STRING_MAX) {
            good = push(k, NZ_PK_OTHER, 0, 0);
        } else if (n < head + c) {
            k->skip = 0;
            k->want = head + c;
            return;
        } else {
            good = counted(k, p[0], p + head, c);
        }
    }
    k->bytes += k->skip;
    if (good)
        k->want = 1;
    return;
}

const nz_pvalue *nz_pickle_tuple(const nz_pickle *k, nz_pvalue v, size_t *n)
{
    if (v.kind != NZ_PK_TUPLE)
        return NULL;
    uint64_t run = k->pool[v.v].v;
    *n = run ? k->pool[run].n : 0;
    return &k->pool[run + 1];
}

bool nz_pickle_is(const nz_pickle *k, nz_pvalue v, const char *text)
{
    return (v.kind == NZ_PK_STR || v.kind == NZ_PK_GLOBAL) && strlen(text) == v.n &&
           !memcmp(k->text + v.v, text, v.n);
}
