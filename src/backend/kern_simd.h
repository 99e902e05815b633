/* The network's kernels over vectors of WIDTH floats: included by each SIMD backend after it has
 * defined WIDTH, KERN (function attributes), vf and vi (GCC vectors of float and int32_t) and
 *
 *   vf limit(vf x, float max)          within +-max
 *   vf load16(const int16_t *p)        WIDTH integers as floats
 *   void store16(int16_t *p, vi a, vi b)  2 * WIDTH integers that fit
 *   void flip(float *dst, const float *src, size_t rows, size_t cols)  WIDTH x WIDTH
 *   float lanes(vf x)                  the fold of WIDTH lanes in halves
 *   vf larger(vf a, vf b)              the maximum of each lane
 *   vf pairs(vf a, vf b)               the sums of neighbours: a0+a1, a2+a3, .. of both
 *   int some(vi mask)                  whether any lane is set
 *
 * Every function does what its namesake in kern_c.c does, operation by operation. */
#include "kern_float.h"

#define PER_LANES (NZ_LANES / WIDTH)
#define INLINE    KERN inline __attribute__((always_inline))

INLINE vf splat(float x)
{
    return x - (vf){0};
}

INLINE vf get(const float *p)
{
    return *(const vf *)p;
}

INLINE void put(float *p, vf x)
{
    *(vf *)p = x;
}

INLINE vf vexp(vf x)
{
    x = limit(x, NZ_EXP_MAX);
    vf m = x * NZ_LOG2E + NZ_ROUND;
    vi k = (vi)m - NZ_ROUND_BITS;
    m -= NZ_ROUND;
    x = x - m * NZ_LN2_HIGH;
    x = x - m * NZ_LN2_LOW;
    vf p = splat(NZ_EXP_C6);
    p = p * x + NZ_EXP_C5;
    p = p * x + NZ_EXP_C4;
    p = p * x + NZ_EXP_C3;
    p = p * x + NZ_EXP_C2;
    p = p * (x * x) + x;
    p = p + 1.0f;
    return (vf)((vi)p + (k << 23));
}

INLINE vf vsigmoid(vf x)
{
    return 1.0f / (1.0f + vexp(-x));
}

INLINE vf vrsqrt_rough(vf x)
{
    vf y = (vf)(NZ_RSQRT_BITS - ((vi)x >> 1));
    return y * (1.5f - 0.5f * x * y * y);
}

/* NZ_LANES lanes in PER_LANES vectors */
INLINE float fold(const vf *s)
{
    vf a[PER_LANES];
    for (int j = 0; j < PER_LANES; j++)
        a[j] = s[j];
    for (int w = PER_LANES / 2; w > 0; w /= 2)
        for (int j = 0; j < w; j++)
            a[j] += a[j + w];
    return lanes(a[0]);
}

INLINE float square(const float *x, size_t n)
{
    vf s[PER_LANES] = {{0}};
    for (size_t i = 0; i < n; i += NZ_LANES)
        for (int j = 0; j < PER_LANES; j++) {
            vf a = get(x + i + j * WIDTH);
            s[j] += a * a;
        }
    return fold(s);
}

KERN float net_square(const float *x, size_t n)
{
    return square(x, n);
}

/* `many` vectors of outputs in registers at once; a constant wherever this is inlined. */
INLINE void mv_block(float *y, const float *x, const float *w, size_t in, size_t out, int many)
{
    vf a[8];
    for (int j = 0; j < many; j++)
        a[j] = get(y + j * WIDTH);
    for (size_t i = 0; i < in; i++)
        for (int j = 0; j < many; j++)
            a[j] += x[i] * get(w + i * out + j * WIDTH);
    for (int j = 0; j < many; j++)
        put(y + j * WIDTH, a[j]);
}

KERN void net_mv(float *y, const float *x, const float *w, size_t in, size_t out)
{
    size_t o = 0;
    if (out % (8 * WIDTH) == 0)
        for (; o < out; o += 8 * WIDTH)
            mv_block(y + o, x, w + o, in, out, 8);
    for (; o + 6 * WIDTH <= out; o += 6 * WIDTH)
        mv_block(y + o, x, w + o, in, out, 6);
    for (; o + 4 * WIDTH <= out; o += 4 * WIDTH)
        mv_block(y + o, x, w + o, in, out, 4);
    for (; o < out; o += 2 * WIDTH)
        mv_block(y + o, x, w + o, in, out, 2);
}

