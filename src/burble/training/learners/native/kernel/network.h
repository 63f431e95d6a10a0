/* A learner in memory. */
#ifndef BURBLE_NETWORK_H
#define BURBLE_NETWORK_H

#include "kernel.h"
#include "learner.h"
#include "pool.h"

#define KINDS 5

/* The phases of a step, as `burble bench --learning` shows them. */
enum phase { INPUT, FORWARD, HEAD, BACKWARD, WEIGHTS, BELOW, EMBEDDING, UPDATE, PHASES };

/* The place of a tensor in each of the learner's arenas. Rows are padded with zeros to an odd
 * number of cache lines, so that the numbers of a column do not evict each other. */
typedef struct {
    int64_t rows, columns, stride, offset;
    int32_t decays;
} tensor;

struct burble_learner {
    const learner_kernel *kernel;
    const cell_rule *cell;
    burble_learner_shape shape;
    int32_t num_tensors;
    tensor *tensors;  /* in the model file's order */
    int64_t matrices; /* size of an arena's first part, the matrices, which decay */
    int64_t size;     /* with the biases after them */
    float *arenas[KINDS];
    double *row_squares; /* sum of squares of each row of each tensor's gradient */
    pool *pool;
    double seconds[PHASES], since; /* of thread 0 */
};

/* The number of a tensor in the model file. */
#define EMBEDDING_PLACE 0
int32_t input_place(const burble_learner *learner, int32_t layer);
int32_t state_place(const burble_learner *learner, int32_t layer);
int32_t bias_place(const burble_learner *learner, int32_t layer);
int32_t head_place(const burble_learner *learner);
int32_t head_bias_place(const burble_learner *learner);

/* Return one array of a tensor. */
matrix matrix_of(const burble_learner *learner, int32_t kind, int32_t place);

/* Return the width of the first layer's input. */
int64_t input_size(const burble_learner_shape *shape);

/* Return the floats from one row to the next: an odd number of cache lines. */
int64_t row_stride(int64_t columns);

/* Allocate zeroed memory, on large pages if possible. Release it with free(). */
float *allocate_floats(int64_t count);

#endif
