#include "x86.h"

/* What follows an opcode, one letter each:
 *   .  nothing           m  ModRM             j  a distance of 8 bits   J  of 32
 *   b  8 bits            B  ModRM, 8 bits     z  32 bits, 16 with 66    Z  ModRM and z
 *   w  16 bits           e  24                v  like z, 64 with REX.W  o  an address
 *   g  ModRM and, of TEST, 8 bits             G  the same with z        f  a far address
 *   p  a prefix          x  REX in 64-bit mode                          0  escape to the next map
 *   8, A  0F 38, 0F 3A   2, 3, 4  VEX of two and three bytes, EVEX */
static const char one_byte[] = "mmmmbz..mmmmbz.0mmmmbz..mmmmbz.."
                               "mmmmbzp.mmmmbzp.mmmmbzp.mmmmbzp."
                               "xxxxxxxxxxxxxxxx................"
                               "..4mppppzZbB....jjjjjjjjjjjjjjjj"
                               "BZBBmmmmmmmmmmmm..........f....."
                               "oooo....bz......bbbbbbbbvvvvvvvv"
                               "BBw.32BZe.w..b..mmmmbb..mmmmmmmm"
                               "jjjjbbbbJJfj....p.pp..gG......mm";
static const char two_bytes[] = "mmmm.........m.Bmmmmmmmmmmmmmmmm"
                                "mmmm....mmmmmmmm........8.A....."
                                "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
                                "mmmmmmmmmmmmmmmmBBBBmmm.mmmmmmmm"
                                "JJJJJJJJJJJJJJJJmmmmmmmmmmmmmmmm"
                                "...mBmmm...mBmmmmmmmmmmmmmBmmmmm"
                                "mmBmBBBm........mmmmmmmmmmmmmmmm"
                                "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm";

/* One-byte opcodes that compilers use, a bit each. Of longer ones 10 and up count. */
static const uint32_t common[8] = {0x0a0a2f3a, 0x3f2a2a3f, 0xffff0000, 0xffff0f08,
                                   0x03016f3b, 0xff0f0f30, 0x230a12cf, 0xc0d80b00};

enum { CALL = 0xe8, JUMP = 0xe9, JUMP_SHORT = 0xeb, RETURN = 0xc3, BREAK = 0xcc };

/* v in front of the others. */
static void push(uint32_t past[NZ_X86_PAST], uint32_t v)
{
    memmove(past + 1, past, (NZ_X86_PAST - 1) * sizeof *past);
    past[0] = v;
}

static void learn_immediate(nz_x86 *x)
{
    if (x->form == 'J' && x->opcode == CALL) {
        x->call[1] = x->call[0];
        x->call[0] = x->value;
    } else if (x->form == 'J') {
        x->jump = x->value;
    } else if (x->immediate) {
        x->number[nz_x86_number_row(x)] = x->value;
    }
}

static void learn_displacement(nz_x86 *x)
{
    uint32_t *offset = x->offset[nz_x86_base(x)];
    if ((x->modrm & 0xc7) == 5) {
        x->data = x->value;
        return;
    }
    offset[1] = offset[0];
    offset[0] = x->value;
}

static void finish(nz_x86 *x)
{
    uint32_t op = nz_x86_opcode(x) | (uint32_t)x->narrow << 10 | (uint32_t)x->vex << 11;
    bool good = x->map ? x->opcode >= 0x10 : common[x->opcode >> 5] >> (x->opcode & 31) & 1;
    bool last = !x->map && (x->opcode == RETURN || x->opcode == BREAK || x->opcode == JUMP ||
                            x->opcode == JUMP_SHORT);
    push(x->op, op);
    push(x->shape, nz_hash32(op | (uint32_t)x->rex << 16, x->modrm));
    push(x->whole, x->bytes);
    learn_immediate(x);
    x->operands = x->operands << 8 | x->modrm;
    x->since = last ? 0 : x->since + (x->since < 31);
    x->trust = good ? x->trust + (x->trust < NZ_X86_TRUST_MAX) : x->trust > 4 ? x->trust - 4 : 0;
    x->part = NZ_X86_START;
    x->left = x->length = x->immediate = x->map = x->opcode = x->form = 0;
    x->modrm = x->sib = x->rex = 0;
    x->narrow = x->vex = false;
    x->bytes = x->value = 0;
}

static void enter(nz_x86 *x, nz_x86_part part, uint8_t bytes)
{
    x->part = part;
    x->left = bytes;
}

static void then_immediate(nz_x86 *x)
{
    if (x->immediate)
        enter(x, NZ_X86_IMMEDIATE, x->immediate);
    else
        finish(x);
}

