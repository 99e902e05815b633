/* The network. Time runs in chunks: the forward passes of a chunk leave their activations behind,
 * after its last byte train() goes back through them and updates everything.
 *
 * Activations are [step][width]. A matrix is trained row by row (one row per input), which also
 * gives the gradient of that input: rows can be shared between two threads without a sum changing.
 * That wants the gradient of the outputs both ways round, hence the flips. */
#include "net.h"

#include "backend/kern_float.h"
#include <stdbool.h>

#define SYMBOLS  256
#define BUCKETS  8    /* kinds of visit counts that have a gate of their own */
#define WAYS     8    /* headers in a line, rows a context may lie in */
#define ROW_UNIT 4096 /* a row holds multiples of 2^-12 */
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

typedef struct row_head {
    uint16_t check; /* of the hash; means nothing while visits == 0 */
    uint8_t visits; /* up to 255 */
    uint8_t unused;
    float energy; /* sum of mean squared gradients, for the row's rate */
} row_head;

typedef struct table {
    uint32_t count;
    row_head *head; /* lines of WAYS when hashed */
    int16_t *row;
} table;

/* The row a table gave to a step. */
typedef struct touch {
    uint32_t row;
    uint16_t check; /* the head's then: another context may have taken the row since */
    uint8_t bucket;
} touch;

/* Parameters and their decaying sums of squared gradients. */
typedef struct param {
    float *w, *v;
} param;

typedef struct matrix {
    param weight, bias; /* [in][out]; [out] or none */
    size_t in, out;
} matrix;

/* y = cell(norm(x) * gates + bias); x += y * back. One entry per step. */
typedef struct layer {
    param gain;
    matrix gates, back;
    float *x, *n; /* [width]: input and its norm */
    float *z;     /* [4 * width]: f, value, update, g */
    float *s;     /* [width], one entry more: the state before the first step */
    float *y;     /* [width] */
    float r[NZ_LANES];
} layer;

struct nz_net {
    nz_net_shape shape;
    size_t bytes; /* of the block that holds this and everything below */
    const nz_kern *kern;
    nz_pair *pair;
    size_t width, tables, layers, chunk;
    table table[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX];
    layer layer[NZ_NET_LAYERS_MAX];
    param gate; /* [table][BUCKETS] */
    param gain; /* of the last norm */
    matrix out;

    /* The byte in hand. */
    uint32_t context[NZ_NET_DIRECT_MAX + NZ_NET_HASHED_MAX];
    float *logit;
    float *tree; /* sums of unnormalised probabilities; leaves from SYMBOLS on */
    unsigned top;

    /* The chunk so far. */
    size_t step;
    touch *touch; /* [step][tables] */
    float *x, *h; /* [step][width]: last layer's output and its norm */
    float r[NZ_LANES];
    size_t active; /* steps that train the output layer, */
    size_t active_step[NZ_LANES];
    float *active_h;     /* their norms, */
    float *active_error; /* and their probabilities less the truth */

    /* Backwards. `_t` is the flipped one. */
    float *error_t, *dx, *dx_t, *dy, *dz, *dz_t, *grad;
    float row_energy[NZ_LANES]; /* mean squared gradient of each step's rows */
    float *gate_grad;
    nz_net_rate rate;
    float rate_start, rate_tiny;
    float keep_power; /* RATE_KEEP to the power of the updates so far */
    uint32_t updates;
};

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

