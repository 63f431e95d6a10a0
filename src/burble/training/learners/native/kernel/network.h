/* A learner in memory. */
#ifndef BURBLE_NETWORK_H
#define BURBLE_NETWORK_H

#include "kernel.h"
#include "learner.h"
#include "pool.h"

#define KINDS 5

/* The phases of a step, as `burble bench --learning` shows them. */
enum phase { INPUT, FORWARD, HEAD, BACKWARD, WEIGHTS, BELOW, EMBEDDING, UPDATE, PHASES };

/* One of the model file's tensors, in each of the learner's arenas. Rows are padded with zeros, to
 * an odd number of cache lines, so that a column's numbers do not push each other out. */
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
    int64_t matrices; /* an arena has those first, which decay, */
    int64_t size;     /* and then the biases */
    float *arenas[KINDS];
    double *row_squares; /* of the gradient, a number for each row of each tensor */
    pool *pool;
    double seconds[PHASES], since; /* of thread 0 */
};

/* Where a tensor stands in the model file. */
#define EMBEDDING_PLACE 0
int32_t input_place(const burble_learner *learner, int32_t layer);
int32_t state_place(const burble_learner *learner, int32_t layer);
int32_t bias_place(const burble_learner *learner, int32_t layer);
int32_t head_place(const burble_learner *learner);
int32_t head_bias_place(const burble_learner *learner);

/* A tensor's numbers of one kind. */
matrix matrix_of(const burble_learner *learner, int32_t kind, int32_t place);

/* How wide the first layer's input is. */
int64_t input_size(const burble_learner_shape *shape);

/* Floats from one row to the next, so that rows lie an odd number of cache lines apart. */
int64_t row_stride(int64_t columns);

/* Zeroed memory on large pages where there are some; free() gives it back. */
float *allocate_floats(int64_t count);

#endif
