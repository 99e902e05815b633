/* Arrays of floats in no container, told by their bytes alone: raw dumps of weights, optimiser
 * state, embeddings, a cache of keys and values.
 *
 * Taken are numbers that nothing but their magnitudes' distribution says anything about; those that
 * a neighbour tells something of, as in images, sound and measurements, are better off in the bytes
 * engine. */
#ifndef NZ_CONTAINERS_SNIFF_H
#define NZ_CONTAINERS_SNIFF_H

#include "nz.h"
#include "tensor.h"

/* The array that p[0..n) begins with, behind a header of at most 64 KiB: in *t, without a name, its
 * `at` counted from p, its last row perhaps not whole. No dims: there is none. `columns`: numbers
 * that are like those above them are taken, too. NZ_E_MEM alone can go wrong; the answer never
 * depends on how much memory there is. */
nz_err nz_sniff(nz_tensor *t, const uint8_t *p, size_t n, bool columns);

#endif
