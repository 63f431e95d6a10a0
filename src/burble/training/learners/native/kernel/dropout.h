/* The factors of dropout, drawn from Philox by seed, step, place and element. */
#ifndef BURBLE_DROPOUT_H
#define BURBLE_DROPOUT_H

#include <stdint.h>

#include "../../../../native/interface.h"

/* Write the factors of `count` elements from number `first` on: 0, or 1 / (1 - rate). key: seed and
 * step. place: 0 for the input, then 1 for the first layer, and so on. */
BURBLE_API void burble_dropout(double rate, const uint64_t key[2], int64_t place, int64_t first,
                               int64_t count, float *factors);

#endif
