/* What a network knows before its first byte: weights trained beforehand, on other data, kept as a
 * string of bytes. It tells the dense weights, the gates, and of the tables only the first one's
 * rows (the last byte's); whatever else a table holds is learned anew from each file.
 *
 *   u16 LE   updates that the training counts for: the rates start as low as after so many
 *   arrays   each a u8, the shift, and n int8 in units of 2^-shift: of every layer the gains, the
 *            gates' matrix, its biases, the matrix back; then the last gains, the output's matrix,
 *            its biases, the gates of all tables, the rows of the first one */
#ifndef NZ_MODEL_NET_START_H
#define NZ_MODEL_NET_START_H

#include "net.h"

/* Bytes of a start for a network of this shape. */
size_t nz_net_start_size(const nz_net_shape *shape);
/* Of a new network: takes its weights from a start of its shape. */
void nz_net_recall(nz_net *net, const uint8_t *start);

/* For training. The bytes of a start made from what the network knows now. */
void nz_net_record(const nz_net *net, uint16_t updates, uint8_t *start);
/* Forgets all that a start does not tell, but the dense weights' rates: another file begins. */
void nz_net_forget(nz_net *net);

#endif
