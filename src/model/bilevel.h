/* What the deep engine knows of images with a bit for each pixel.
 *
 * The pixels around the next one, cut out in many shapes, are its contexts: small templates learn
 * at once, large ones know letters and screens (as JBIG's, ITU-T T.82, but many of them, mixed).
 * More contexts tell how long runs are here and in the row above, as fax codes do (ITU-T T.6).
 * Each keeps an adaptive probability and a bit history for every pattern. Where all is blank
 * around a whole byte, a flag says that it is too. */
#ifndef NZ_MODEL_BILEVEL_H
#define NZ_MODEL_BILEVEL_H

#include "expert.h"

extern const nz_expert nz_bilevel;

#endif
