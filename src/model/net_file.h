/* The starts of the deep levels' networks, priors/nets.bin, which the library holds as it is: for
 * each level a text's and a binary's, each with its size in front, u32 LE. */
#ifndef NZ_MODEL_NET_FILE_H
#define NZ_MODEL_NET_FILE_H

#include "net_start.h"

/* The start for text (0) or other data (1) at a level from 5 on; NULL: the file holds none of this
 * shape. */
const uint8_t *nz_net_file_start(int level, int of, const nz_net_shape *shape);

#endif
