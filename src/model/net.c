/* The network. Time runs in chunks: the forward passes of one leave a trace behind, and while those
 * of the next go on, training follows it: after every forward pass comes a slice of it, so that no
 * byte has to wait for all of it.
 *
 *   slices 0 to layers    one stage of the backward pass each, from the last layer's end
 *   slice layers + 1      the rows
 *   the rest of them      the dense weights, evenly
 *
 * Activations are [step][width]. Matrices are walked one row (of one input) at a time. That wants
 * the gradients of a backward product with time running fastest, hence the flips. */
#include "net.h"

#include "backend/kern_float.h"
#include "net_parts.h"
#include "net_start.h"

#define ROW_RATE 0.16f
#define ROW_TINY 1e-10f
#define BLOCK    8 /* matrix rows in one piece of work */

#define RATE_KEEP 0.9998f
#define RATE_TINY 1e-5f /* a step, squared */
#define RATE_MIN  3e-4f
#define RATE_TAU  2000.0f
#define RATE_WARM 50 /* updates of warming up */

/* A symbol this probable does not train the output layer. */
#define SURE 0.99f

/* ---- Making ---- */

/* Hands out parts of one block, or with no block only counts them. */
typedef struct carver {
    uint8_t *block;
    uint64_t used;
} carver;

static void *carve(carver *c, uint64_t count, size_t size)
{
    uint64_t at = c->used;
    c->used += (count * size + 63) & ~UINT64_C(63);
    return c->block ? c->block + at : NULL;
}

static float *carve_floats(carver *c, size_t count)
{
    return carve(c, count, sizeof(float));
}

static param carve_param(carver *c, size_t count)
{
    float *w = carve_floats(c, count);
    return (param){w, carve_floats(c, count)};
}

static matrix carve_matrix(carver *c, size_t in, size_t out, bool biased)
{
    matrix m = {.weight = carve_param(c, in * out), .in = in, .out = out};
    if (biased)
        m.bias = carve_param(c, out);
    return m;
}

static void carve_trace(carver *c, const nz_net *net, trace *t)
{
    size_t width = net->width, chunk = net->chunk;
    for (size_t l = 0; l < net->layers; l++) {
        layer_trace *y = &t->layer[l];
        y->x = carve_floats(c, chunk * width);
        y->n = carve_floats(c, chunk * width);
        y->z = carve_floats(c, chunk * 4 * width);
        y->s = carve_floats(c, (chunk + 1) * width);
        y->y = carve_floats(c, chunk * width);
    }
    t->touch = carve(c, chunk * net->tables, sizeof(touch));
    t->x = carve_floats(c, chunk * width);
    t->h = carve_floats(c, chunk * width);
    t->active_h = carve_floats(c, chunk * width);
    t->active_error = carve_floats(c, chunk * SYMBOLS);
}

/* Entries of the gates, padded. */
static size_t gates_of(const nz_net *net)
{
    return (net->tables * BUCKETS + NZ_LANES - 1) / NZ_LANES * NZ_LANES;
}

/* What is used together lies together; the tables come last. */
static void place(nz_net *net, carver *c)
{
    size_t width = net->width, chunk = net->chunk;
    for (size_t l = 0; l < net->layers; l++) {
        layer *y = &net->layer[l];
        y->gain = carve_param(c, width);
        y->gates = carve_matrix(c, width, 3 * width, true);
        y->back = carve_matrix(c, width, width, false);
    }
    net->gain = carve_param(c, width);
    net->out = carve_matrix(c, width, SYMBOLS, true);
    net->gate = carve_param(c, gates_of(net));
    net->logit = carve_floats(c, SYMBOLS);
    net->tree = carve_floats(c, 2 * SYMBOLS);
    carve_trace(c, net, &net->trace[0]);
    carve_trace(c, net, &net->trace[1]);
    net->error_t = carve_floats(c, chunk * SYMBOLS);
    net->dx_t = carve_floats(c, chunk * width);
    net->dy = carve_floats(c, chunk * width);
    net->dz_t = carve_floats(c, chunk * 3 * width);
    net->gate_grad = carve_floats(c, gates_of(net));
    for (size_t l = 0; l <= net->layers; l++) {
        net->dx[l] = carve_floats(c, chunk * width);
        net->dgain[l] = carve_floats(c, width);
        if (l < net->layers)
            net->dz[l] = carve_floats(c, chunk * 3 * width);
    }
    for (size_t k = 0; k < net->tables; k++) {
        table *e = &net->table[k];
        e->head = carve(c, e->count, sizeof(row_head));
        e->row = carve(c, e->count * (uint64_t)width, sizeof(int16_t));
    }
}

