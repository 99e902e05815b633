#include "prior_file.h"

#include "base/base.h"
#include "base/embed.h"

NZ_EMBED(nz_prior_file, "priors/priors.bin");

static const uint8_t *start_of(int prior, int piece)
{
    const uint8_t *at = nz_prior_file + 4 * NZ_PRIOR_GRAMS;
    for (int k = NZ_PRIOR_PIECES; k < prior * NZ_PRIOR_PIECES + piece; k++) {
        at += NZ_PRIOR_HEAD + nz_load32(at + 4);
        at += (k + 1) % NZ_PRIOR_PIECES ? 0 : 4 * NZ_PRIOR_GRAMS;
    }
    return at;
}

nz_prior_piece nz_prior_piece_of(int prior, int piece)
{
    const uint8_t *at = start_of(prior, piece);
    return (nz_prior_piece){nz_load32(at), nz_load32(at + 4), nz_load64(at + 8), at + 16,
                            at + NZ_PRIOR_HEAD};
}

uint32_t nz_prior_gram(int prior, int i)
{
    return nz_load32(start_of(prior, NZ_PRIOR_END) - 4 * (NZ_PRIOR_GRAMS - i));
}
