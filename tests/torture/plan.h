/* Which faults a scene is put through. */
#ifndef NZ_TORTURE_PLAN_H
#define NZ_TORTURE_PLAN_H

#include "judge.h"

typedef enum class {
    CLASS_MEMORY, /* one allocation, or thread, fails */
    CLASS_FULL,   /* that one and all later ones */
    CLASS_SHORT,  /* fewer bytes are read, or written, than asked for */
    CLASS_EINTR,
    CLASS_READ,   /* EIO */
    CLASS_WRITE,  /* ENOSPC, EIO, EPIPE */
    CLASS_CALLS,  /* any other system call fails */
    CLASS_SIGNAL, /* SIGINT, SIGTERM and others at any system call */
    CLASS_KILL,   /* kill -9 */
    CLASS_CHANGE, /* an input changes at any system call */
    CLASSES
} class;

extern const char *const CLASS_NAME[CLASSES];

typedef struct trial {
    fault f;
    manner how; /* of a change */
} trial;

typedef struct plan {
    trial *trial;
    size_t n;
} plan;

plan plan_new(const stage *st, class c);
void plan_free(plan *p);
/* "ENOSPC at call 3 of write", malloc's. */
char *trial_text(const trial *t);

#endif
