/* The definition of every kernel. */
#include "kern.h"

#include "adapt.h"

#include "kern_float.h"

void nz_kern_c(nz_kern *k);

static void mix_dot_c(int32_t *out, const int16_t *x, int16_t *const *rows, size_t sets, size_t n)
{
    for (size_t s = 0; s < sets; s++) {
        uint32_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (uint32_t)(x[i] * rows[s][i]);
        out[s] = (int32_t)sum;
    }
}

static void mix_train_c(int16_t *const *rows, const int16_t *x, const int32_t *err, size_t sets,
                        size_t n)
{
    for (size_t s = 0; s < sets; s++)
        for (size_t i = 0; i < n; i++) {
            int16_t *high = rows[s] + i, *low = high + n;
            uint32_t w = (uint32_t)*high << 16 | (uint16_t)*low;
            w += (uint32_t)(x[i] * err[s]);
            *high = (int16_t)(w >> 16);
            *low = (int16_t)w;
        }
}

/* ---- Network ---- */

static float fold(float *s)
{
    for (size_t w = NZ_LANES / 2; w > 0; w /= 2)
        for (size_t j = 0; j < w; j++)
            s[j] += s[j + w];
    return s[0];
}

static float net_square_c(const float *x, size_t n)
{
    float s[NZ_LANES] = {0};
    for (size_t i = 0; i < n; i += NZ_LANES)
        for (size_t j = 0; j < NZ_LANES; j++)
            s[j] += x[i + j] * x[i + j];
    return fold(s);
}

static void net_mv_c(float *restrict y, const float *restrict x, const float *restrict w, size_t in,
                     size_t out)
{
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++)
            y[o] += x[i] * w[i * out + o];
}

static float net_norm_c(float *y, const float *x, const float *gain, size_t n)
{
    float r = nz_float_rsqrt(net_square_c(x, n) * (1.0f / (float)n) + NZ_NORM_TINY);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * r * gain[i];
    return r;
}

static void net_norm_back_c(float *dx, float *dgain, const float *dy, const float *x,
                            const float *gain, float r, size_t n)
{
    float s[NZ_LANES] = {0};
    for (size_t i = 0; i < n; i += NZ_LANES)
        for (size_t j = 0; j < NZ_LANES; j++)
            s[j] += dy[i + j] * gain[i + j] * x[i + j];
    float k = fold(s) * r * r * (r * (1.0f / (float)n));
    for (size_t i = 0; i < n; i++) {
        dgain[i] += dy[i] * x[i] * r;
        dx[i] = nz_float_limit(dx[i] + (dy[i] * gain[i] * r - x[i] * k), NZ_GRAD_MAX);
    }
}

static void net_cell_c(float *z, float *s, float *y, const float *before, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float f = nz_float_sigmoid(nz_float_limit(z[i], NZ_CELL_MAX));
        float v = nz_float_limit(z[n + i], NZ_CELL_MAX);
        float u = nz_float_limit(z[2 * n + i], NZ_CELL_MAX);
        float g = nz_float_sigmoid(u);
        z[i] = f;
        z[n + i] = v;
        z[2 * n + i] = u;
        z[3 * n + i] = g;
        s[i] = f * before[i] + (1.0f - f) * v;
        y[i] = s[i] * (u * g);
    }
}

static void net_cell_back_c(float *dz, const float *dy, const float *z, const float *s,
                            size_t steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float ds = 0;
        for (size_t t = steps; t-- > 0;) {
            const float *zt = z + t * 4 * n + i;
            float *q = dz + t * 3 * n + i, d = dy[t * n + i];
            float f = zt[0], v = zt[n], u = zt[2 * n], g = zt[3 * n], ug = u * g;
            float c = ds + d * ug;
            q[0] = nz_float_limit(c * (s[t * n + i] - v) * (f * (1.0f - f)), NZ_GRAD_MAX);
            q[n] = nz_float_limit(c * (1.0f - f), NZ_GRAD_MAX);
            q[2 * n] = nz_float_limit(d * s[(t + 1) * n + i] * (g + ug * (1.0f - g)), NZ_GRAD_MAX);
            ds = c * f;
        }
    }
}

