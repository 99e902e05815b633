/* One run of the command, with a fault at a chosen point of it. */
#ifndef NZ_TORTURE_RUN_H
#define NZ_TORTURE_RUN_H

#include "files.h"

#include <sys/types.h>

typedef enum kind {
    FAULT_NONE,
    FAULT_ALLOCATION, /* the at-th of our own allocations fails */
    FAULT_ERROR,      /* the system call is not done and returns -value */
    FAULT_SHORT,      /* it reads or writes fewer bytes than asked for: at most `value` */
    FAULT_SIGNAL,     /* the signal `value` arrives when it begins */
    FAULT_CHANGE      /* change() is called when it begins; false: nothing was changed */
} kind;

#define CALL_ANY (-1L)

typedef struct fault {
    kind kind;
    long call; /* of which system call: SYS_read ..., or CALL_ANY */
    size_t at; /* the how manieth of them, from 0 on */
    bool on;   /* and later ones: all, but every other for an error, so that it can go on */
    int value;
    bool (*change)(const void *arg);
    const void *arg;
} fault;

typedef struct command {
    char *const *argv;                   /* the last is NULL */
    const char *folder, *in, *out, *err; /* paths; `in` NULL: nothing */
    bool traced; /* calls are recorded even if there is no fault among them */
} command;

typedef struct outcome {
    int status;  /* as waitpid() tells it */
    bool hung;   /* it was killed after a minute */
    bool struck; /* the fault took place */
    blob out, err;
    long *call; /* when nothing failed: system calls in order, or hashes of allocations' places */
    size_t calls;
} outcome;

outcome run(const command *c, const fault *f);
void outcome_free(outcome *o);

#endif
