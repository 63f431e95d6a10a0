/* One batch on its way through a network, by all threads of the pool. */
#ifndef BURBLE_PASS_H
#define BURBLE_PASS_H

#include "space.h"

typedef struct {
    burble_learner *learner;
    burble_space *space;
    const burble_batch *batch;
    const burble_update *update; /* NULL where nothing is learned */
    int32_t kind;                /* of the weights that are read */
    burble_figures *figures;
    int64_t num_targets;
} pass;

typedef struct {
    int64_t first, end;
} range;

/* What a thread does of `size` outputs, `unit` of which are not parted. */
static inline range share_of(const pass *p, int32_t thread, int64_t size, int64_t unit) {
    int64_t units = (size + unit - 1) / unit, threads = pool_active(p->learner->pool);
    range found = {units * thread / threads * unit, units * (thread + 1) / threads * unit};
    if (found.first > size) found.first = size;
    if (found.end > size) found.end = size;
    return found;
}

/* Rows of the batch in a group. */
static inline int64_t rows_in(const burble_space *space, int64_t group) {
    int64_t left = space->rows - group * GROUP;
    return left < GROUP ? left : GROUP;
}

/* Times whose groups are computed together. */
static inline int64_t times_together(const pass *p) {
    return (TOGETHER + p->space->groups - 1) / p->space->groups;
}

static inline view rows_from(view rows, int64_t first) {
    view found = {rows.values + first * rows.stride, rows.stride};
    return found;
}

/* Whether a layer's outputs are other numbers than its h. */
static inline int has_outputs(const pass *p, int32_t layer) {
    return (p->learner->shape.residual && layer > 0) || (p->update && p->update->dropout > 0);
}

/* What a layer has put out at a time, (groups, hidden, GROUP). */
static inline float *outputs_at(const pass *p, int32_t layer, int64_t time) {
    int64_t one = time_step(p->space, p->learner->shape.hidden_size);
    const layer_space *at = &p->space->layers[layer];
    return has_outputs(p, layer) ? at->outputs + time * one : at->states[0] + (time + 1) * one;
}

/* All that a layer has put out, (times · rows, hidden). */
static inline view output_rows(const pass *p, int32_t layer) {
    const layer_space *at = &p->space->layers[layer];
    return has_outputs(p, layer) ? at->output_rows : rows_from(at->state_rows, p->space->rows);
}

/* Waits for the other threads. */
static inline void barrier(const pass *p) { pool_barrier(p->learner->pool); }

/* Thread 0 counts the time since it last did to this phase. */
void count_time(const pass *p, int32_t thread, enum phase phase);

void draw_dropout(const pass *p, int32_t thread);
void read_input(const pass *p, int32_t thread);
void run_layer(const pass *p, int32_t thread, int32_t layer);
void run_head(const pass *p, int32_t thread);
void learn_layer(const pass *p, int32_t thread, int32_t layer);
void learn_input(const pass *p, int32_t thread);
void update_weights(const pass *p, int32_t thread);

/* A factor of dropout on a one-hot vector, of which only the one counts. */
float one_hot_factor(const pass *p, int64_t time, int64_t row, int64_t id);

#endif