/* Everything but the parts of the block. */
static nz_err set_shape(nz_net *net, const nz_net_shape *s)
{
    if (s->width < NZ_LANES || s->width > NZ_NET_WIDTH_MAX || s->width % NZ_LANES ||
        s->layers < 1 || s->layers > NZ_NET_LAYERS_MAX || (s->chunk != 8 && s->chunk != 16) ||
        s->direct < 0 || s->direct > NZ_NET_DIRECT_MAX || s->hashed < 0 ||
        s->hashed > NZ_NET_HASHED_MAX || s->direct + s->hashed < 1 || s->row_bits < 3 ||
        s->row_bits > 22)
        return NZ_E_ARG;
    net->shape = *s;
    net->width = (size_t)s->width;
    net->layers = (size_t)s->layers;
    net->chunk = (size_t)s->chunk;
    net->tables = (size_t)(s->direct + s->hashed);
    for (int k = 0; k < s->direct; k++) {
        net->table[k].count = s->direct_rows[k];
        if (!s->direct_rows[k] || s->direct_rows[k] > 1u << 22)
            return NZ_E_ARG;
    }
    for (int k = 0; k < s->hashed; k++)
        net->table[s->direct + k].count = 1u << s->row_bits;
    return NZ_OK;
}

uint64_t nz_net_memory(const nz_net_shape *shape)
{
    nz_net net = {0};
    if (set_shape(&net, shape))
        return 0;
    carver c = {0};
    carve(&c, 1, sizeof net);
    place(&net, &c);
    return c.used;
}

/* Uniform in (-limit, limit): 24 bits of an xorshift. */
static float random_float(uint64_t *seed, float limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return ((float)(*seed >> 40) * (1.0f / 8388608.0f) - 1.0f) * limit;
}

static void fill(float *w, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        w[i] = value;
}

/* Outputs of variance scale^2 from inputs of variance one. */
static void fill_random(const matrix *m, float scale, uint64_t *seed)
{
    float limit = scale * nz_float_rsqrt((float)m->in * (1.0f / 3.0f));
    for (size_t i = 0; i < m->in * m->out; i++)
        m->weight.w[i] = random_float(seed, limit);
}

/* What a network begins with that nobody has trained. All rows start from zero, so that a large
 * table costs nothing until it is used. */
static void start_weights(nz_net *net)
{
    uint64_t seed = UINT64_C(88172645463325252);
    size_t width = net->width;
    for (size_t l = 0; l < net->layers; l++) {
        layer *y = &net->layer[l];
        fill(y->gain.w, width, 1.0f);
        fill_random(&y->gates, 1.0f, &seed);
        fill_random(&y->back, 0.7f, &seed);
        /* From forgetting at once to remembering for long. */
        for (size_t i = 0; i < width; i++)
            y->gates.bias.w[i] = -1.0f + 6.0f * (float)i / (float)width;
    }
    fill(net->gain.w, width, 1.0f);
    fill(net->gate.w, net->tables * BUCKETS, 1.0f);
    fill_random(&net->out, 0.2f, &seed);
}

