/* What became of a run with a fault: whether anything was lost. */
#ifndef NZ_TORTURE_JUDGE_H
#define NZ_TORTURE_JUDGE_H

#include "scene.h"

typedef enum verdict {
    SURVIVED,    /* exit 0, and all is as it would be without the fault */
    REPORTED,    /* exit 1 or 2, nothing lost, a message that names a file and a reason */
    DIED,        /* of the signal that was sent, nothing lost */
    LOST,        /* an input is gone or a file under a final name is not complete */
    LEFT,        /* a temporary file is left, though it was no kill -9 */
    UNEXPLAINED, /* exit 1 or 2 without such a message */
    CRASHED,
    HUNG,
    VERDICTS
} verdict;

extern const char *const VERDICT_NAME[VERDICTS];

/* How an input changes while it is read. */
typedef enum manner { SHRINKS, EMPTIES, GROWS, REWRITTEN, REPLACED, MANNERS } manner;

extern const char *const MANNER_NAME[MANNERS];

typedef struct change {
    char *path;
    blob last; /* what it holds afterwards */
    manner how;
} change;

change change_new(const stage *st, const place *p, manner how);
bool change_do(const void *c);
void change_free(change *c);

/* `changed` is NULL unless the fault is such. `why`: static text, of a verdict that is not good. */
verdict judge(const stage *st, const place *p, const fault *f, const change *changed,
              const outcome *o, const char **why);

#endif
