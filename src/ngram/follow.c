#include "follow.h"

static uint32_t place(unsigned what, uint32_t a, uint32_t b)
{
    return what << NZ_FOLLOW_BITS | nz_hash32(a, b) >> (32 - NZ_FOLLOW_BITS);
}

void nz_follow_next(nz_follow *f, uint8_t lower, const nz_phrase *phrase)
{
    for (unsigned i = 0; i < NZ_FOLLOWS; i++) {
        uint16_t *after = &f->after[f->at[i]];
        *after = (uint16_t)(*after << 8 | lower);
    }
    const uint32_t *words = phrase->joined;
    uint64_t letters = phrase->letters;
    f->at[NZ_FOLLOW_TOKEN] = place(NZ_FOLLOW_TOKEN, phrase->word[0], phrase->gap);
    f->at[NZ_FOLLOW_WORDS] = place(NZ_FOLLOW_WORDS, words[0], words[1]);
    f->at[NZ_FOLLOW_LETTERS] = place(NZ_FOLLOW_LETTERS, (uint32_t)letters, letters >> 32 & 0xff);
}
