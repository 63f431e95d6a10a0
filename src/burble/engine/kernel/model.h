#ifndef BURBLE_MODEL_H
#define BURBLE_MODEL_H

#include <stddef.h>

#include "kernel.h"

struct burble_model {
    const kernel *kernel;
    burble_shape shape;
    cell_step cell;
    int32_t gates;       /* gates · hidden */
    int32_t layer_state; /* numbers in one layer's state */
    int32_t num_matrices;
    matrix *matrices;
    char *memory;       /* holds all matrices */
    const float *input; /* a table or an embedding: see burble_set_input */
};

int32_t round_up(int32_t size, int32_t multiple);
void *carve(char *memory, size_t *used, size_t bytes);

#endif
