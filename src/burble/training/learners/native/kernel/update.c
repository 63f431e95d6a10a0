/* Clipping, AdamW and averaging. */
#include <math.h>
#include <string.h>

#include "pass.h"

static void square_rows(const pass *p, int32_t thread) {
    const burble_learner *learner = p->learner;
    int64_t before = 0;
    for (int32_t i = 0; i < learner->num_tensors; i++) {
        matrix gradient = matrix_of(learner, BURBLE_GRADIENTS, i);
        range own = share_of(p, thread, gradient.outputs, 1);
        int64_t size = (gradient.inputs + GROUP - 1) / GROUP * GROUP;
        for (int64_t row = own.first; row < own.end; row++)
            learner->row_squares[before + row] =
                learner->kernel->square(gradient.at.values + row * gradient.at.stride, size);
        before += gradient.outputs;
    }
}

/* Add the squares of all rows in their order. */
static void add_up(const pass *p) {
    const burble_learner *learner = p->learner;
    double squares = 0.0;
    const double *row_square = learner->row_squares;
    for (int32_t i = 0; i < learner->num_tensors; i++)
        for (int64_t row = 0; row < learner->tensors[i].rows; row++) squares += *row_square++;
    p->figures->norm = sqrt(squares);
}

static adam_rule rule_of(const pass *p, int32_t decays) {
    const burble_update *update = p->update;
    double norm = p->figures->norm, limit = update->grad_clip;
    adam_rule rule = {
        .scale = limit > 0 && norm > limit ? (float)(limit / norm) : 1.0f,
        .keep = decays ? (float)(1.0 - update->rate * update->weight_decay) : 1.0f,
        .rate = (float)(update->rate / update->correction1),
        .beta1 = (float)update->beta1,
        .beta2 = (float)update->beta2,
        .rest1 = (float)(1.0 - update->beta1),
        .rest2 = (float)(1.0 - update->beta2),
        .root_correction = (float)(1.0 / sqrt(update->correction2)),
        .epsilon = (float)update->epsilon,
        .share = (float)update->share,
    };
    return rule;
}

static void update_part(const pass *p, int32_t thread, int64_t first, int64_t end, int32_t decays) {
    const burble_learner *learner = p->learner;
    range own = share_of(p, thread, end - first, GROUP);
    int64_t place = first + own.first;
    adam_arrays at = {
        learner->arenas[BURBLE_WEIGHTS] + place, learner->arenas[BURBLE_AVERAGES] + place,
        learner->arenas[BURBLE_MEANS] + place, learner->arenas[BURBLE_SQUARES] + place,
        learner->arenas[BURBLE_GRADIENTS] + place};
    adam_rule rule = rule_of(p, decays);
    learner->kernel->adam(&rule, &at, own.end - own.first);
}

/* Keep the last state for the next batch. */
static void carry_state(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    int64_t one = time_step(space, p->learner->shape.hidden_size);
    range own = share_of(p, thread, one, GROUP);
    for (int32_t layer = 0; layer < p->learner->shape.num_layers; layer++)
        for (int32_t i = 0; i < p->learner->cell->states; i++)
            memcpy(space->layers[layer].carried[i] + own.first,
                   space->layers[layer].states[i] + space->time * one + own.first,
                   (size_t)(own.end - own.first) * sizeof(float));
}

/* Add the losses in the order of the positions. */
static void add_losses(const pass *p) {
    double sum = 0.0;
    int64_t correct = 0;
    for (int64_t i = 0; i < (int64_t)p->space->time * p->space->rows; i++)
        if (p->batch->mask[i]) {
            sum += p->space->losses[i];
            correct += p->space->hits[i];
        }
    p->figures->loss = sum / (double)p->num_targets;
    p->figures->correct = correct;
}

void update_weights(const pass *p, int32_t thread) {
    if (thread == 0) add_losses(p);
    if (p->update) {
        square_rows(p, thread);
        barrier(p);
        if (thread == 0) add_up(p);
        barrier(p);
        if (!isfinite(p->figures->loss) || !isfinite(p->figures->norm)) return;
        update_part(p, thread, 0, p->learner->matrices, 1);
        update_part(p, thread, p->learner->matrices, p->learner->size, 0);
    }
    carry_state(p, thread);
}