KERN float net_norm(float *y, const float *x, const float *gain, size_t n)
{
    float r = nz_float_rsqrt(square(x, n) * (1.0f / (float)n) + NZ_NORM_TINY);
    for (size_t i = 0; i < n; i += WIDTH)
        put(y + i, get(x + i) * r * get(gain + i));
    return r;
}

KERN void net_norm_back(float *dx, float *dgain, const float *dy, const float *x, const float *gain,
                        float r, size_t n)
{
    vf s[PER_LANES] = {{0}};
    for (size_t i = 0; i < n; i += NZ_LANES)
        for (int j = 0; j < PER_LANES; j++) {
            size_t at = i + j * WIDTH;
            s[j] += get(dy + at) * get(gain + at) * get(x + at);
        }
    float k = fold(s) * r * r * (r * (1.0f / (float)n));
    for (size_t i = 0; i < n; i += WIDTH) {
        vf d = get(dy + i), a = get(x + i);
        put(dgain + i, get(dgain + i) + d * a * r);
        put(dx + i, limit(get(dx + i) + (d * get(gain + i) * r - a * k), NZ_GRAD_MAX));
    }
}

KERN void net_cell(float *z, float *s, float *y, const float *before, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        vf f = vsigmoid(limit(get(z + i), NZ_CELL_MAX));
        vf v = limit(get(z + n + i), NZ_CELL_MAX);
        vf u = limit(get(z + 2 * n + i), NZ_CELL_MAX);
        vf g = vsigmoid(u);
        put(z + i, f);
        put(z + n + i, v);
        put(z + 2 * n + i, u);
        put(z + 3 * n + i, g);
        vf a = f * get(before + i) + (1.0f - f) * v;
        put(s + i, a);
        put(y + i, a * (u * g));
    }
}

KERN void net_cell_back(float *dz, const float *dy, const float *z, const float *s, size_t steps,
                        size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        vf ds = {0};
        for (size_t t = steps; t-- > 0;) {
            const float *zt = z + t * 4 * n + i;
            float *q = dz + t * 3 * n + i;
            vf d = get(dy + t * n + i), f = get(zt), v = get(zt + n), u = get(zt + 2 * n);
            vf g = get(zt + 3 * n), ug = u * g, c = ds + d * ug;
            put(q, limit(c * (get(s + t * n + i) - v) * (f * (1.0f - f)), NZ_GRAD_MAX));
            put(q + n, limit(c * (1.0f - f), NZ_GRAD_MAX));
            put(q + 2 * n,
                limit(d * get(s + (t + 1) * n + i) * (g + ug * (1.0f - g)), NZ_GRAD_MAX));
            ds = c * f;
        }
    }
}

KERN unsigned net_softmax(float *tree, const float *logit)
{
    vf m[4];
    for (int j = 0; j < 4; j++)
        m[j] = get(logit + j * WIDTH);
    for (size_t i = 4 * WIDTH; i < 256; i += 4 * WIDTH)
        for (int j = 0; j < 4; j++)
            m[j] = larger(m[j], get(logit + i + j * WIDTH));
    m[0] = larger(larger(m[0], m[1]), larger(m[2], m[3]));
    float max = m[0][0];
    for (int j = 1; j < WIDTH; j++)
        max = m[0][j] > max ? m[0][j] : max;
    for (size_t i = 0; i < 256; i += WIDTH)
        put(tree + 256 + i, vexp(get(logit + i) - max) + NZ_SOFTMAX_FLOOR);
    for (size_t i = 128; i >= WIDTH; i /= 2)
        for (size_t j = i; j < 2 * i; j += WIDTH)
            put(tree + j, pairs(get(tree + 2 * j), get(tree + 2 * j + WIDTH)));
    for (size_t i = WIDTH - 1; i > 0; i--)
        tree[i] = tree[2 * i] + tree[2 * i + 1];
    unsigned top = 0;
    for (size_t i = 0;; i += WIDTH) {
        vi same = get(logit + i) == max;
        if (!some(same))
            continue;
        for (top = (unsigned)i; logit[top] != max;)
            top++;
        break;
    }
    return top;
}

KERN void net_flip(float *dst, const float *src, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r += WIDTH)
        for (size_t c = 0; c < cols; c += WIDTH)
            flip(dst + c * rows + r, src + r * cols + c, rows, cols);
}

