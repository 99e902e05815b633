/* What is left of a damaged file: every head, frame, end ... that a checksum vouches for, and where
 * an archive's end tells it, every frame that there was.
 *
 * Nothing is decoded. A frame counts as jumped over only when something else begins where it ends,
 * or when the end says so; else what it would cover is searched too, and it shows when it is
 * decoded which of them is one. */
#ifndef NZ_ARCHIVE_SURVEY_H
#define NZ_ARCHIVE_SURVEY_H

#include "archive/format.h"
#include "archive/window.h"

typedef enum nz_found_kind {
    NZ_FOUND_NOTHING,
    NZ_FOUND_HEAD,
    NZ_FOUND_BASE,
    NZ_FOUND_FRAME,
    NZ_FOUND_DIRECTORY,
    NZ_FOUND_END
} nz_found_kind;

#define NZ_NOWHERE UINT64_MAX

typedef struct nz_found {
    nz_found_kind kind;
    /* A frame: nothing else begins in it, though its header may be damaged. An end: it is not. */
    bool sure;
    uint64_t offset, size; /* in the file; of a frame that is not sure it may lead beyond the end */
    uint64_t raw;          /* a frame's raw bytes; an end's: all that its archive has */
    uint64_t at;           /* a frame's place in its archive's raw bytes; NZ_NOWHERE: unknown */
} nz_found;

/* By offset. Starts as {0}. */
typedef struct nz_survey {
    nz_found *found;
    size_t n, cap;
} nz_survey;

/* NZ_E_MEM; NZ_E_LIMIT: it would take more than `memory` bytes. */
nz_err nz_survey_make(nz_survey *s, nz_window *w, uint64_t memory);
void nz_survey_free(nz_survey *s);

/* What is wrong with the bytes there, of which the survey says nothing. `between`: no archive has
 * begun. */
nz_err nz_survey_wrong(nz_window *w, uint64_t at, bool between, const char **reason);

/* ---- Between its parts ---- */

nz_err nz_survey_add(nz_survey *s, const nz_found *f, uint64_t memory);
/* What is told by the end at offset `tag`, found behind all others: its frames are put where they
 * were, instead of what was found there. `directory`: it lies in front of the end, unharmed. */
nz_err nz_survey_align(nz_survey *s, nz_window *w, uint64_t tag, const nz_index *x, bool directory,
                       uint64_t memory);
/* Whether there is a head, the name of a base. */
bool nz_survey_head(nz_window *w, uint64_t at);
bool nz_survey_base(nz_window *w, uint64_t at);

#endif
