/* Redrawn at most ten times a second, in one line, and wiped before anything else is said. */
#include "cli/progress.h"
#include "cli/message.h"
#include "cli/visible.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_SECONDS 0.1
#define QUIET_SECONDS  0.3 /* short jobs show nothing */
#define NAME_WIDTH     24
#define BAR_WIDTH      20
#define LONG_SECONDS   60
#define HEAD_BYTES_MAX 64 /* so few are the archive's own head, not a frame */

/* Raw bytes a second on one core of a 2020s server, rounded: good for "minutes or hours?". */
static const double SPEED[NZ_LEVEL_MAX + 1] = {0,     2.2e6, 1.4e6, 9.0e5, 5.5e5,
                                               1.3e5, 8.5e4, 5.5e4, 4.6e4, 3.2e4};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool progress_wanted(const options *o)
{
    return o->verbose >= 0 && isatty(STDERR_FILENO);
}

void progress_start(progress *p, const options *o, const char *name, uint64_t total)
{
    const char *slash = strrchr(name, '/');
    *p = (progress){.shown = progress_wanted(o), .total = total, .start = now()};
    p->name = slash && slash[1] ? slash + 1 : name;
    p->last = p->start + QUIET_SECONDS - REDRAW_SECONDS;
}

double progress_seconds(const progress *p)
{
    return now() - p->start;
}

static const char *clock_text(char text[CLOCK_TEXT], double seconds)
{
    unsigned s = seconds < 3.6e6 ? (unsigned)(seconds + 0.5) : 3600000;
    if (s < 3600)
        snprintf(text, CLOCK_TEXT, "%u:%02u", s / 60, s % 60);
    else
        snprintf(text, CLOCK_TEXT, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    return text;
}

static void draw_bar(double share)
{
    char bar[BAR_WIDTH + 1];
    int full = (int)(share * BAR_WIDTH);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "%3.0f%% [%s] ", 100 * share, bar);
}

static unsigned columns(void)
{
    struct winsize w;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col ? w.ws_col : 80;
}

static void draw_name(const char *name)
{
    char text[VISIBLE_TEXT];
    for (int n = 0; *name && n < NAME_WIDTH; n++) {
        name = visible_next(text, name);
        fputs(text, stderr);
    }
    fputc(' ', stderr);
}

static void draw(const progress *p, uint64_t raw, double seconds)
{
    char size[SIZE_TEXT], left[CLOCK_TEXT];
    double speed = seconds > 0 ? (double)raw / seconds : 0;
    bool sized = p->total != UINT64_MAX && p->total && raw <= p->total;
    unsigned width = columns();
    fputs("\r\033[K", stderr);
    if (width >= 100)
        draw_name(p->name);
    if (sized && width >= 72)
        draw_bar((double)raw / (double)p->total);
    else if (sized)
        fprintf(stderr, "%3.0f%% ", 100 * (double)raw / (double)p->total);
    fprintf(stderr, "%s", size_text(size, raw));
    if (width >= 60)
        fprintf(stderr, ", %s/s", size_text(size, (uint64_t)speed));
    if (p->now[1] > p->first[1] && width >= 60)
        fprintf(stderr, ", %.2f:1",
                (double)(p->now[0] - p->first[0]) / (double)(p->now[1] - p->first[1]));
    if (sized && speed > 0)
        fprintf(stderr, ", %s left", clock_text(left, (double)(p->total - raw) / speed));
    fflush(stderr);
}

/* A frame's packed bytes come all at once, while others are half done: only the difference between
 * two such moments tells the ratio. */
static void note_frame(progress *p, uint64_t raw)
{
    uint64_t packed = p->to ? nz_writer_packed(p->to) : p->now[1];
    if (packed == p->now[1])
        return;
    p->now[0] = raw;
    p->now[1] = packed;
    if (p->first[1] < HEAD_BYTES_MAX)
        memcpy(p->first, p->now, sizeof p->first);
}

int progress_step(void *arg, uint64_t raw_done)
{
    progress *p = arg;
    double t = p->shown ? now() : 0;
    if (!p->shown || t - p->last < REDRAW_SECONDS)
        return 0;
    note_frame(p, raw_done);
    draw(p, raw_done, t - p->start);
    p->last = t;
    p->drawn = true;
    return 0;
}

void progress_hide(progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

void progress_end(progress *p)
{
    progress_hide(p);
    p->shown = false;
}

/* The level nearest to ten times as fast, or the fastest there is. */
static int tenth(int level)
{
    int other = level;
    while (other > NZ_LEVEL_MIN && SPEED[other] < 8 * SPEED[level])
        other--;
    return other;
}

const char *progress_about(char text[CLOCK_TEXT], double seconds)
{
    if (seconds < 90)
        snprintf(text, CLOCK_TEXT, "%.0f seconds", seconds);
    else if (seconds < 90 * 60)
        snprintf(text, CLOCK_TEXT, "%.0f minutes", seconds / 60);
    else
        snprintf(text, CLOCK_TEXT, "%.1f hours", seconds / 3600);
    return text;
}

double progress_guess(int level, uint64_t total)
{
    return (double)total / SPEED[level];
}

void progress_estimate(const options *o, const char *name, uint64_t total)
{
    int level = o->nz.level ? o->nz.level : NZ_LEVEL_DEFAULT, other = tenth(level);
    char one[CLOCK_TEXT], two[CLOCK_TEXT];
    if (total == UINT64_MAX || !progress_wanted(o) || progress_guess(level, total) < LONG_SECONDS)
        return;
    progress_about(one, progress_guess(level, total));
    progress_about(two, progress_guess(other, total));
    if (other == level)
        say_note("%s: about %s on one core", name, one);
    else
        say_note("%s: about %s on one core at level %d; level %d takes about %s", name, one, level,
                 other, two);
}