static void start_rates(nz_net *net)
{
    size_t width = net->width;
    /* Found by trial on whole files; alone, the wider ones would like twice as much. */
    net->rate_start = width <= 32 ? 6e-3f : width <= 48 ? 2.5e-3f : width <= 64 ? 2e-3f : 1.5e-3f;
    net->rate.keep = RATE_KEEP;
    net->rate_tiny = (RATE_TINY * (float)net->chunk) * (RATE_TINY * (float)net->chunk);
    net->keep_power = 1.0f;
}

nz_err nz_net_new(nz_net **out, const nz_net_shape *shape, const nz_kern *kern, nz_pair *pair)
{
    uint64_t bytes = nz_net_memory(shape);
    if (!bytes)
        return NZ_E_ARG;
    nz_net *net = bytes <= SIZE_MAX ? nz_big_new((size_t)bytes) : NULL;
    if (!net)
        return NZ_E_MEM;
    set_shape(net, shape); /* as in nz_net_memory(): allowed */
    carver c = {(uint8_t *)net, 0};
    carve(&c, 1, sizeof *net);
    place(net, &c);
    net->bytes = (size_t)bytes;
    net->kern = kern;
    net->pair = pair;
    start_rates(net);
    if (shape->start)
        nz_net_recall(net, shape->start);
    else
        start_weights(net);
    *out = net;
    return NZ_OK;
}

void nz_net_free(nz_net *net)
{
    if (!net)
        return;
    if (net->pair)
        nz_pair_wait(net->pair);
    nz_big_free(net, net->bytes);
}

/* ---- Forwards ---- */

static unsigned bucket_of(unsigned visits)
{
    return visits < 3     ? visits
           : visits < 5   ? 3
           : visits <= 8  ? 4
           : visits <= 16 ? 5
           : visits <= 64 ? 6
                          : 7;
}

/* The line of a hash: the upper bits; the check is the lower 16. */
static row_head *line_of(const nz_net *net, size_t k, uint32_t hash)
{
    return net->table[k].head + (size_t)(hash >> (32 - net->shape.row_bits)) / WAYS * WAYS;
}

static uint32_t find_row(nz_net *net, size_t k, uint32_t hash)
{
    row_head *line = line_of(net, k, hash), *poor = line;
    uint16_t check = (uint16_t)hash;
    for (int i = 0; i < WAYS; i++) {
        if (line[i].check == check && line[i].visits)
            return (uint32_t)(line + i - net->table[k].head);
        if (line[i].visits < poor->visits)
            poor = line + i;
    }
    uint32_t at = (uint32_t)(poor - net->table[k].head);
    if (poor->visits)
        memset(net->table[k].row + at * net->width, 0, net->width * sizeof(int16_t));
    *poor = (row_head){.check = check};
    return at;
}

static void gather(nz_net *net)
{
    trace *now = &net->trace[net->now];
    touch *seen = now->touch + net->step * net->tables;
    const int16_t *row[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX];
    float gain[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX];
    for (size_t k = 0; k < net->tables; k++) {
        const table *e = &net->table[k];
        uint32_t at = net->context[k];
        if (k >= (size_t)net->shape.direct)
            at = find_row(net, k, at);
        row_head *head = e->head + at;
        row[k] = e->row + at * net->width;
        __builtin_prefetch(row[k]);
        __builtin_prefetch(row[k] + net->width - 1);
        unsigned bucket = bucket_of(head->visits);
        head->visits += head->visits < UINT8_MAX;
        gain[k] = net->gate.w[k * BUCKETS + bucket] * (1.0f / ROW_UNIT);
        seen[k] = (touch){at, head->check, (uint8_t)bucket};
    }
    float *x = now->layer[0].x + net->step * net->width;
    net->kern->net_gather(x, row, gain, net->tables, net->width);
}

/* y = bias + x * weight */
static void apply(const nz_kern *kern, const matrix *m, float *y, const float *x)
{
    memcpy(y, m->bias.w, m->out * sizeof *y);
    kern->net_mv(y, x, m->weight.w, m->in, m->out);
}

