/* The input: from ids to the first layer, and its gradient back to the embedding or the weights. */
#include <string.h>

#include "dropout.h"
#include "pass.h"

static const uint64_t *key_of(const pass *p, uint64_t key[2]) {
    key[0] = p->update->seed;
    key[1] = p->update->step;
    return key;
}

/* How many times have their own mask. */
static int64_t mask_times(const pass *p) { return p->update->locked_dropout ? 1 : p->space->time; }

static void draw_input(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    int64_t width = input_size(&p->learner->shape);
    uint64_t key[2];
    range rows = share_of(p, thread, mask_times(p) * space->rows, 1);
    for (int64_t row = rows.first; row < rows.end; row++)
        burble_dropout(p->update->input_dropout, key_of(p, key), 0, row * width, width,
                       space->input_mask.values + row * space->input_mask.stride);
}

static void draw_layer(const pass *p, int32_t thread, int32_t layer) {
    const burble_space *space = p->space;
    int64_t hidden = p->learner->shape.hidden_size;
    uint64_t key[2];
    range groups = share_of(p, thread, mask_times(p) * space->groups, 1);
    /* Draw into the memory of the outputs' rows, which is unused so far. */
    for (int64_t i = groups.first; i < groups.end; i++) {
        int64_t time = i / space->groups, group = i % space->groups;
        int64_t first = time * space->rows + group * GROUP, count = rows_in(space, group);
        view rows = rows_from(space->layers[layer].output_rows, first);
        for (int64_t row = 0; row < count; row++)
            burble_dropout(p->update->dropout, key_of(p, key), layer + 1, (first + row) * hidden,
                           hidden, rows.values + row * rows.stride);
        float *mask = space->layers[layer].mask + i * space->unit;
        p->learner->kernel->to_group(rows, count, hidden, mask);
    }
}

void draw_dropout(const pass *p, int32_t thread) {
    if (!p->update) return;
    if (p->update->input_dropout > 0 && p->learner->shape.input != BURBLE_ONE_HOT)
        draw_input(p, thread);
    if (p->update->dropout > 0)
        for (int32_t layer = 0; layer < p->learner->shape.num_layers; layer++)
            draw_layer(p, thread, layer);
}

float one_hot_factor(const pass *p, int64_t time, int64_t row, int64_t id) {
    if (!p->update || p->update->input_dropout == 0) return 1.0f;
    int64_t from = p->update->locked_dropout ? row : time * p->space->rows + row;
    uint64_t key[2];
    float factor;
    burble_dropout(p->update->input_dropout, key_of(p, key), 0,
                   from * p->learner->shape.vocab_size + id, 1, &factor);
    return factor;
}

/* Return the mask of an input row, or NULL without dropout. */
static const float *input_mask(const pass *p, int64_t time, int64_t row) {
    if (!p->update || p->update->input_dropout == 0) return NULL;
    int64_t place = p->update->locked_dropout ? row : time * p->space->rows + row;
    return p->space->input_mask.values + place * p->space->input_mask.stride;
}

static void read_row(const pass *p, int64_t time, int64_t row, float *to) {
    int64_t width = input_size(&p->learner->shape);
    int64_t id = p->batch->inputs[time * p->space->rows + row];
    if (p->learner->shape.input == BURBLE_SCALAR) {
        to[0] = (float)id / (float)p->learner->shape.vocab_size;
    } else {
        matrix embedding = matrix_of(p->learner, p->kind, EMBEDDING_PLACE);
        memcpy(to, embedding.at.values + id * embedding.at.stride, (size_t)width * sizeof *to);
    }
    const float *mask = input_mask(p, time, row);
    if (mask) p->learner->kernel->multiply(mask, width, to);
}

void read_input(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    if (p->learner->shape.input == BURBLE_ONE_HOT) return;
    int64_t width = input_size(&p->learner->shape);
    range groups = share_of(p, thread, (int64_t)space->time * space->groups, 1);
    for (int64_t i = groups.first; i < groups.end; i++) {
        int64_t time = i / space->groups, group = i % space->groups;
        view rows = rows_from(space->input_rows, time * space->rows + group * GROUP);
        for (int64_t row = 0; row < rows_in(space, group); row++)
            read_row(p, time, group * GROUP + row, rows.values + row * rows.stride);
        p->learner->kernel->to_group(rows, rows_in(space, group), width,
                                     space->input + i * width * GROUP);
    }
}

/* Add the positions in ascending order. The threads divide the columns. */
static void learn_embedding(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    matrix gradient = matrix_of(p->learner, BURBLE_GRADIENTS, EMBEDDING_PLACE);
    range columns = share_of(p, thread, gradient.inputs, GROUP);
    int64_t width = columns.end - columns.first;
    if (width == 0) return;
    for (int64_t id = 0; id < gradient.outputs; id++)
        memset(gradient.at.values + id * gradient.at.stride + columns.first, 0,
               (size_t)width * sizeof(float));
    for (int64_t i = 0; i < (int64_t)space->time * space->rows; i++) {
        float *row = rows_from(space->gradient_rows, i).values + columns.first;
        const float *mask = input_mask(p, i / space->rows, i % space->rows);
        if (mask) p->learner->kernel->multiply(mask + columns.first, width, row);
        float *to = gradient.at.values + p->batch->inputs[i] * gradient.at.stride + columns.first;
        p->learner->kernel->accumulate(row, width, to);
    }
}

/* Add the positions in ascending order. The threads divide the gates. */
static void learn_one_hot(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    matrix gradient = matrix_of(p->learner, BURBLE_GRADIENTS, input_place(p->learner, 0));
    range gates = share_of(p, thread, gradient.outputs, GROUP);
    for (int64_t gate = gates.first; gate < gates.end; gate++)
        memset(gradient.at.values + gate * gradient.at.stride, 0,
               (size_t)gradient.inputs * sizeof(float));
    for (int64_t i = 0; i < (int64_t)space->time * space->rows; i++) {
        int64_t time = i / space->rows, row = i % space->rows, id = p->batch->inputs[i];
        const float *d = space->layers[0].gates + time * time_step(space, gradient.outputs) +
                         row / GROUP * gradient.outputs * GROUP + row % GROUP;
        float factor = one_hot_factor(p, time, row, id), *to = gradient.at.values + id;
        for (int64_t gate = gates.first; gate < gates.end; gate++)
            to[gate * gradient.at.stride] += d[gate * GROUP] * factor;
    }
}

void learn_input(const pass *p, int32_t thread) {
    if (p->learner->shape.input == BURBLE_EMBEDDING) learn_embedding(p, thread);
    if (p->learner->shape.input == BURBLE_ONE_HOT) learn_one_hot(p, thread);
}
