/* Random orthogonal matrices, which recurrent weights start from. */
#ifndef BURBLE_ORTHOGONAL_H
#define BURBLE_ORTHOGONAL_H

#include <stdint.h>

#include "../../../../native/interface.h"

/* Makes weights, (size, size), from size · (size + 1) / 2 normal numbers, of which reflections are
 * made in place. room: 9 · size numbers. */
BURBLE_API void burble_orthogonal(int64_t size, double *normals, double *room, float *weights);

#endif