static unsigned net_softmax_c(float *tree, const float *logit)
{
    unsigned top = 0;
    for (unsigned i = 1; i < 256; i++)
        if (logit[i] > logit[top])
            top = i;
    float max = logit[top];
    for (unsigned i = 0; i < 256; i++)
        tree[256 + i] = nz_float_exp(logit[i] - max) + NZ_SOFTMAX_FLOOR;
    for (unsigned i = 255; i > 0; i--)
        tree[i] = tree[2 * i] + tree[2 * i + 1];
    return top;
}

static void net_flip_c(float *dst, const float *src, size_t rows, size_t cols)
{
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows; r++)
            dst[c * rows + r] = src[r * cols + c];
}

static void net_move_c(float *restrict w, float *restrict v, const float *restrict g, size_t n,
                       const nz_net_rate *rate)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = rate->keep * v[i] + g[i] * g[i];
        w[i] -= rate->rate * g[i] * nz_float_rsqrt_rough(v[i] + rate->tiny);
    }
}

static void net_back_c(float *restrict dx, const float *restrict w, const float *restrict dyt,
                       size_t rows, size_t out, size_t wide)
{
    for (size_t i = 0; i < rows; i++, dx += wide, w += out) {
        memset(dx, 0, wide * sizeof *dx);
        for (size_t o = 0; o < out; o++)
            for (size_t t = 0; t < wide; t++)
                dx[t] += w[o] * dyt[o * wide + t];
    }
}

static void net_step_c(const nz_net_step *job, size_t rows)
{
    size_t out = job->out;
    for (size_t i = 0; i < rows; i++)
        for (size_t o = 0, at = i * out; o < out; o += NZ_LANES, at += NZ_LANES) {
            float g[NZ_LANES] = {0};
            for (size_t t = 0; t < job->steps; t++)
                for (size_t j = 0; j < NZ_LANES; j++)
                    g[j] += job->x[t * job->in + i] * job->dy[t * out + o + j];
            net_move_c(job->w + at, job->v + at, g, NZ_LANES, job->rate);
        }
}

static void net_gather_c(float *restrict x, const int16_t *const *row, const float *gain,
                         size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < n; i++)
            x[i] += gain[k] * (float)row[k][i];
}

static float net_row_move_c(int16_t *row, const float *d, float rate, size_t n)
{
    float s[NZ_LANES] = {0};
    for (size_t i = 0; i < n; i += NZ_LANES)
        for (size_t j = 0; j < NZ_LANES; j++) {
            float q = (float)row[i + j];
            s[j] += q * d[i + j];
            q = nz_float_limit(q - rate * d[i + j], NZ_ROW_MAX);
            row[i + j] = (int16_t)(nz_float_bits(q + NZ_ROUND) - NZ_ROUND_BITS);
        }
    return fold(s);
}

static void adapt_c(uint32_t *v, size_t n, int bit, uint32_t limit)
{
    for (size_t i = 0; i < n; i++)
        v[i] = nz_adapt_next(v[i], bit, limit);
}

static void sketch_add_c(uint16_t *differ, const uint64_t *sketch, uint64_t own, size_t n)
{
    for (size_t i = 0; i < n; i++)
        differ[i] = (uint16_t)(differ[i] + __builtin_popcountll(sketch[i] ^ own));
}

void nz_kern_c(nz_kern *k)
{
    k->sketch_add = sketch_add_c;
    k->adapt = adapt_c;
    k->mix_dot = mix_dot_c;
    k->mix_train = mix_train_c;
    k->net_mv = net_mv_c;
    k->net_norm = net_norm_c;
    k->net_norm_back = net_norm_back_c;
    k->net_cell = net_cell_c;
    k->net_cell_back = net_cell_back_c;
    k->net_softmax = net_softmax_c;
    k->net_flip = net_flip_c;
    k->net_back = net_back_c;
    k->net_step = net_step_c;
    k->net_move = net_move_c;
    k->net_gather = net_gather_c;
    k->net_row_move = net_row_move_c;
    k->net_square = net_square_c;
}