static void forward(nz_net *net)
{
    const nz_kern *kern = net->kern;
    trace *to = &net->trace[net->now];
    size_t t = net->step, width = net->width, at = t * width;
    gather(net);
    for (size_t l = 0; l < net->layers; l++) {
        const layer *m = &net->layer[l];
        layer_trace *y = &to->layer[l];
        float *z = y->z + 4 * at, *sum = (l + 1 < net->layers ? y[1].x : to->x) + at;
        y->r[t] = kern->net_norm(y->n + at, y->x + at, m->gain.w, width);
        apply(kern, &m->gates, z, y->n + at);
        kern->net_cell(z, y->s + at + width, y->y + at, y->s + at, width);
        memcpy(sum, y->x + at, width * sizeof *sum);
        kern->net_mv(sum, y->y + at, m->back.weight.w, width, width);
    }
    to->r[t] = kern->net_norm(to->h + at, to->x + at, net->gain.w, width);
    apply(kern, &net->out, net->logit, to->h + at);
    net->top = kern->net_softmax(net->tree, net->logit);
}

/* ---- Backwards ---- */

static void move(const nz_net *net, const param *p, const float *grad, size_t n)
{
    net->kern->net_move(p->w, p->v, grad, n, &net->rate);
}

static size_t items_of(const matrix *m)
{
    return m->in / BLOCK + (m->bias.w != NULL);
}

/* m is to learn from x and dy; dx becomes the gradient of its inputs x, by way of dy_t. */
static void matrix_back(nz_net *net, const matrix *m, const float *x, const float *dy, float *dy_t,
                        float *dx, size_t steps)
{
    const nz_kern *kern = net->kern;
    size_t wide = NZ_STEPS(steps);
    kern->net_flip(dy_t, dy, wide, m->out);
    kern->net_back(net->dx_t, m->weight.w, dy_t, m->in, m->out, wide);
    kern->net_flip(dx, net->dx_t, m->in, wide);
    net->lesson[net->lessons++] = (lesson){m, x, dy, steps};
    net->items += items_of(m);
}

/* Through the softmax and the last norm. */
static void back_out(nz_net *net, const trace *from)
{
    size_t width = net->width;
    float *dx = net->dx[net->layers], *dgain = net->dgain[net->layers];
    net->lessons = net->items = 0;
    matrix_back(net, &net->out, from->active_h, from->active_error, net->error_t, net->dy,
                from->active);
    fill(dx, net->chunk * width, 0);
    fill(dgain, width, 0);
    for (size_t a = 0; a < from->active; a++) {
        size_t t = from->active_step[a];
        net->kern->net_norm_back(dx + t * width, dgain, net->dy + a * width, from->x + t * width,
                                 net->gain.w, from->r[t], width);
    }
}

static void back_layer(nz_net *net, const trace *from, size_t l)
{
    const nz_kern *kern = net->kern;
    const layer *m = &net->layer[l];
    const layer_trace *y = &from->layer[l];
    size_t width = net->width, chunk = net->chunk;
    float *dx = net->dx[l], *dgain = net->dgain[l];
    /* The flip lands in dz_t, which is free until dz is known. */
    matrix_back(net, &m->back, y->y, net->dx[l + 1], net->dz_t, net->dy, chunk);
    kern->net_cell_back(net->dz[l], net->dy, y->z, y->s, chunk, width);
    matrix_back(net, &m->gates, y->n, net->dz[l], net->dz_t, net->dy, chunk);
    memcpy(dx, net->dx[l + 1], chunk * width * sizeof *dx);
    fill(dgain, width, 0);
    for (size_t t = 0; t < chunk; t++)
        kern->net_norm_back(dx + t * width, dgain, net->dy + t * width, y->x + t * width, m->gain.w,
                            y->r[t], width);
}

