/* What the raw bytes of an archive cost: frames are decoded one after the other, while the engines
 * keep a ledger. */
#include "archive/access.h"
#include "model/ledger.h"

#include <stdlib.h>
#include <string.h>

const char *nz_model_name(nz_model model)
{
    static const char *const NAMES[NZ_MODELS] = {[NZ_MODEL_ORDERS] = "orders",
                                                 [NZ_MODEL_SPARSE] = "sparse",
                                                 [NZ_MODEL_WORDS] = "words",
                                                 [NZ_MODEL_LAYOUT] = "layout",
                                                 [NZ_MODEL_INDIRECT] = "indirect",
                                                 [NZ_MODEL_RECORDS] = "records",
                                                 [NZ_MODEL_CODE] = "code",
                                                 [NZ_MODEL_SIGNAL] = "signal",
                                                 [NZ_MODEL_MATCH] = "match",
                                                 [NZ_MODEL_NETWORK] = "network",
                                                 [NZ_MODEL_SSE] = "sse"};
    return (unsigned)model < NZ_MODELS ? NAMES[model] : NULL;
}

static const char STORED[] = "stored", TENSORS[] = "tensors", REST[] = "rest";

/* The kinds of the bytes engine and these three. */
_Static_assert(NZ_KINDS + 3 <= NZ_COST_KINDS, "a sum has room for all kinds");

typedef struct survey {
    const nz_archive *a;
    nz_cost_fn show;
    void *arg;
    nz_cost_sum *sum;
    uint64_t at; /* bytes shown */
    nz_ledger ledger;
} survey;

static nz_cost_kind *kind_of(nz_cost_sum *sum, const char *name)
{
    unsigned k = 0;
    while (k < sum->kinds && strcmp(sum->kind[k].kind, name) != 0)
        k++;
    if (k == sum->kinds)
        sum->kind[sum->kinds++].kind = name;
    return &sum->kind[k];
}

static void count(survey *v, const char *kind, size_t n, double bits)
{
    nz_cost_kind *k = kind_of(v->sum, kind);
    k->bytes += n;
    k->bits += bits;
}

static nz_err show(survey *v, nz_cost cost)
{
    cost.at = v->at;
    v->at += cost.n;
    count(v, cost.kind, cost.n, cost.sum);
    return cost.n && v->show(v->arg, &cost) ? NZ_E_STOPPED : NZ_OK;
}

/* Some bytes that the engine coded, from byte `at` of the ledger on. */
static nz_err show_coded(survey *v, const nz_shape *s, const uint8_t *raw, size_t at, size_t n)
{
    const float *bits = v->ledger.bits + at;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)bits[i];
    return show(
        v,
        (nz_cost){
            .kind = nz_kind_name(s->content.kind), .n = n, .raw = raw, .bits = bits, .sum = sum});
}

static void count_earned(survey *v, const nz_shape *s, unsigned view)
{
    nz_cost_kind *k = kind_of(v->sum, nz_kind_name(s->content.kind));
    for (int i = 0; i < NZ_MODELS; i++)
        k->earned[i] += v->ledger.earned[view][i];
}

static nz_err show_turn(void *arg, const nz_shown *t)
{
    return show_coded(arg, t->shape, t->raw, t->at, t->n);
}

/* ---- Frames by method ---- */

static nz_err explain_bytes(survey *v, const nz_opened *f, const nz_run *run, uint8_t *raw)
{
    const nz_shape *s = &f->params.shape;
    size_t n = (size_t)f->header.raw;
    nz_err err = nz_bytes_decode(s, run, f->payload, (size_t)f->header.packed, raw, n);
    if (!err)
        err = show_coded(v, s, raw, 0, n);
    if (!err)
        count_earned(v, s, 0);
    return err;
}

static nz_err explain_mixed(survey *v, const nz_opened *f, const nz_run *run, uint8_t *raw)
{
    size_t packed = (size_t)f->header.packed, codes;
    nz_mixed_list *l = calloc(1, sizeof *l);
    if (!l)
        return NZ_E_MEM;
    nz_err err = nz_mixed_list_load(l, &codes, f->payload, packed, packed);
    if (!err)
        err = nz_mixed_show(&f->params.mixed, run, f->payload, packed, raw, (size_t)f->header.raw,
                            show_turn, v);
    for (unsigned i = 0; i < l->views && !err; i++)
        count_earned(v, &l->view[i], i);
    free(l);
    return err;
}

