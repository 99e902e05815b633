#include "net_start.h"

#include "base/base.h"
#include "net_parts.h"

enum {
    HEAD = 2,
    ARRAYS_MAX = 4 * NZ_NET_LAYERS_MAX + 5,
    QUANTUM_MAX = 127,
    SHIFT_MAX = 12, /* so that a row's numbers are whole ones */
    CUT = 8,        /* standard deviations */
};

/* Rows that come with a start have learned from gradients of this energy. */
#define START_ENERGY 2.0f

/* Floats, or a table's rows. */
typedef struct array {
    float *w;
    int16_t *row;
    size_t n;
} array;

/* Returns how many there are. */
static size_t list_arrays(const nz_net *net, array *a)
{
    size_t n = 0, width = net->width;
    for (size_t l = 0; l < net->layers; l++) {
        const layer *y = &net->layer[l];
        a[n++] = (array){.w = y->gain.w, .n = width};
        a[n++] = (array){.w = y->gates.weight.w, .n = width * 3 * width};
        a[n++] = (array){.w = y->gates.bias.w, .n = 3 * width};
        a[n++] = (array){.w = y->back.weight.w, .n = width * width};
    }
    a[n++] = (array){.w = net->gain.w, .n = width};
    a[n++] = (array){.w = net->out.weight.w, .n = width * SYMBOLS};
    a[n++] = (array){.w = net->out.bias.w, .n = SYMBOLS};
    a[n++] = (array){.w = net->gate.w, .n = net->tables * BUCKETS};
    a[n++] = (array){.row = net->table[0].row, .n = net->table[0].count * width};
    return n;
}

size_t nz_net_start_size(const nz_net_shape *shape)
{
    nz_net net = {.width = (size_t)shape->width,
                  .layers = (size_t)shape->layers,
                  .tables = (size_t)(shape->direct + shape->hashed),
                  .table[0].count = shape->direct_rows[0]};
    array list[ARRAYS_MAX];
    size_t arrays = list_arrays(&net, list), size = HEAD;
    for (size_t k = 0; k < arrays; k++)
        size += 1 + list[k].n;
    return size;
}

void nz_net_recall(nz_net *net, const uint8_t *start)
{
    array list[ARRAYS_MAX];
    size_t arrays = list_arrays(net, list);
    net->trained = nz_load16(start);
    start += HEAD;
    for (size_t k = 0; k < arrays; k++) {
        const array *a = &list[k];
        unsigned shift = *start++;
        for (size_t i = 0; i < a->n; i++) {
            int q = (int8_t)*start++;
            if (a->row)
                a->row[i] = (int16_t)(q * (ROW_UNIT >> shift));
            else
                a->w[i] = (float)q * (1.0f / (float)(1 << shift));
        }
    }
    for (size_t i = 0; i < net->table[0].count; i++)
        net->table[0].head[i].energy = START_ENERGY;
}

static float value_of(const array *a, size_t i)
{
    return a->row ? (float)a->row[i] / ROW_UNIT : a->w[i];
}

/* The finest that reaches as far as the largest of them, or CUT standard deviations. */
static unsigned shift_of(const array *a)
{
    float most = 0, squares = 0;
    unsigned shift = 0;
    for (size_t i = 0; i < a->n; i++) {
        float v = value_of(a, i) * value_of(a, i);
        most = v > most ? v : most;
        squares += v;
    }
    float cut = CUT * CUT * squares / (float)a->n, reach = most < cut ? most : cut;
    while (shift < SHIFT_MAX && reach * (float)(4 << 2 * shift) <= QUANTUM_MAX * QUANTUM_MAX)
        shift++;
    return shift;
}

static int8_t quantum_of(float v, unsigned shift)
{
    float q = v * (float)(1 << shift);
    q += q < 0 ? -0.5f : 0.5f;
    return (int8_t)(q > QUANTUM_MAX ? QUANTUM_MAX : q < -QUANTUM_MAX ? -QUANTUM_MAX : q);
}

void nz_net_record(const nz_net *net, uint16_t updates, uint8_t *start)
{
    array list[ARRAYS_MAX];
    size_t arrays = list_arrays(net, list);
    nz_store16(start, updates);
    start += HEAD;
    for (size_t k = 0; k < arrays; k++) {
        unsigned shift = shift_of(&list[k]);
        *start++ = (uint8_t)shift;
        for (size_t i = 0; i < list[k].n; i++)
            *start++ = (uint8_t)quantum_of(value_of(&list[k], i), shift);
    }
}

void nz_net_forget(nz_net *net)
{
    for (size_t k = 0; k < net->tables; k++) {
        const table *e = &net->table[k];
        for (size_t i = 0; i < e->count; i++)
            e->head[i].visits = 0;
        if (k == 0)
            continue;
        memset(e->head, 0, e->count * sizeof *e->head);
        memset(e->row, 0, e->count * net->width * sizeof *e->row);
    }
    for (size_t l = 0; l < net->layers; l++)
        memset(net->trace[net->now].layer[l].s, 0, net->width * sizeof(float));
    net->step = net->trace[net->now].active = 0;
    net->told = net->training = false;
}
