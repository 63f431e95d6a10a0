/* Which numbers dropout keeps: drawn from Philox by seed, step, place and number. */
#ifndef BURBLE_DROPOUT_H
#define BURBLE_DROPOUT_H

#include <stdint.h>

#include "../../../../native/interface.h"

/* What number `first` and those after it are multiplied with: 0, or 1 / (1 - rate). place: 0 at the
 * input, then the layers from 1 on. */
BURBLE_API void burble_dropout(double rate, const uint64_t key[2], int64_t place, int64_t first,
                               int64_t count, float *factors);

#endif
