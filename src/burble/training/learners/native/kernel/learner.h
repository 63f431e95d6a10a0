/* Training a network: forward, backward through time, clipping, AdamW and averaging.
 *
 * Every number depends only on text, options and seed: docs/engine.md defines the order of each
 * sum. Vector width and threads divide outputs, never a sum. The caller passes ids below the
 * vocabulary's size and shapes that match. Functions that allocate return NULL if memory runs out.
 */
#ifndef BURBLE_LEARNER_H
#define BURBLE_LEARNER_H

#include <stdint.h>

#include "../../../../native/interface.h"

enum burble_input { BURBLE_EMBEDDING, BURBLE_ONE_HOT, BURBLE_SCALAR };

typedef struct {
    char cell[32]; /* a name in `cells` of cells.h */
    int32_t input; /* a burble_input */
    int32_t num_layers, hidden_size, vocab_size;
    int32_t embedding_size; /* with BURBLE_EMBEDDING */
    int32_t residual;
} burble_learner_shape;

/* The text of one step, time first, as in data/batch.py. */
typedef struct {
    const int64_t *inputs, *targets; /* (time, rows) */
    const uint8_t *mask;             /* (time, rows) whether the target counts */
    const uint8_t *reset;            /* (rows,) whether the row starts from a fresh state */
} burble_batch;

/* The settings of one step. */
typedef struct {
    double rate, weight_decay, beta1, beta2, epsilon, grad_clip;
    double correction1, correction2; /* 1 - beta1^step and 1 - beta2^step */
    double share;                    /* of the new weights in their average */
    double dropout, input_dropout;
    uint64_t seed, step; /* of dropout */
    int32_t locked_dropout;
} burble_update;

typedef struct {
    double loss; /* mean over the targets, in nats */
    int64_t correct;
    double norm; /* of the gradient, before it was clipped */
} burble_figures;

/* The arrays that a learner has for each tensor of the model file. */
enum burble_kind {
    BURBLE_WEIGHTS,
    BURBLE_AVERAGES,
    BURBLE_MEANS,
    BURBLE_SQUARES,
    BURBLE_GRADIENTS
};

typedef struct burble_learner burble_learner;
typedef struct burble_space burble_space;

/* Return the name of a kernel that this machine can use, fastest first, or NULL after the last. */
BURBLE_API const char *burble_learner_kernel(int32_t place);

/* Return a learner whose weights are zero. `threads`: the most that a step may use. */
BURBLE_API burble_learner *burble_learner_new(const char *kernel, const burble_learner_shape *shape,
                                              int32_t threads);
BURBLE_API void burble_learner_free(burble_learner *learner);

/* Copy a tensor, in the layout of the model file, into the learner if `set`, else out of it. */
BURBLE_API void burble_learner_tensor(burble_learner *learner, int32_t kind, int32_t place,
                                      float *values, int32_t set);

/* Return memory for batches of this shape, and for the state carried between them, which is zero at
 * first. Without `learns` it is smaller and can only be used for burble_learner_score. */
BURBLE_API burble_space *burble_space_new(const burble_learner *learner, int32_t time, int32_t rows,
                                          int32_t learns);
BURBLE_API void burble_space_free(burble_space *space);

/* Copy a carried state of a layer, (rows, hidden), into the space if `set`, else out of it. */
BURBLE_API void burble_space_state(burble_space *space, int32_t layer, int32_t state, float *values,
                                   int32_t set);

/* Train on a batch. If loss or norm is not finite, change no weights and no state. */
BURBLE_API void burble_learner_step(burble_learner *learner, burble_space *space,
                                    const burble_batch *batch, const burble_update *update,
                                    int32_t threads, burble_figures *figures);

/* Score a batch with the averaged weights, or with the raw ones if `raw`, without dropout. */
BURBLE_API void burble_learner_score(burble_learner *learner, burble_space *space,
                                     const burble_batch *batch, int32_t raw, int32_t threads,
                                     burble_figures *figures);

/* Write the seconds that thread 0 spent in each phase so far, in the order of network.h. Return the
 * number of phases. */
BURBLE_API int32_t burble_learner_seconds(const burble_learner *learner, double *seconds,
                                          int32_t room);

/* Make 1,024 · times vector multiply-adds on each thread, for `burble bench`. Return the width of a
 * vector. */
BURBLE_API int32_t burble_learner_probe(burble_learner *learner, int64_t times, int32_t threads);

#endif
