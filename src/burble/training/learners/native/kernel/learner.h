/* A network that learns: forward, backward through time, clipping, AdamW and averaging.
 *
 * Every number follows from text, options and seed alone: docs/engine.md has the order of each sum.
 * Vector width and threads divide outputs, never a sum. Who calls gives ids below the vocabulary's
 * size and shapes that fit; functions that allocate return NULL where there is no memory.
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

/* One step's worth of text, time first, as data/batch.py has it. */
typedef struct {
    const int64_t *inputs, *targets; /* (time, rows) */
    const uint8_t *mask;             /* (time, rows) whether the target counts */
    const uint8_t *reset;            /* (rows,) whether the row starts from a fresh state */
} burble_batch;

/* How to learn from it. */
typedef struct {
    double rate, weight_decay, beta1, beta2, epsilon, grad_clip;
    double correction1, correction2; /* 1 - beta1 and beta2 to the power of the step */
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

/* What a learner has one of for each tensor of the model file, in its order. */
enum burble_kind {
    BURBLE_WEIGHTS,
    BURBLE_AVERAGES,
    BURBLE_MEANS,
    BURBLE_SQUARES,
    BURBLE_GRADIENTS
};

typedef struct burble_learner burble_learner;
typedef struct burble_space burble_space;

/* Names of the kernels that this machine can learn with, best first; NULL behind the last. */
BURBLE_API const char *burble_learner_kernel(int32_t place);

/* A learner with weights of zero; `threads` is the most that a step may use. */
BURBLE_API burble_learner *burble_learner_new(const char *kernel, const burble_learner_shape *shape,
                                              int32_t threads);
BURBLE_API void burble_learner_free(burble_learner *learner);

/* Copies a tensor in the model file's layout: into the learner where `set`, else out of it. */
BURBLE_API void burble_learner_tensor(burble_learner *learner, int32_t kind, int32_t place,
                                      float *values, int32_t set);

/* Room for batches of this shape, and the state that is carried from one to the next, at first
 * zero. Without `learns` it is smaller and only good for burble_learner_score. */
BURBLE_API burble_space *burble_space_new(const burble_learner *learner, int32_t time, int32_t rows,
                                          int32_t learns);
BURBLE_API void burble_space_free(burble_space *space);

/* Copies the carried state, (rows, hidden), of a layer: into the space where `set`. */
BURBLE_API void burble_space_state(burble_space *space, int32_t layer, int32_t state, float *values,
                                   int32_t set);

/* Learns from a batch with so many threads. Where loss or norm is not finite nothing is changed. */
BURBLE_API void burble_learner_step(burble_learner *learner, burble_space *space,
                                    const burble_batch *batch, const burble_update *update,
                                    int32_t threads, burble_figures *figures);

/* Reads a batch with the averaged weights, or the raw ones where `raw`, without dropout. */
BURBLE_API void burble_learner_score(burble_learner *learner, burble_space *space,
                                     const burble_batch *batch, int32_t raw, int32_t threads,
                                     burble_figures *figures);

/* Seconds that thread 0 spent in each phase of the steps so far, in the order of network.h; returns
 * how many phases there are. */
BURBLE_API int32_t burble_learner_seconds(const burble_learner *learner, double *seconds,
                                          int32_t room);

/* Makes 2¹⁰ · times multiply-adds of the kernel's vectors on each thread, for `burble bench`;
 * returns how many numbers a vector has. */
BURBLE_API int32_t burble_learner_probe(burble_learner *learner, int64_t times, int32_t threads);

#endif
