#include "space.h"

#include <stdlib.h>
#include <string.h>

/* The most logits in memory at once: 16 MB. */
#define MOST_LOGITS ((int64_t)1 << 22)

int64_t time_step(const burble_space *space, int64_t features) {
    return space->groups * features * GROUP;
}

static view rows_of(int64_t rows, int64_t columns, int *is_whole) {
    view made = {allocate_floats(rows * row_stride(columns)), row_stride(columns)};
    *is_whole = *is_whole && made.values;
    return made;
}

static float *allocate(int64_t count, int *is_whole) {
    float *made = allocate_floats(count);
    *is_whole = *is_whole && made;
    return made;
}

static int make_layer(burble_space *space, layer_space *layer, int32_t depth) {
    const burble_learner *learner = space->learner;
    int64_t hidden = learner->shape.hidden_size, gates = learner->cell->gates * hidden;
    int64_t times = space->time, kept = space->learns ? times : 1;
    int64_t one = time_step(space, hidden), every = times * space->rows;
    int is_whole = 1;
    layer->gates = allocate(kept * time_step(space, gates), &is_whole);
    layer->squashed = allocate(kept * one, &is_whole);
    if (learner->cell->apart) layer->apart = allocate(kept * one, &is_whole);
    for (int32_t i = 0; i < learner->cell->states; i++) {
        layer->states[i] = allocate((times + 1) * one, &is_whole);
        layer->carried[i] = allocate(one, &is_whole);
    }
    layer->outputs = allocate(times * one, &is_whole);
    if (!space->learns) return is_whole;
    layer->state_rows = rows_of(every + space->rows, hidden, &is_whole);
    layer->output_rows = rows_of(every, hidden, &is_whole);
    layer->mask = allocate(times * one, &is_whole);
    layer->bias = allocate(gates * GROUP, &is_whole);
    if (depth && learner->shape.residual) layer->passed = allocate(times * one, &is_whole);
    return is_whole;
}

static int make(burble_space *space) {
    const burble_learner_shape *shape = &space->learner->shape;
    int64_t times = space->time, every = times * space->rows, groups = times * space->groups;
    int64_t hidden = shape->hidden_size, vocab = shape->vocab_size, width = input_size(shape);
    int64_t wide = width > hidden && shape->input == BURBLE_EMBEDDING ? width : hidden;
    int64_t most = MOST_LOGITS / (vocab * GROUP * space->groups);
    int is_whole = 1;
    space->block = most < 1 ? 1 : most < times ? most : times;
    space->logits = allocate(space->block * time_step(space, vocab), &is_whole);
    space->losses = calloc((size_t)every, sizeof *space->losses);
    space->hits = calloc((size_t)every, sizeof *space->hits);
    space->layers = calloc((size_t)shape->num_layers, sizeof *space->layers);
    if (!space->losses || !space->hits || !space->layers) return 0;
    for (int32_t depth = 0; depth < shape->num_layers; depth++)
        is_whole = make_layer(space, &space->layers[depth], depth) && is_whole;
    if (shape->input != BURBLE_ONE_HOT) {
        space->input = allocate(groups * width * GROUP, &is_whole);
        space->input_rows = rows_of(every, width, &is_whole);
    }
    if (!space->learns) return is_whole;
    if (shape->input != BURBLE_ONE_HOT) space->input_mask = rows_of(every, width, &is_whole);
    space->gradient_rows = rows_of(every, wide, &is_whole);
    space->state_gradient = rows_of(space->rows, hidden, &is_whole);
    space->gradient = allocate(time_step(space, hidden), &is_whole);
    space->carry = allocate(time_step(space, hidden), &is_whole);
    space->scratch = allocate(time_step(space, hidden), &is_whole);
    space->head_bias = allocate(vocab * GROUP, &is_whole);
    return is_whole;
}

burble_space *burble_space_new(const burble_learner *learner, int32_t time, int32_t rows,
                               int32_t learns) {
    burble_space *space = calloc(1, sizeof *space);
    if (!space) return NULL;
    space->learner = learner;
    space->time = time;
    space->rows = rows;
    space->unit = (int64_t)learner->shape.hidden_size * GROUP;
    space->groups = (rows + GROUP - 1) / GROUP;
    space->learns = learns;
    if (make(space)) return space;
    burble_space_free(space);
    return NULL;
}

static void free_layer(layer_space *layer) {
    float *all[] = {layer->gates,
                    layer->apart,
                    layer->squashed,
                    layer->outputs,
                    layer->passed,
                    layer->bias,
                    layer->state_rows.values,
                    layer->mask,
                    layer->output_rows.values};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    for (int32_t i = 0; i < MOST_STATES; i++) {
        free(layer->states[i]);
        free(layer->carried[i]);
    }
}

void burble_space_free(burble_space *space) {
    if (!space) return;
    for (int32_t i = 0; space->layers && i < space->learner->shape.num_layers; i++)
        free_layer(&space->layers[i]);
    float *all[] = {space->input,
                    space->input_rows.values,
                    space->input_mask.values,
                    space->gradient_rows.values,
                    space->state_gradient.values,
                    space->gradient,
                    space->carry,
                    space->scratch,
                    space->logits,
                    space->head_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(space->layers);
    free(space->losses);
    free(space->hits);
    free(space);
}

void burble_space_state(burble_space *space, int32_t layer, int32_t state, float *values,
                        int32_t set) {
    const learner_kernel *kernel = space->learner->kernel;
    int64_t hidden = space->learner->shape.hidden_size;
    float *carried = space->layers[layer].carried[state];
    for (int32_t group = 0; group < space->groups; group++, carried += hidden * GROUP) {
        int64_t first = (int64_t)group * GROUP, left = space->rows - first;
        view rows = {values + first * hidden, hidden};
        int64_t count = left < GROUP ? left : GROUP;
        if (set)
            kernel->to_group(rows, count, hidden, carried);
        else
            kernel->to_rows(carried, count, hidden, rows);
    }
}
