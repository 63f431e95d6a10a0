/* One batch on its way through a network, by all threads of the pool. */
#ifndef BURBLE_PASS_H
#define BURBLE_PASS_H

#include "space.h"

typedef struct {
    burble_learner *learner;
    burble_space *space;
    const burble_batch *batch;
    const burble_update *update; /* NULL for scoring */
    int32_t kind;                /* the weights to use: a burble_kind */
    burble_figures *figures;
    int64_t num_targets;
} pass;

typedef struct {
    int64_t first, end;
} range;

/* Return a thread's share of `size` outputs, in whole units of `unit` outputs. */
static inline range share_of(const pass *p, int32_t thread, int64_t size, int64_t unit) {
    int64_t units = (size + unit - 1) / unit, threads = pool_active(p->learner->pool);
    range found = {units * thread / threads * unit, units * (thread + 1) / threads * unit};
    if (found.first > size) found.first = size;
    if (found.end > size) found.end = size;
    return found;
}

/* Return how many rows of the batch a group has. */
static inline int64_t rows_in(const burble_space *space, int64_t group) {
    int64_t left = space->rows - group * GROUP;
    return left < GROUP ? left : GROUP;
}

/* Return how many times are computed together. */
static inline int64_t times_together(const pass *p) {
    return (TOGETHER + p->space->groups - 1) / p->space->groups;
}

static inline view rows_from(view rows, int64_t first) {
    view found = {rows.values + first * rows.stride, rows.stride};
    return found;
}

/* Return whether a layer's outputs differ from its h. */
static inline int has_outputs(const pass *p, int32_t layer) {
    return (p->learner->shape.residual && layer > 0) || (p->update && p->update->dropout > 0);
}

/* Return the outputs of a layer at a time, (groups, hidden, GROUP). */
static inline float *outputs_at(const pass *p, int32_t layer, int64_t time) {
    int64_t one = time_step(p->space, p->learner->shape.hidden_size);
    const layer_space *at = &p->space->layers[layer];
    return has_outputs(p, layer) ? at->outputs + time * one : at->states[0] + (time + 1) * one;
}

/* Return all outputs of a layer, (times · rows, hidden). */
static inline view output_rows(const pass *p, int32_t layer) {
    const layer_space *at = &p->space->layers[layer];
    return has_outputs(p, layer) ? at->output_rows : rows_from(at->state_rows, p->space->rows);
}

/* Wait for the other threads. */
static inline void barrier(const pass *p) { pool_barrier(p->learner->pool); }

/* Add the time since the last call to a phase. Only thread 0 does it. */
void count_time(const pass *p, int32_t thread, enum phase phase);

void draw_dropout(const pass *p, int32_t thread);
void read_input(const pass *p, int32_t thread);
void run_layer(const pass *p, int32_t thread, int32_t layer);
void run_head(const pass *p, int32_t thread);
void learn_layer(const pass *p, int32_t thread, int32_t layer);
void learn_input(const pass *p, int32_t thread);
void update_weights(const pass *p, int32_t thread);

/* Return the dropout factor of the 1 in a one-hot vector. */
float one_hot_factor(const pass *p, int64_t time, int64_t row, int64_t id);

#endif