/* What is used together lies together; the tables come last. */
static void place(nz_net *net, carver *c)
{
    size_t width = net->width, chunk = net->chunk, gates = net->tables * BUCKETS;
    for (size_t l = 0; l < net->layers; l++) {
        layer *y = &net->layer[l];
        y->gain = carve_param(c, width);
        y->gates = carve_matrix(c, width, 3 * width, true);
        y->back = carve_matrix(c, width, width, false);
        y->x = carve_floats(c, chunk * width);
        y->n = carve_floats(c, chunk * width);
        y->z = carve_floats(c, chunk * 4 * width);
        y->s = carve_floats(c, (chunk + 1) * width);
        y->y = carve_floats(c, chunk * width);
    }
    gates = (gates + NZ_LANES - 1) / NZ_LANES * NZ_LANES;
    net->gate = carve_param(c, gates);
    net->gate_grad = carve_floats(c, gates);
    net->gain = carve_param(c, width);
    net->out = carve_matrix(c, width, SYMBOLS, true);
    net->logit = carve_floats(c, SYMBOLS);
    net->tree = carve_floats(c, 2 * SYMBOLS);
    net->touch = carve(c, chunk * net->tables, sizeof(touch));
    net->x = carve_floats(c, chunk * width);
    net->h = carve_floats(c, chunk * width);
    net->active_h = carve_floats(c, chunk * width);
    net->active_error = carve_floats(c, chunk * SYMBOLS);
    net->error_t = carve_floats(c, chunk * SYMBOLS);
    net->dx = carve_floats(c, chunk * width);
    net->dx_t = carve_floats(c, chunk * width);
    net->dy = carve_floats(c, chunk * width);
    net->dz = carve_floats(c, chunk * 3 * width);
    net->dz_t = carve_floats(c, chunk * 3 * width);
    net->grad = carve_floats(c, 3 * width > SYMBOLS ? 3 * width : SYMBOLS);
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

static void start(nz_net *net)
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
    /* All rows start from zero, so that a large table costs nothing until it is used. */
    fill(net->gain.w, width, 1.0f);
    fill(net->gate.w, net->tables * BUCKETS, 1.0f);
    fill_random(&net->out, 0.2f, &seed);
    /* Found by trial: 0.006 for 32 floats, 0.005 for 48, 0.004 for 64. */
    net->rate_start = width <= 32 ? 0.006f : width <= 48 ? 0.005f : width <= 64 ? 0.004f : 0.003f;
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
    start(net);
    *out = net;
    return NZ_OK;
}

void nz_net_free(nz_net *net)
{
    if (net)
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
    touch *seen = net->touch + net->step * net->tables;
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
    net->kern->net_gather(net->layer[0].x + net->step * net->width, row, gain, net->tables,
                          net->width);
}

/* y = bias + x * weight */
static void apply(const nz_kern *kern, const matrix *m, float *y, const float *x)
{
    memcpy(y, m->bias.w, m->out * sizeof *y);
    kern->net_mv(y, x, m->weight.w, m->in, m->out);
}

static void forward(void *arg, unsigned item)
{
    nz_net *net = arg;
    const nz_kern *kern = net->kern;
    size_t t = net->step, width = net->width, at = t * width;
    (void)item;
    gather(net);
    for (size_t l = 0; l < net->layers; l++) {
        layer *y = &net->layer[l];
        float *z = y->z + 4 * at, *to = (l + 1 < net->layers ? y[1].x : net->x) + at;
        y->r[t] = kern->net_norm(y->n + at, y->x + at, y->gain.w, width);
        apply(kern, &y->gates, z, y->n + at);
        kern->net_cell(z, y->s + at + width, y->y + at, y->s + at, width);
        memcpy(to, y->x + at, width * sizeof *to);
        kern->net_mv(to, y->y + at, y->back.weight.w, width, width);
    }
    net->r[t] = kern->net_norm(net->h + at, net->x + at, net->gain.w, width);
    apply(kern, &net->out, net->logit, net->h + at);
    net->top = kern->net_softmax(net->tree, net->logit);
}

void nz_net_begin(nz_net *net, const uint32_t *direct, const uint32_t *hash)
{
    size_t n = (size_t)net->shape.direct;
    for (size_t k = 0; k < n; k++) {
        net->context[k] = direct[k];
        __builtin_prefetch(net->table[k].head + direct[k]);
        __builtin_prefetch(net->table[k].row + direct[k] * net->width);
    }
    for (size_t k = n; k < net->tables; k++) {
        net->context[k] = hash[k - n];
        __builtin_prefetch(line_of(net, k, hash[k - n]));
    }
    if (!net->pair)
        return;
    if (net->step == 0)
        nz_pair_wake(net->pair);
    nz_pair_post(net->pair, forward, net, 1);
}

