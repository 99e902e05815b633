#include "cli/command.h"
#include "cli/message.h"

#include <string.h>
#include <unistd.h>

static const char *const NAMES[] = {[TASK_BENCH] = "bench", [TASK_EXPLAIN] = "explain"};

bool command_read(options *o, const char *word)
{
    for (task t = TASK_BENCH; t <= TASK_EXPLAIN; t++)
        if (!strcmp(word, NAMES[t])) {
            o->task = t;
            o->to_stdout = o->remove = o->check = o->recurse = false;
            o->output = NULL;
            return true;
        }
    return false;
}

/* What a command does not take, or NULL. */
static const char *unfit(const options *o, task command)
{
    if (o->task != command)
        return "-z, -d, -t and -l are not for it";
    if (o->remove || o->check || o->recurse || o->tensor_count)
        return "--rm, --check, -r and --tensor are not for it";
    if (o->output && (o->count > 1 || o->to_stdout))
        return "-o takes one FILE, and no -c";
    if (o->to_stdout && o->count > 1)
        return "-c takes one FILE";
    if (command == TASK_BENCH && (o->to_stdout || o->output))
        return "-o and -c are not for it; it writes --csv=FILE and --svg=FILE";
    if (command == TASK_EXPLAIN && (o->csv || o->svg))
        return "--csv and --svg are not for it";
    return NULL;
}

bool command_fits(const options *o, task command)
{
    const char *name = NAMES[command], *why = unfit(o, command);
    if (why)
        say_error("%s: %s", name, why);
    else if (!o->count && !access(name, F_OK))
        say_error("%s: no FILE given; for the file of that name write ./%s", name, name);
    else if (!o->count)
        say_error("%s: no FILE given", name);
    return !why && o->count;
}