INLINE vf moved(vf w, float *v, vf g, const nz_net_rate *rate)
{
    vf q = rate->keep * get(v) + g * g;
    put(v, q);
    return w - rate->rate * g * vrsqrt_rough(q + rate->tiny);
}

KERN void net_move(float *w, float *v, const float *g, size_t n, const nz_net_rate *rate)
{
    for (size_t i = 0; i < n; i += WIDTH)
        put(w + i, moved(get(w + i), v + i, get(g + i), rate));
}

/* Four rows together; `wide` a constant wherever this is inlined. */
INLINE void back_block(float *dx, const float *w, const float *dyt, size_t out, int wide)
{
    vf a[4][16 / WIDTH];
    for (int r = 0; r < 4; r++)
        for (int j = 0; j < wide / WIDTH; j++)
            a[r][j] = (vf){0};
    for (size_t o = 0; o < out; o++)
        for (int j = 0; j < wide / WIDTH; j++) {
            vf d = get(dyt + o * wide + j * WIDTH);
            for (int r = 0; r < 4; r++)
                a[r][j] += w[r * out + o] * d;
        }
    for (int r = 0; r < 4; r++)
        for (int j = 0; j < wide / WIDTH; j++)
            put(dx + r * wide + j * WIDTH, a[r][j]);
}

KERN void net_back(float *dx, const float *w, const float *dyt, size_t rows, size_t out,
                   size_t wide)
{
    for (size_t i = 0; i < rows; i += 4)
        if (wide > 8)
            back_block(dx + i * wide, w + i * out, dyt, out, 16);
        else
            back_block(dx + i * wide, w + i * out, dyt, out, 8);
}

#define ACROSS 2 /* vectors of outputs beside each other */
KERN void net_step(const nz_net_step *job, size_t rows)
{
    size_t out = job->out;
    for (size_t i = 0; i < rows; i += 4)
        for (size_t o = 0; o < out; o += ACROSS * WIDTH) {
            vf g[4][ACROSS];
            for (int r = 0; r < 4; r++)
                for (int j = 0; j < ACROSS; j++)
                    g[r][j] = (vf){0};
            for (size_t t = 0; t < job->steps; t++) {
                const float *x = job->x + t * job->in + i;
                for (int j = 0; j < ACROSS; j++) {
                    vf d = get(job->dy + t * out + o + j * WIDTH);
                    for (int r = 0; r < 4; r++)
                        g[r][j] += x[r] * d;
                }
            }
            for (int r = 0; r < 4; r++)
                for (int j = 0; j < ACROSS; j++) {
                    size_t at = (i + r) * out + o + j * WIDTH;
                    put(job->w + at, moved(get(job->w + at), job->v + at, g[r][j], job->rate));
                }
        }
}

KERN void net_gather(float *x, const int16_t *const *row, const float *gain, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i += NZ_LANES) {
        vf a[PER_LANES];
        for (int j = 0; j < PER_LANES; j++)
            a[j] = (vf){0};
        for (size_t k = 0; k < count; k++)
            for (int j = 0; j < PER_LANES; j++)
                a[j] += gain[k] * load16(row[k] + i + j * WIDTH);
        for (int j = 0; j < PER_LANES; j++)
            put(x + i + j * WIDTH, a[j]);
    }
}

KERN float net_row_move(int16_t *row, const float *d, float rate, size_t n)
{
    vf s[PER_LANES] = {{0}};
    for (size_t i = 0; i < n; i += NZ_LANES) {
        vi q[PER_LANES];
        for (int j = 0; j < PER_LANES; j++) {
            vf a = load16(row + i + j * WIDTH), b = get(d + i + j * WIDTH);
            s[j] += a * b;
            q[j] = (vi)(limit(a - rate * b, NZ_ROW_MAX) + NZ_ROUND) - NZ_ROUND_BITS;
        }
        for (int j = 0; j < PER_LANES; j += 2)
            store16(row + i + j * WIDTH, q[j], q[j + 1]);
    }
    return fold(s);
}

static void fill(nz_kern *k)
{
    k->net_mv = net_mv;
    k->net_norm = net_norm;
    k->net_norm_back = net_norm_back;
    k->net_cell = net_cell;
    k->net_cell_back = net_cell_back;
    k->net_softmax = net_softmax;
    k->net_flip = net_flip;
    k->net_back = net_back;
    k->net_step = net_step;
    k->net_move = net_move;
    k->net_gather = net_gather;
    k->net_row_move = net_row_move;
    k->net_square = net_square;
}