void nz_net_finish(nz_net *net)
{
    if (net->pair)
        nz_pair_wait(net->pair);
    else
        forward(net, 0);
}

/* ---- Questions ---- */

static unsigned as_p16(float p)
{
    int q = (int)(p * 65536.0f + 0.5f);
    return q < 1 ? 1 : q > 65535 ? 65535 : (unsigned)q;
}

int nz_net_stretch(const nz_net *net, unsigned c0)
{
    const float *pair = net->tree + 2 * c0;
    float s = (nz_float_log(pair[1]) - nz_float_log(pair[0])) * NZ_NET_STRETCH;
    s = nz_float_limit(s, NZ_NET_STRETCH_MAX);
    return nz_float_bits(s + NZ_ROUND) - NZ_ROUND_BITS;
}

unsigned nz_net_p16(const nz_net *net, unsigned c0)
{
    return as_p16(net->tree[2 * c0 + 1] / net->tree[c0]);
}

unsigned nz_net_top(const nz_net *net, unsigned *p16)
{
    *p16 = as_p16(net->tree[SYMBOLS + net->top] / net->tree[1]);
    return net->top;
}

/* ---- Backwards ---- */

/* Work for both threads, or for one. */
static void share(nz_net *net, nz_pair_fn *fn, void *arg, unsigned items)
{
    if (net->pair) {
        nz_pair_post(net->pair, fn, arg, items);
        nz_pair_wait(net->pair);
    } else {
        while (items-- > 0)
            fn(arg, items);
    }
}

typedef struct matrix_job {
    nz_net *net;
    const matrix *m;
    nz_net_rows rows;
} matrix_job;

/* BLOCK rows each, and one more item for the bias. */
static void train_rows(void *arg, unsigned item)
{
    const matrix_job *job = arg;
    const nz_kern *kern = job->net->kern;
    nz_net_rows rows = job->rows;
    size_t i = item * (size_t)BLOCK;
    if (i < job->m->in) {
        rows.w += i * rows.out;
        rows.v += i * rows.out;
        rows.dx += i * NZ_STEPS(rows.steps);
        rows.x += i;
        kern->net_rows(&rows, BLOCK);
        return;
    }
    float *g = job->net->grad;
    fill(g, rows.out, 0);
    for (size_t t = 0; t < rows.steps; t++)
        for (size_t o = 0; o < rows.out; o++)
            g[o] += rows.dy[t * rows.out + o];
    kern->net_move(job->m->bias.w, job->m->bias.v, g, rows.out, rows.rate);
}

/* Trains m from its inputs x[steps][in] and the gradients dy[steps][out] of its outputs (flipped
 * into dy_t), and leaves the inputs' gradients in dx[steps][in]. */
static void train_matrix(nz_net *net, const matrix *m, const float *x, const float *dy, float *dy_t,
                         float *dx, size_t steps)
{
    matrix_job job = {net, m, {0}};
    job.rows = (nz_net_rows){.w = m->weight.w,
                             .v = m->weight.v,
                             .dx = net->dx_t,
                             .x = x,
                             .dy = dy,
                             .dyt = dy_t,
                             .xn = m->in,
                             .out = m->out,
                             .steps = steps,
                             .rate = &net->rate};
    net->kern->net_flip(dy_t, dy, NZ_STEPS(steps), m->out);
    share(net, train_rows, &job, (unsigned)(m->in / BLOCK) + (m->bias.w != NULL));
    net->kern->net_flip(dx, net->dx_t, m->in, NZ_STEPS(steps));
}

