/* Records: fields that go on from those of the record above. */
#ifndef NZ_NGRAM_RECORD_H
#define NZ_NGRAM_RECORD_H

#include "list.h"
#include "past.h"

/* 2, 4 or 6 contexts, by tier. */
void nz_record_slots(list *l, const nz_past *p, int tier);

#endif
