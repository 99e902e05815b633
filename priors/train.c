/* Trains the starts of the networks: train DIR >nets.bin. Each network reads those of the folder's
 * files that are of its kind once, at most FILE_MAX bytes of each: 21 MB of text read twice teach
 * less, for the weights grow, and learn the slower afterwards. `make nets` runs it when the
 * network, its contexts or a level's shape have changed. */
#include "base/base.h"
#include "base/parallel.h"
#include "model/deep.h"
#include "model/deep_plan.h"
#include "model/net_start.h"
#include "ngram/match.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_MAX = 10000, FILE_MAX = 1 << 17, MATCH_BITS = 17 };
enum { LEVELS = NZ_LEVEL_MAX - 4, KINDS = 2 };

/* Texts resemble each other; of binary files each kind is a world of its own, best learned fast. */
static const uint16_t counts_for[KINDS] = {[NZ_KIND_TEXT] = 20000, [NZ_KIND_BINARY] = 300};

typedef struct file {
    uint8_t *raw;
    size_t n;
    nz_kind kind;
} file;

static file files[FILES_MAX];
static size_t file_count;

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int read_files(const char *dir)
{
    struct dirent **names;
    int count = scandir(dir, &names, visible, alphasort);
    for (int i = 0; i < count && i < FILES_MAX; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        FILE *f = fopen(path, "rb");
        file *to = &files[file_count];
        if (!f || !(to->raw = malloc(FILE_MAX)))
            return -1;
        to->n = fread(to->raw, 1, FILE_MAX, f);
        nz_shape s;
        nz_shape_choose(&s, NZ_LEVEL_MAX, to->raw, to->n);
        to->kind = s.content.kind;
        file_count += to->n > 0;
        fclose(f);
    }
    /* Files with names alike come far apart. */
    for (uint32_t i = 1; i < file_count; i++) {
        file *other = &files[nz_hash32(i, 0) % (i + 1)], hold = files[i];
        files[i] = *other;
        *other = hold;
    }
    return file_count ? 0 : -1;
}

/* A byte after the other, as the deep engine would. */
static nz_err study(nz_net *net, const nz_shape *s, const file *f)
{
    const nz_deep_kind *kind = nz_deep_kind_of(s);
    nz_past past;
    nz_match match;
    nz_err err = NZ_OK;
    if (nz_past_new(&past, f->raw) | nz_match_new(&match, MATCH_BITS, NZ_DEEP_MATCH_MIN))
        err = NZ_E_MEM;
    nz_net_forget(net);
    for (size_t i = 0; i < f->n && !err; i++) {
        uint32_t direct[NZ_ROWS_DIRECT], hash[NZ_ROWS_HASHED];
        nz_contexts_net(direct, hash, &past, kind->contexts, nz_deep_plan_of(s)->tier,
                        nz_match_state(&match));
        nz_net_begin(net, direct, hash);
        nz_net_finish(net);
        nz_net_learn(net, f->raw[i]);
        nz_past_next(&past, f->raw[i]);
        if (kind->known)
            kind->known(&past, f->raw[i]);
        nz_match_next(&match, f->raw, past.pos);
    }
    nz_match_free(&match);
    nz_past_free(&past);
    return err;
}

static nz_err study_all(nz_net *net, const nz_shape *s)
{
    nz_err err = NZ_OK;
    for (size_t i = 0; i < file_count && !err; i++)
        if (files[i].kind == s->content.kind)
            err = study(net, s, &files[i]);
    return err;
}

typedef struct start {
    uint8_t *bytes;
    size_t size;
} start;

static nz_err make_start(start *out, int level, int kind)
{
    nz_shape s = {.level = (uint8_t)level, .content = {.kind = (nz_kind)kind}};
    nz_kern kern;
    nz_net *net;
    nz_kern_init(&kern, nz_cpu());
    nz_deep_choose(&s, FILE_MAX, 0);
    nz_net_shape shape = nz_deep_net(&s);
    shape.start = NULL;
    out->size = nz_net_start_size(&shape);
    out->bytes = malloc(out->size);
    nz_err err = out->bytes ? nz_net_new(&net, &shape, &kern, NULL) : NZ_E_MEM;
    if (err)
        return err;
    err = study_all(net, &s);
    nz_net_record(net, counts_for[kind], out->bytes);
    nz_net_free(net);
    fprintf(stderr, "level %d, %s: %zu bytes\n", level, kind ? "binary" : "text", out->size);
    return err;
}

static start starts[LEVELS * KINDS];
static _Atomic bool failed;

/* The largest come first. */
static void make_piece(void *arg, size_t i, bool caller)
{
    int k = LEVELS * KINDS - 1 - (int)i;
    (void)arg, (void)caller;
    if (make_start(&starts[k], 5 + k / KINDS, k % KINDS))
        failed = true;
}

int main(int argc, char **argv)
{
    if (argc != 2 || read_files(argv[1])) {
        fprintf(stderr, "usage: train DIR >nets.bin, with files to learn from in DIR\n");
        return 2;
    }
    nz_parallel(LEVELS * KINDS, nz_cores(), make_piece, NULL);
    bool bad = failed;
    for (int k = 0; k < LEVELS * KINDS && !bad; k++) {
        uint8_t size[4];
        nz_store32(size, (uint32_t)starts[k].size);
        bad = fwrite(size, sizeof size, 1, stdout) != 1 ||
              fwrite(starts[k].bytes, starts[k].size, 1, stdout) != 1;
    }
    return bad || fflush(stdout);
}