/* What a table's rows (one Adagrad rate each) and gates learn, in the order they were seen. */
static void train_table(void *arg, unsigned item)
{
    nz_net *net = arg;
    const nz_kern *kern = net->kern;
    const table *e = &net->table[item];
    size_t width = net->width;
    float *gate = net->gate.w + item * BUCKETS, *grad = net->gate_grad + item * BUCKETS;
    fill(grad, BUCKETS, 0);
    for (size_t t = 0; t < net->chunk; t++) {
        const touch *seen = net->touch + t * net->tables + item;
        row_head *head = e->head + seen->row;
        if (head->check != seen->check)
            continue; /* another context's by now */
        float g = gate[seen->bucket];
        head->energy += net->row_energy[t] * (g * g);
        float rate = ROW_RATE * ROW_UNIT * nz_float_rsqrt(head->energy + ROW_TINY) * g;
        float dot =
            kern->net_row_move(e->row + seen->row * width, net->dx + t * width, rate, width);
        grad[seen->bucket] += dot * (1.0f / ROW_UNIT);
    }
}

static void next_rate(nz_net *net)
{
    nz_net_rate *rate = &net->rate;
    float step = (float)++net->updates;
    float lr = net->rate_start * nz_float_rsqrt(1.0f + step * (1.0f / RATE_TAU));
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

static void train_gain(nz_net *net, const param *gain)
{
    net->kern->net_move(gain->w, gain->v, net->grad, net->width, &net->rate);
}

static void train(nz_net *net)
{
    const nz_kern *kern = net->kern;
    size_t width = net->width, chunk = net->chunk;
    next_rate(net);

    train_matrix(net, &net->out, net->active_h, net->active_error, net->error_t, net->dy,
                 net->active);
    fill(net->dx, chunk * width, 0);
    fill(net->grad, width, 0);
    for (size_t a = 0; a < net->active; a++) {
        size_t t = net->active_step[a];
        kern->net_norm_back(net->dx + t * width, net->grad, net->dy + a * width, net->x + t * width,
                            net->gain.w, net->r[t], width);
    }
    train_gain(net, &net->gain);

    for (size_t l = net->layers; l-- > 0;) {
        layer *y = &net->layer[l];
        /* The flip lands in dz_t, which is free until dz is known. */
        train_matrix(net, &y->back, y->y, net->dx, net->dz_t, net->dy, chunk);
        kern->net_cell_back(net->dz, net->dy, y->z, y->s, chunk, width);
        train_matrix(net, &y->gates, y->n, net->dz, net->dz_t, net->dy, chunk);
        fill(net->grad, width, 0);
        for (size_t t = 0; t < chunk; t++)
            kern->net_norm_back(net->dx + t * width, net->grad, net->dy + t * width,
                                y->x + t * width, y->gain.w, y->r[t], width);
        train_gain(net, &y->gain);
    }

    for (size_t t = 0; t < chunk; t++)
        net->row_energy[t] = kern->net_square(net->dx + t * width, width) * (1.0f / (float)width);
    share(net, train_table, net, (unsigned)net->tables);
    kern->net_move(net->gate.w, net->gate.v, net->gate_grad,
                   (net->tables * BUCKETS + NZ_LANES - 1) / NZ_LANES * NZ_LANES, &net->rate);
}

void nz_net_learn(nz_net *net, uint8_t byte)
{
    size_t t = net->step++, width = net->width, a = net->active;
    const float *leaf = net->tree + SYMBOLS;
    float inverse = 1.0f / net->tree[1];
    if (leaf[byte] * inverse <= SURE) {
        float *error = net->active_error + a * SYMBOLS;
        for (size_t i = 0; i < SYMBOLS; i++)
            error[i] = leaf[i] * inverse;
        error[byte] -= 1.0f;
        memcpy(net->active_h + a * width, net->h + t * width, width * sizeof(float));
        net->active_step[a] = t;
        net->active++;
    }
    if (net->step < net->chunk)
        return;
    if (net->active)
        train(net); /* else every gradient is zero */
    for (size_t l = 0; l < net->layers; l++) {
        layer *y = &net->layer[l];
        memcpy(y->s, y->s + net->chunk * width, width * sizeof *y->s);
    }
    net->step = net->active = 0;
}
