/* What is done to which files, and what comes of it when nothing fails. */
#ifndef NZ_TORTURE_SCENE_H
#define NZ_TORTURE_SCENE_H

#include "run.h"

typedef struct scene {
    const char *name;
    const char *args;   /* words */
    const char *have;   /* "NAME" or "NAME=INPUT", words: files of the folder it runs in */
    const char *in;     /* the input that is its standard input; NULL: nothing */
    const char *victim; /* of its files the one that changes while it runs; NULL: none does */
    bool data;          /* its standard output is data: good up to where it ends */
} scene;

extern const scene SCENES[];
extern const size_t SCENE_COUNT;

/* Where runs take place; each worker has its own. */
typedef struct place {
    char *nzip, *inputs;  /* paths; inputs: a folder */
    char *folder, *aside; /* folders for runs, and for looking at what they made */
    char *out, *err;      /* files */
} place;

place place_new(const char *nzip, const char *inputs, const char *work, unsigned number);
void place_free(place *p);

typedef struct stage {
    const scene *s;
    char **argv;
    tree have, want; /* its folder before and after */
    blob want_out;
    int want_status;
    char *in;               /* the path of its standard input, or NULL */
    outcome system, memory; /* calls of a run where nothing failed */
} stage;

/* Ends the program when the scene does not work without a fault. */
void stage_open(stage *st, const scene *s, const place *p);
command stage_command(const stage *st, const place *p);

/* What the archive of that name holds, when these files are all there is; no p: it does not decode.
 */
blob decode(const place *p, const tree *files, const char *name);

#endif
