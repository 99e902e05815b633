/* One line a message, always "nzip: ...", whatever the names in it hold: an error outranks a
 * warning in the exit status. */
#include "cli/message.h"
#include "cli/visible.h"

#include <stdarg.h>
#include <stdio.h>

static int quiet;
static int status = STATUS_OK;

static void say(const char *format, va_list args)
{
    static char text[1 << 14]; /* of a longer name the end is cut off */
    fflush(stdout);            /* keep the order on a terminal that shows both */
    vsnprintf(text, sizeof text, format, args);
    fputs("nzip: ", stderr);
    visible_put(stderr, text);
    fputc('\n', stderr);
}

void say_error(const char *format, ...)
{
    va_list args;
    status = STATUS_ERROR;
    if (quiet > 1)
        return;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void say_warning(const char *format, ...)
{
    va_list args;
    if (status == STATUS_OK)
        status = STATUS_WARNING;
    if (quiet)
        return;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void say_note(const char *format, ...)
{
    va_list args;
    if (quiet)
        return;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void say_quietly(int times)
{
    quiet = times;
}

void say_failed(void)
{
    status = STATUS_ERROR;
}

int say_status(void)
{
    return status;
}

const char *size_text(char text[SIZE_TEXT], uint64_t bytes)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text, SIZE_TEXT, "%u bytes", (unsigned)bytes);
        return text;
    }
    double n = (double)bytes / 1024;
    unsigned u = 0;
    while (n >= 1024 && u < 5) {
        n /= 1024;
        u++;
    }
    snprintf(text, SIZE_TEXT, n < 10 ? "%.2f %s" : n < 100 ? "%.1f %s" : "%.0f %s", n, unit[u]);
    return text;
}