static void opcode(nz_x86 *x, uint8_t byte)
{
    static const char modrm[] = "mBZgG";
    uint8_t z = x->narrow ? 2 : 4;
    char form = x->map == 0   ? one_byte[byte]
                : x->map == 1 ? two_bytes[byte]
                : x->map == 2 ? 'm'
                              : 'B';
    if (form >= '2' && form <= '4')
        form = 'm'; /* LDS, LES and BOUND of 32-bit mode */
    x->opcode = byte;
    x->form = (uint8_t)form;
    switch (form) {
    case 'b':
    case 'B':
    case 'j': x->immediate = 1; break;
    case 'w': x->immediate = 2; break;
    case 'e': x->immediate = 3; break;
    case 'J': x->immediate = 4; break;
    case 'z':
    case 'Z': x->immediate = z; break;
    case 'v': x->immediate = x->rex & 8 ? 8 : z; break;
    case 'o': x->immediate = x->wide ? 8 : 4; break;
    case 'f': x->immediate = x->wide ? 0 : 6; break;
    }
    if (strchr(modrm, form))
        enter(x, NZ_X86_MODRM, 1);
    else
        then_immediate(x);
}

static void start(nz_x86 *x, uint8_t byte)
{
    char form = one_byte[byte];
    switch (form) {
    case 'p': x->narrow |= byte == 0x66; return;
    case 'x':
        if (!x->wide)
            break;
        x->rex = byte;
        return;
    case '0':
        x->map = 1;
        enter(x, NZ_X86_ESCAPED, 1);
        return;
    case '2':
    case '3':
    case '4':
        if (!x->wide)
            break;
        x->vex = true;
        x->map = 1;
        enter(x, NZ_X86_VEX, (uint8_t)(form - '1'));
        return;
    }
    opcode(x, byte);
}

static void escaped(nz_x86 *x, uint8_t byte)
{
    if (x->map == 1 && !x->vex && (byte == 0x38 || byte == 0x3a)) {
        x->map = byte == 0x38 ? 2 : 3;
        return;
    }
    opcode(x, byte);
}

static void displacement(nz_x86 *x)
{
    uint8_t mod = x->modrm >> 6, base = (x->modrm & 7) == 4 ? x->sib & 7 : x->modrm & 7;
    uint8_t bytes = mod == 1 ? 1 : mod == 2 || (mod == 0 && base == 5) ? 4 : 0;
    if (bytes)
        enter(x, NZ_X86_DISPLACEMENT, bytes);
    else
        then_immediate(x);
}

static void modrm(nz_x86 *x, uint8_t byte)
{
    x->modrm = byte;
    if (x->form == 'g' && !(byte & 0x30))
        x->immediate = 1;
    if (x->form == 'G' && !(byte & 0x30))
        x->immediate = x->narrow ? 2 : 4;
    if (byte >> 6 == 3)
        then_immediate(x);
    else if ((byte & 7) == 4)
        enter(x, NZ_X86_SIB, 1);
    else
        displacement(x);
}

void nz_x86_next(nz_x86 *x, uint8_t byte)
{
    x->bytes = nz_hash32(x->bytes, byte + 1u);
    if (++x->length > 15) {
        finish(x);
        return;
    }
    switch (x->part) {
    case NZ_X86_START: start(x, byte); break;
    case NZ_X86_ESCAPED: escaped(x, byte); break;
    case NZ_X86_VEX:
        if (x->left == 3 || (x->left == 2 && x->length == 2))
            x->map = byte & 3 ? byte & 3 : 1;
        if (--x->left == 0)
            enter(x, NZ_X86_ESCAPED, 1);
        break;
    case NZ_X86_MODRM: modrm(x, byte); break;
    case NZ_X86_SIB:
        x->sib = byte;
        displacement(x);
        break;
    case NZ_X86_DISPLACEMENT:
        x->value = x->value << 8 | byte;
        if (--x->left == 0) {
            learn_displacement(x);
            x->value = 0;
            then_immediate(x);
        }
        break;
    case NZ_X86_IMMEDIATE:
        x->value = x->value << 8 | byte;
        if (--x->left == 0)
            finish(x);
        break;
    }
}

bool nz_x86_distance(const nz_x86 *x, uint32_t *after)
{
    *after = x->part == NZ_X86_DISPLACEMENT ? x->immediate : 0;
    return x->left == 4 && (x->part == NZ_X86_IMMEDIATE ? x->form == 'J'
                                                        : x->part == NZ_X86_DISPLACEMENT &&
                                                              x->wide && (x->modrm & 0xc7) == 5);
}

void nz_x86_skip(nz_x86 *x, uint32_t bytes)
{
    while (bytes--)
        nz_x86_next(x, 0);
}
