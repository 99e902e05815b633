/* gzip's habits first, then xz's and zstd's. The later option wins, and NZIP_OPT is read before
 * the command line; the name we are called by (nzcat, nunzip) is read before both. */
#include "cli/options.h"
#include "cli/command.h"
#include "cli/message.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENV_WORDS_MAX 64

enum {
    OPT_RM = 256,
    OPT_FRAME,
    OPT_CHECK,
    OPT_SALVAGE,
    OPT_TENSOR,
    OPT_BASE,
    OPT_WEIGHTS,
    OPT_DTYPE,
    OPT_PRIOR,
    OPT_NO_PRIOR,
    OPT_CSV,
    OPT_SVG
};

static const char SHORT[] = "0123456789zdctlkfo:qvrT:M:hV";
static const struct option LONG[] = {
    {"compress", no_argument, NULL, 'z'},
    {"decompress", no_argument, NULL, 'd'},
    {"uncompress", no_argument, NULL, 'd'},
    {"stdout", no_argument, NULL, 'c'},
    {"to-stdout", no_argument, NULL, 'c'},
    {"test", no_argument, NULL, 't'},
    {"list", no_argument, NULL, 'l'},
    {"keep", no_argument, NULL, 'k'},
    {"rm", no_argument, NULL, OPT_RM},
    {"force", no_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"recursive", no_argument, NULL, 'r'},
    {"fast", no_argument, NULL, '1'},
    {"best", no_argument, NULL, '9'},
    {"threads", required_argument, NULL, 'T'},
    {"memory", required_argument, NULL, 'M'},
    {"frame", required_argument, NULL, OPT_FRAME},
    {"dtype", required_argument, NULL, OPT_DTYPE},
    {"base", required_argument, NULL, OPT_BASE},
    {"check", no_argument, NULL, OPT_CHECK},
    {"salvage", no_argument, NULL, OPT_SALVAGE},
    {"tensor", required_argument, NULL, OPT_TENSOR},
    {"weights", optional_argument, NULL, OPT_WEIGHTS},
    {"prior", required_argument, NULL, OPT_PRIOR},
    {"no-prior", no_argument, NULL, OPT_NO_PRIOR},
    {"csv", required_argument, NULL, OPT_CSV},
    {"svg", required_argument, NULL, OPT_SVG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char HELP[] =
    "Usage: nzip [OPTION]... [FILE]...\n"
    "       nzip bench [OPTION]... FILE...\n"
    "       nzip explain [OPTION]... FILE...\n"
    "Compress FILEs to FILE.nz with models that learn while they read; lossless,\n"
    "and the same bytes on every machine. Without FILE, or with -: stdin to stdout.\n"
    "A directory stands for the files in it, each by itself.\n"
    "\n"
    "  -z, --compress      compress (the default)\n"
    "  -d, --decompress    restore FILE from FILE.nz\n"
    "  -t, --test          decode and check, write nothing\n"
    "  -l, --list          sizes, ratio, method, tensors; -v: frames, bits by part\n"
    "      --salvage       with -d: of a damaged archive what is left, into FILE.salvaged;\n"
    "                      with -t: tell what is damaged\n"
    "      --tensor=NAME   with -d: of a model checkpoint this tensor's bytes alone\n"
    "  -1 .. -9            fastest .. smallest; the default is -5\n"
    "      --fast, --best  the same as -1, -9\n"
    "      --dtype=TYPE[,ROW]  the input is an array of BF16, F16, F32, F8_E4M3, Q8_0 ...\n"
    "                      numbers, ROW of them a row, in no container\n"
    "      --base=FILE     pack tensors by their difference from those of FILE; unpacking\n"
    "                      needs the same FILE again. --base=none: files of a directory\n"
    "                      share nothing\n"
    "      --weights=MODE  tensors of checkpoints: off, turbo, fast, max; default auto,\n"
    "                      by level\n"
    "      --prior=KIND    text the model reads first: auto (the default), prose, markup,\n"
    "                      code, data; --no-prior: none\n"
    "\n"
    "  -c, --stdout        write to standard output\n"
    "  -o, --output=FILE   write to FILE\n"
    "  -f, --force         overwrite, follow links, write archives to a terminal;\n"
    "                      -dcf: copy what is no archive\n"
    "  -k, --keep          keep the input (the default)\n"
    "      --rm            remove the input once the output is safe on disk\n"
    "  -r, --recursive     go into the directories of a directory\n"
    "      --check         decode a new archive before it gets its name\n"
    "\n"
    "  -T, --threads=N     use N cores; 0, the default, means all\n"
    "  -M, --memory=SIZE   allocate no more than this (512M, 4G, 50%; default: half)\n"
    "      --frame=SIZE    raw bytes a frame; frames are packed side by side\n"
    "  -q, --quiet         no warnings, no progress; -qq: no errors either\n"
    "  -v, --verbose       one summary line a file\n"
    "  -h, --help          this text\n"
    "  -V, --version       version and the kernels in use\n"
    "\n"
    "nzip bench: sizes and speeds of levels (-1 -3 -5 -7 -9, or those given) beside\n"
    "those of zstd and xz, every round trip checked.\n"
    "      --csv=FILE, --svg=FILE  the same as a table; ratio against speed, drawn\n"
    "nzip explain: a page FILE.html that shows what each byte of FILE or of an archive\n"
    "costs and which models spare how much; of checkpoints the bits of each tensor.\n"
    "\n"
    "Exit status: 0 all well, 1 an error, 2 a warning. NZIP_OPT holds default options.\n";

static bool read_number(uint64_t *out, const char **text)
{
    uint64_t n = 0;
    const char *p = *text;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *text = p;
    *out = n;
    return true;
}

/* 64, 64K, 64M, 64MiB, 64mb: powers of 1024 all of them. */
static bool read_unit(uint64_t *n, const char *unit)
{
    static const char LETTERS[] = "KMGT";
    if (!*unit)
        return true;
    const char *at = strchr(LETTERS, *unit & ~0x20);
    if (!at || !*at)
        return false;
    unsigned shift = 10 * (unsigned)(at - LETTERS + 1);
    if (*n > UINT64_MAX >> shift)
        return false;
    *n <<= shift;
    unit++;
    return !*unit || !strcasecmp(unit, "B") || !strcasecmp(unit, "iB");
}

static uint64_t percent_of_memory(uint64_t percent)
{
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES), size = (uint64_t)sysconf(_SC_PAGESIZE);
    return pages * size / 100 * percent;
}

static bool read_size(uint64_t *out, const char *text, bool percent)
{
    const char *rest = text;
    if (!read_number(out, &rest))
        return false;
    if (percent && !strcmp(rest, "%")) {
        if (*out > 100)
            return false;
        *out = percent_of_memory(*out);
    } else if (!read_unit(out, rest)) {
        return false;
    }
    return *out > 0;
}

static bool set_size(uint64_t *out, const char *option, const char *text, bool percent)
{
    if (read_size(out, text, percent))
        return true;
    say_error("%s: '%s' is not a size; write for example 64M%s", option, text,
              percent ? ", 2G or 50%" : " or 1G");
    return false;
}

static bool set_threads(nz_options *nz, const char *text)
{
    uint64_t n;
    const char *rest = text;
    if (!read_number(&n, &rest) || *rest || n > 1024) {
        say_error("-T: '%s' is not a number of threads (0 to 1024)", text);
        return false;
    }
    nz->threads = (int)n;
    return true;
}

static bool set_weights(nz_options *nz, const char *text)
{
    static const char *const MODES[] = {[NZ_WEIGHTS_AUTO] = "auto",
                                        [NZ_WEIGHTS_OFF] = "off",
                                        [NZ_WEIGHTS_TURBO] = "turbo",
                                        [NZ_WEIGHTS_FAST] = "fast",
                                        [NZ_WEIGHTS_MAX] = "max"};
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++)
        if (!strcmp(text, MODES[i])) {
            nz->weights = (nz_weights_option)i;
            return true;
        }
    say_error("--weights: '%s' is none of auto, off, turbo, fast and max", text);
    return false;
}

