/* Random orthogonal matrices, which recurrent weights start from. */
#ifndef BURBLE_ORTHOGONAL_H
#define BURBLE_ORTHOGONAL_H

#include <stdint.h>

#include "../../../../native/interface.h"

/* Write a random orthogonal matrix to weights, (size, size), from size · (size + 1) / 2 normal
 * numbers, which are overwritten. room: 9 · size numbers of scratch space. */
BURBLE_API void burble_orthogonal(int64_t size, double *normals, double *room, float *weights);

#endif