/* Codes of slabs and, spread over what lies between them, all else. */
static nz_err explain_weights(survey *v, const nz_opened *f)
{
    uint64_t size = f->header.raw, slabs = 0, codes = 0, at = 0;
    nz_weights_map map;
    nz_coded c;
    nz_err err = nz_weights_map_open(&map, f->payload, (size_t)f->header.packed, (size_t)size);
    if (err)
        return err;
    for (nz_weights_map m = map; nz_weights_map_next(&m, &c); codes += c.packed)
        slabs += nz_slab_bytes(&c.placed.slab);
    double rest = 8 * (double)(f->header.packed - codes);
    double each = size > slabs ? rest / (double)(size - slabs) : 0;
    while (!err && nz_weights_map_next(&map, &c)) {
        size_t between = (size_t)(c.placed.at - at), n = (size_t)nz_slab_bytes(&c.placed.slab);
        err = show(v, (nz_cost){.kind = REST, .n = between, .sum = each * (double)between});
        if (!err)
            err = show(v, (nz_cost){.kind = TENSORS, .n = n, .sum = 8 * (double)c.packed});
        at = c.placed.at + n;
    }
    if (!err)
        err = show(
            v,
            (nz_cost){.kind = REST, .n = (size_t)(size - at), .sum = each * (double)(size - at)});
    return err;
}

static nz_err explain_stored(survey *v, const nz_opened *f)
{
    size_t n = (size_t)f->header.raw;
    if (nz_hash(f->payload, n) != f->header.hash)
        return NZ_E_CORRUPT;
    return show(v, (nz_cost){.kind = STORED, .n = n, .raw = f->payload, .sum = 8 * (double)n});
}

static nz_err explain_coded(survey *v, const nz_opened *f)
{
    size_t n = (size_t)f->header.raw;
    nz_run run = {.kern = &v->a->kern,
                  .second_core = v->a->threads > 1,
                  .stop = &v->ledger.stop,
                  .ledger = &v->ledger};
    uint8_t *raw = malloc(n);
    if (!raw)
        return NZ_E_MEM;
    nz_err err = f->header.method == NZ_METHOD_BYTES ? explain_bytes(v, f, &run, raw)
                                                     : explain_mixed(v, f, &run, raw);
    if (!err && nz_hash(raw, n) != f->header.hash)
        err = NZ_E_CORRUPT;
    if (!err && atomic_load(&v->ledger.stop)) /* too late for the engine to notice */
        err = NZ_E_STOPPED;
    free(raw);
    nz_ledger_free(&v->ledger);
    return err;
}

static uint64_t memory_of(const nz_opened *f)
{
    uint64_t n = f->header.raw, engine = nz_params_memory(&f->params, &f->header);
    /* Contents are no more than half of what a mixed frame's header admits. */
    if (f->header.method == NZ_METHOD_MIXED)
        return n + engine + engine / 2 * sizeof(float);
    return f->header.method == NZ_METHOD_BYTES ? n + engine + n * sizeof(float) : 0;
}

static nz_err explain_frame(survey *v, const nz_entry *e, nz_fault *fault)
{
    nz_opened f;
    nz_err err = nz_entry_open(v->a, e, &f, fault);
    if (err)
        return err;
    double before = 0, after = 0;
    for (unsigned k = 0; k < v->sum->kinds; k++)
        before += v->sum->kind[k].bits;
    v->ledger.before = e->at;
    if (memory_of(&f) > v->a->memory)
        return nz_fault_set(fault, NZ_E_LIMIT, e->offset,
                            "explaining a frame needs more memory than the limit");
    if (f.header.method == NZ_METHOD_STORED)
        err = explain_stored(v, &f);
    else if (f.header.method == NZ_METHOD_WEIGHTS)
        err = explain_weights(v, &f);
    else
        err = explain_coded(v, &f);
    for (unsigned k = 0; k < v->sum->kinds; k++)
        after += v->sum->kind[k].bits;
    v->sum->other += 8 * (double)e->packed - (after - before);
    return nz_fault_set(fault, err, e->offset,
                        err == NZ_E_CORRUPT ? "the frame's contents are corrupt"
                                            : nz_err_text(err));
}

nz_err nz_archive_explain(const nz_archive *a, nz_cost_fn show_fn, void *arg, nz_cost_sum *sum,
                          nz_fault *fault)
{
    survey v = {.a = a, .show = show_fn, .arg = arg, .sum = sum};
    v.ledger.progress = a->progress;
    v.ledger.progress_arg = a->progress_arg;
    *sum = (nz_cost_sum){0};
    sum->other = 8 * (double)a->n;
    for (size_t i = 0; i < a->frames; i++)
        sum->other -= 8 * (double)a->frame[i].packed;
    nz_fault_set(fault, NZ_OK, 0, NULL);
    for (size_t i = 0; i < a->frames; i++) {
        nz_err err = explain_frame(&v, &a->frame[i], fault);
        if (err)
            return err;
    }
    return NZ_OK;
}