/* What a table's rows (one Adagrad rate each) and gates learn, in the order they were seen. */
static void train_table(nz_net *net, size_t item)
{
    const nz_kern *kern = net->kern;
    const table *e = &net->table[item];
    const touch *seen = net->trace[!net->now].touch + item;
    size_t width = net->width;
    const float *gate = net->gate.w + item * BUCKETS;
    float *grad = net->gate_grad + item * BUCKETS;
    fill(grad, BUCKETS, 0);
    for (size_t t = 0; t < net->chunk; t++, seen += net->tables) {
        row_head *head = e->head + seen->row;
        if (head->check != seen->check)
            continue; /* another context's by now */
        float g = gate[seen->bucket];
        head->energy += net->row_energy[t] * (g * g);
        float rate = ROW_RATE * ROW_UNIT * nz_float_rsqrt(head->energy + ROW_TINY) * g;
        float dot =
            kern->net_row_move(e->row + seen->row * width, net->dx[0] + t * width, rate, width);
        grad[seen->bucket] += dot * (1.0f / ROW_UNIT);
    }
}

static void train_rows(nz_net *net)
{
    size_t width = net->width;
    for (size_t t = 0; t < net->chunk; t++)
        net->row_energy[t] =
            net->kern->net_square(net->dx[0] + t * width, width) * (1.0f / (float)width);
    for (size_t k = 0; k < net->tables; k++)
        train_table(net, k);
    move(net, &net->gate, net->gate_grad, gates_of(net));
}

/* BLOCK rows of a matrix; its last item is the bias. */
static void train_item(const nz_net *net, const lesson *y, size_t item)
{
    const matrix *m = y->m;
    size_t i = item * BLOCK, out = m->out;
    if (i == m->in) {
        float g[3 * NZ_NET_WIDTH_MAX] __attribute__((aligned(64))); /* SYMBOLS fit, too */
        fill(g, out, 0);
        for (size_t t = 0; t < y->steps; t++)
            for (size_t o = 0; o < out; o++)
                g[o] += y->dy[t * out + o];
        move(net, &m->bias, g, out);
        return;
    }
    nz_net_step rows = {.w = m->weight.w + i * out,
                        .v = m->weight.v + i * out,
                        .x = y->x + i,
                        .dy = y->dy,
                        .in = m->in,
                        .out = out,
                        .steps = y->steps,
                        .rate = &net->rate};
    net->kern->net_step(&rows, BLOCK);
}

/* The items from one on and before another, counted through all lessons. */
static void train_dense(const nz_net *net, size_t item, size_t end)
{
    const lesson *y = net->lesson;
    size_t first = 0;
    for (; item < end; item++) {
        for (; item >= first + items_of(y->m); y++)
            first += items_of(y->m);
        train_item(net, y, item - first);
    }
}

static void next_rate(nz_net *net)
{
    nz_net_rate *rate = &net->rate;
    float step = (float)++net->updates, age = step + net->trained;
    float lr = net->rate_start * nz_float_rsqrt(1.0f + age * (1.0f / RATE_TAU));
    if (lr < RATE_MIN)
        lr = RATE_MIN;
    if (net->updates < RATE_WARM)
        lr *= (step + 1.0f) * (1.0f / (RATE_WARM + 1));
    net->keep_power *= RATE_KEEP;
    /* w -= lr * g / (the root of the mean square), the mean being v * (1 - keep) / (1 - keep^n) */
    float mean = (1.0f - RATE_KEEP) / (1.0f - net->keep_power);
    rate->rate = lr * nz_float_rsqrt(mean);
    rate->tiny = net->rate_tiny / mean;
}

/* What falls to the step just predicted. */
static void train_slice(void *arg)
{
    nz_net *net = arg;
    const trace *from = &net->trace[!net->now];
    size_t slice = net->step, layers = net->layers, rows = layers + 1;
    if (!net->training)
        return;
    if (slice == 0) {
        next_rate(net);
        back_out(net, from);
    } else if (slice <= layers) {
        back_layer(net, from, layers - slice);
    } else if (slice == rows) {
        train_rows(net);
        for (size_t l = 0; l < layers; l++)
            move(net, &net->layer[l].gain, net->dgain[l], net->width);
        move(net, &net->gain, net->dgain[layers], net->width);
    } else {
        size_t slices = net->chunk - rows - 1, i = slice - rows - 1;
        train_dense(net, net->items * i / slices, net->items * (i + 1) / slices);
    }
}

