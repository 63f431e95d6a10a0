/* Room for what a network computes on batches of one shape.
 *
 * What happens to the rows of a batch lies side by side in groups, (times, groups, features,
 * GROUP): so do states, gates and outputs. What enters a gradient as its second factor also lies in
 * rows, (times · rows, features).
 */
#ifndef BURBLE_SPACE_H
#define BURBLE_SPACE_H

#include "network.h"

#define MOST_STATES 2

typedef struct {
    float *gates, *apart, *squashed; /* of one time only where nothing is learned */
    float *states[MOST_STATES];      /* of one time more: the first is where the batch starts */
    float *carried[MOST_STATES];     /* of one time: where the next batch starts */
    float *outputs;                  /* where dropout or what is added makes them other than h */
    view state_rows, output_rows;    /* of h, of one time more; of the outputs */
    float *mask;                     /* of dropout: of one time where it is locked */
    float *passed;                   /* the gradient of h + input, for the input */
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
    view input_mask;                   /* of input dropout: of one time where it is locked */
    view gradient_rows;                /* of what a layer has put out, then of its input */
    view state_gradient;               /* of h of one time */
    float *gradient, *carry, *scratch; /* of one time */
    float *logits;                     /* of a block of times */
    int64_t block;                     /* how many */
    float *head_bias;                  /* gradients, (vocab, GROUP) */
    double *losses;                    /* (times, rows) */
    uint8_t *hits;                     /* (times, rows) */
};

/* Floats from one time to the next where a learner keeps all times. */
int64_t time_step(const burble_space *space, int64_t features);

#endif