static bool set_prior(nz_options *nz, const char *text)
{
    static const char *const KINDS[] = {
        [NZ_PRIOR_AUTO] = "auto",     [NZ_PRIOR_OFF] = "off",   [NZ_PRIOR_PROSE] = "prose",
        [NZ_PRIOR_MARKUP] = "markup", [NZ_PRIOR_CODE] = "code", [NZ_PRIOR_DATA] = "data"};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (!strcmp(text, KINDS[i])) {
            nz->prior = (nz_prior_option)i;
            return true;
        }
    say_error("--prior: '%s' is none of auto, off, prose, markup, code and data", text);
    return false;
}

/* NAME or NAME,ROW; whether there is such a type the library says. */
static bool set_dtype(nz_options *nz, char *text)
{
    const char *rest = strchr(text, ',');
    nz->dtype = text;
    nz->row = 0;
    if (!rest)
        return true;
    text[rest - text] = 0;
    rest++;
    if (read_number(&nz->row, &rest) && !*rest && nz->row)
        return true;
    say_error("--dtype: the row after the comma is not a number of elements");
    return false;
}

static bool add_tensor(options *o, char *name)
{
    char **more = realloc(o->tensors, ((size_t)o->tensor_count + 1) * sizeof *more);
    if (!more) {
        say_error("--tensor: out of memory");
        return false;
    }
    o->tensors = more;
    more[o->tensor_count++] = name;
    return true;
}

