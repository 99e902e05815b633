#include "cli/whole.h"
#include "cli/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST ((size_t)1 << 16)

static bool grow(whole *w, size_t room)
{
    unsigned char *more = realloc(w->p, room);
    if (more)
        w->p = more;
    return more != NULL;
}

static void say_too_large(const source *s)
{
    say_error("%s: is held in memory as a whole, more than the limit; raise it with --memory",
              s->name);
}

bool whole_read(whole *w, const options *o, const source *s)
{
    uint64_t size = source_size(s), limit = options_memory(o);
    size_t room = size == UINT64_MAX ? FIRST : (size_t)size + 1, got = 1;
    *w = (whole){0};
    if (size != UINT64_MAX && size >= limit) {
        say_too_large(s);
        return false;
    }
    while (got && room <= limit) {
        if (!grow(w, room)) {
            say_error("%s: out of memory", s->name);
            break;
        }
        got = fread(w->p + w->n, 1, room - w->n, s->from);
        w->n += got;
        room = w->n == room ? 2 * room : room;
    }
    if (!got && !ferror(s->from))
        return true;
    if (ferror(s->from))
        say_error("%s: cannot read: %s", s->name, strerror(errno));
    else if (w->p && room > limit)
        say_too_large(s);
    whole_free(w);
    return false;
}

void whole_free(whole *w)
{
    free(w->p);
    *w = (whole){0};
}