static void chunk_end(nz_net *net)
{
    const trace *from = &net->trace[net->now];
    net->step = 0;
    net->training = from->active > 0; /* else every gradient is zero */
    net->now ^= net->training;
    trace *to = &net->trace[net->now];
    to->active = 0;
    for (size_t l = 0; l < net->layers; l++)
        memcpy(to->layer[l].s, from->layer[l].s + net->chunk * net->width,
               net->width * sizeof(float));
}

/* The truth about the last prediction. */
static void take_in(nz_net *net, uint8_t byte)
{
    trace *now = &net->trace[net->now];
    size_t t = net->step++, width = net->width, a = now->active;
    const float *leaf = net->tree + SYMBOLS;
    float inverse = 1.0f / net->tree[1];
    if (leaf[byte] * inverse <= SURE) {
        float *error = now->active_error + a * SYMBOLS;
        for (size_t i = 0; i < SYMBOLS; i++)
            error[i] = leaf[i] * inverse;
        error[byte] -= 1.0f;
        memcpy(now->active_h + a * width, now->h + t * width, width * sizeof(float));
        now->active_step[a] = t;
        now->active++;
    }
    if (net->step == net->chunk)
        chunk_end(net);
}

/* ---- Byte by byte ---- */

/* Into the cache of whoever will work on them. */
static void fetch_rows(const nz_net *net)
{
    size_t n = (size_t)net->shape.direct;
    for (size_t k = 0; k < n; k++) {
        __builtin_prefetch(net->table[k].head + net->context[k]);
        __builtin_prefetch(net->table[k].row + net->context[k] * net->width);
    }
    for (size_t k = n; k < net->tables; k++)
        __builtin_prefetch(line_of(net, k, net->context[k]));
}

static void predict_byte(void *arg)
{
    nz_net *net = arg;
    if (net->pair)
        fetch_rows(net);
    if (net->told)
        take_in(net, net->byte);
    forward(net);
}

void nz_net_begin(nz_net *net, const uint32_t *direct, const uint32_t *hash)
{
    size_t n = (size_t)net->shape.direct;
    if (net->pair) {
        nz_pair_wait(net->pair);
        nz_pair_wake(net->pair);
    }
    memcpy(net->context, direct, n * sizeof *direct);
    memcpy(net->context + n, hash, (size_t)net->shape.hashed * sizeof *hash);
    if (net->pair)
        nz_pair_post(net->pair, predict_byte, net);
    else
        fetch_rows(net);
}

void nz_net_finish(nz_net *net)
{
    if (!net->pair) {
        predict_byte(net);
        train_slice(net);
        return;
    }
    nz_pair_wait(net->pair);
    for (size_t i = 0; i < 2 * SYMBOLS; i += 16)
        __builtin_prefetch(net->tree + i);
    nz_pair_post(net->pair, train_slice, net);
}

void nz_net_learn(nz_net *net, uint8_t byte)
{
    net->byte = byte;
    net->told = true;
}

/* ---- Questions ---- */

int nz_net_stretch(const nz_net *net, unsigned c0)
{
    const float *pair = net->tree + 2 * c0;
    float s = (nz_float_log(pair[1]) - nz_float_log(pair[0])) * NZ_NET_STRETCH;
    s = nz_float_limit(s, NZ_NET_STRETCH_MAX);
    return nz_float_bits(s + NZ_ROUND) - NZ_ROUND_BITS;
}

unsigned nz_net_top(const nz_net *net, unsigned *p16)
{
    float p = net->tree[SYMBOLS + net->top] / net->tree[1];
    int q = (int)(p * 65536.0f + 0.5f);
    *p16 = q < 1 ? 1 : q > 65535 ? 65535 : (unsigned)q;
    return net->top;
}