static void set_output(options *o, const char *name)
{
    bool is_stdout = !strcmp(name, "-") || !strcmp(name, "/dev/stdout");
    o->to_stdout |= is_stdout;
    o->output = is_stdout ? NULL : name;
}

static void print_version(void)
{
    printf("%s\nkernels: %s (every kernel gives the same bytes)\n", nz_version(), nz_backend());
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static parsed set_level(options *o, int level)
{
    o->nz.level = level;
    o->levels |= 1u << level;
    o->too_high = false;
    if (level)
        return PARSED_RUN;
    say_error("-0: levels are -1 to -9");
    return PARSED_WRONG;
}

/* zstd's -19 comes as two options. `word`: where getopt stood between them; it tells not whether it
 * was inside that word, but only a word with both digits side by side has them as one number. */
static bool is_number(const char *word, int first, int second)
{
    const char both[] = {(char)first, (char)second, 0};
    return is_digit(first) && is_digit(second) && word && word[0] == '-' && strstr(word, both);
}

static parsed set_value(options *o, int option, char *value)
{
    bool good = true;
    switch (option) {
    case 'T': good = set_threads(&o->nz, value); break;
    case 'M': good = set_size(&o->nz.memory, "--memory", value, true); break;
    case OPT_FRAME: good = set_size(&o->nz.frame, "--frame", value, false); break;
    case OPT_WEIGHTS: good = set_weights(&o->nz, value ? value : "fast"); break;
    case OPT_PRIOR: good = set_prior(&o->nz, value); break;
    case OPT_BASE:
        o->alone = !strcmp(value, "none");
        o->base = o->alone ? NULL : value;
        break;
    case OPT_DTYPE: good = set_dtype(&o->nz, value); break;
    case OPT_TENSOR: good = add_tensor(o, value); break;
    case OPT_CSV: o->csv = value; break;
    case OPT_SVG: o->svg = value; break;
    case 'o': set_output(o, value); break;
    case 'h': fputs(HELP, stdout); return PARSED_DONE;
    case 'V': print_version(); return PARSED_DONE;
    default: fputs("nzip: try 'nzip --help'\n", stderr); good = false;
    }
    return good ? PARSED_RUN : PARSED_WRONG;
}

static parsed set_option(options *o, int option, char *value)
{
    if (is_digit(option))
        return set_level(o, option - '0');
    switch (option) {
    case 'z': o->task = TASK_PACK; break;
    case 'd': o->task = TASK_UNPACK; break;
    case 't': o->task = TASK_TEST; break;
    case 'l': o->task = TASK_LIST; break;
    case 'c': o->to_stdout = true; break;
    case 'k':
    case OPT_RM:
        o->remove = option == OPT_RM;
        o->keep = !o->remove;
        break;
    case 'f': o->force = true; break;
    case 'q': o->verbose = o->verbose < 0 ? -2 : -1; break;
    case 'v': o->verbose = 1; break;
    case 'r': o->recurse = true; break;
    case OPT_CHECK: o->check = true; break;
    case OPT_SALVAGE: o->salvage = true; break;
    case OPT_NO_PRIOR: o->nz.prior = NZ_PRIOR_OFF; break;
    default: return set_value(o, option, value);
    }
    return PARSED_RUN;
}

/* Leaves optind at the first name. argv is reordered, names last. */
static parsed read_words(options *o, int argc, char **argv)
{
    const char *word = NULL;
    int option, last = 0;
    optind = 0; /* glibc and musl: start again */
    while ((option = getopt_long(argc, argv, SHORT, LONG, NULL)) != -1) {
        bool high = is_number(word, last, option);
        parsed p = high ? set_level(o, NZ_LEVEL_MAX) : set_option(o, option, optarg);
        if (p != PARSED_RUN)
            return p;
        if (high)
            o->levels &= ~(1u << (last - '0')); /* its first digit was no level */
        o->too_high |= high;
        last = option;
        word = argv[optind];
    }
    return PARSED_RUN;
}

static parsed read_environment(options *o)
{
    static char self[] = "nzip: NZIP_OPT";
    char *words[ENV_WORDS_MAX + 2] = {self}, *rest = NULL;
    int n = 1;
    const char *text = getenv("NZIP_OPT");
    if (!text)
        return PARSED_RUN;
    if (!(o->env = strdup(text))) {
        say_error("NZIP_OPT: out of memory");
        return PARSED_WRONG;
    }
    for (char *w = strtok_r(o->env, " \t\n", &rest); w && n <= ENV_WORDS_MAX;
         w = strtok_r(NULL, " \t\n", &rest))
        words[n++] = w;
    parsed p = read_words(o, n, words);
    if (p == PARSED_RUN && optind < n) {
        say_error("NZIP_OPT: '%s' is not an option", words[optind]);
        return PARSED_WRONG;
    }
    return p;
}

/* True when the name says what to do. */
static bool read_own_name(options *o, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path ? path : "";
    if (!strcmp(name, "nzcat")) {
        o->task = TASK_UNPACK;
        o->to_stdout = true;
    } else if (!strcmp(name, "nunzip")) {
        o->task = TASK_UNPACK;
    }
    return o->task == TASK_UNPACK;
}

static const char *contradiction(const options *o)
{
    if (o->csv || o->svg)
        return "--csv and --svg go with the command bench";
    if (o->output && o->to_stdout)
        return "-o and -c exclude each other";
    if (o->output && (o->count > 1 || o->recurse))
        return "-o takes one input; use -c to join several";
    if (o->remove && o->to_stdout)
        return "--rm and -c exclude each other";
    if (o->tensor_count && o->task != TASK_UNPACK)
        return "--tensor goes with -d; -l lists the tensors";
    if (o->tensor_count && o->remove)
        return "--rm and --tensor exclude each other";
    if (o->tensor_count > 1 && o->output)
        return "-o takes one --tensor; use -c to join several";
    if (o->salvage && o->task != TASK_UNPACK && o->task != TASK_TEST)
        return "--salvage goes with -d or -t";
    if (o->salvage && o->remove)
        return "--rm and --salvage exclude each other";
    if (o->salvage && o->tensor_count)
        return "--salvage and --tensor exclude each other";
    if (o->check && o->to_stdout)
        return "--check needs an output file, not -c";
    return NULL;
}

/* Of NZIP_OPT, where they make sense: `nzcat` is no mistake of who always has --rm. */
static void add_habits(options *o, const options *habits)
{
    bool to_file = !o->to_stdout && !o->tensor_count;
    o->remove |= habits->remove && to_file && !o->keep;
    o->check |= habits->check && to_file;
}

parsed options_read(options *o, int argc, char **argv)
{
    static char self[] = "nzip";
    *o = (options){0};
    bool named = read_own_name(o, argc ? argv[0] : NULL), command = false;
    parsed p = read_environment(o);
    if (p != PARSED_RUN || !argc)
        return p;
    const options habits = *o;
    o->remove = o->keep = o->check = false;
    o->levels = 0;
    if (argc > 1 && !named && (command = command_read(o, argv[1]))) {
        argv++;
        argc--;
    }
    task task = o->task;
    argv[0] = self; /* getopt's messages begin with it */
    if ((p = read_words(o, argc, argv)) != PARSED_RUN)
        return p;
    add_habits(o, &habits);
    o->names = argv + optind;
    o->count = argc - optind;
    if (command)
        return command_fits(o, task) ? PARSED_RUN : PARSED_WRONG;
    const char *wrong = contradiction(o);
    if (wrong)
        say_error("%s", wrong);
    else if (o->too_high && o->verbose >= 0)
        say_note("the highest level is -9, which is taken");
    return wrong ? PARSED_WRONG : PARSED_RUN;
}

uint64_t options_memory(const options *o)
{
    return o->nz.memory ? o->nz.memory : percent_of_memory(50);
}

void options_free(options *o)
{
    free(o->tensors);
    free(o->env);
}
