/* The memory for batches of one shape.
 *
 * States, gates and outputs are stored in groups of rows, (times, groups, features, GROUP). The
 * second factors of gradients are also stored in rows, (times · rows, features).
 */
#ifndef BURBLE_SPACE_H
#define BURBLE_SPACE_H

#include "network.h"

#define MOST_STATES 2

typedef struct {
    float *gates, *apart, *squashed; /* of one time for scoring, of all times for training */
    float *states[MOST_STATES];      /* of one time more: the first is the start of the batch */
    float *carried[MOST_STATES];     /* of one time: the start of the next batch */
    float *outputs;                  /* if dropout or a residual makes them differ from h */
    view state_rows, output_rows;    /* h, of one time more; the outputs */
    float *mask;                     /* of dropout; of one time if it is locked */
    float *passed;                   /* gradient of the input through the residual */
    float *bias;                     /* gradients of the biases, (gates · hidden, GROUP) */
} layer_space;

struct burble_space {
    const burble_learner *learner;
    int32_t time, rows, groups; /* groups at one time */
    int32_t learns;
    int64_t unit; /* floats in a group of hidden units */
    layer_space *layers;
    float *input; /* (times, groups, input size, GROUP) */
    view input_rows;
    view input_mask;                   /* of input dropout; of one time if it is locked */
    view gradient_rows;                /* of a layer's outputs, then of its input */
    view state_gradient;               /* of h of one time */
    float *gradient, *carry, *scratch; /* of one time */
    float *logits;                     /* of a block of times */
    int64_t block;                     /* how many times that is */
    float *head_bias;                  /* gradients, (vocab, GROUP) */
    double *losses;                    /* (times, rows) */
    uint8_t *hits;                     /* (times, rows) */
};

/* Return the floats from one time to the next. */
int64_t time_step(const burble_space *space, int64_t features);

#endif
