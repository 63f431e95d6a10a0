/* The head: logits, losses and their gradients from the outputs of the last layer. */
#include <string.h>

#include "logarithm.h"
#include "pass.h"

static int has_targets(const pass *p, int64_t time) {
    const uint8_t *mask = p->batch->mask + time * p->space->rows;
    for (int64_t row = 0; row < p->space->rows; row++)
        if (mask[row]) return 1;
    return 0;
}

/* Compute the losses of one group, and replace its logits by the gradient of the mean loss. */
static void score_group(const pass *p, int64_t time, int64_t group, float *logits) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    int64_t vocab = p->learner->shape.vocab_size, count = rows_in(space, group);
    int64_t first = time * space->rows + group * GROUP;
    float largest[GROUP], aimed[GROUP], factor[GROUP] = {0};
    double total[GROUP];
    for (int64_t row = 0; row < count; row++) {
        int64_t target = p->batch->targets[first + row];
        aimed[row] = logits[target * GROUP + row];
        space->hits[first + row] = 1;
        /* Of equal logits, the first counts as the highest. */
        for (int64_t id = 0; id < vocab; id++)
            if (logits[id * GROUP + row] > aimed[row] ||
                (id < target && logits[id * GROUP + row] == aimed[row])) {
                space->hits[first + row] = 0;
                break;
            }
    }
    kernel->exponentials(logits, vocab, largest, total);
    float one = (float)(1.0 / (double)p->num_targets);
    for (int64_t row = 0; row < count; row++) {
        if (!p->batch->mask[first + row]) continue;
        double below = (double)aimed[row] - (double)largest[row];
        space->losses[first + row] = logarithm(total[row]) - below;
        factor[row] = (float)(1.0 / (total[row] * (double)p->num_targets));
    }
    if (!p->update) return;
    kernel->scale(logits, vocab, factor);
    for (int64_t row = 0; row < count; row++)
        if (p->batch->mask[first + row])
            logits[p->batch->targets[first + row] * GROUP + row] -= one;
}

/* Compute logits, losses and gradients of some times, which all have targets. */
static void score_times(const pass *p, range times, float *logits) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    int64_t one = p->learner->shape.vocab_size * GROUP, most = times.end - times.first;
    matrix weights = matrix_of(p->learner, p->kind, head_place(p->learner));
    const float *bias = matrix_of(p->learner, p->kind, head_bias_place(p->learner)).at.values;
    const float *outputs = outputs_at(p, p->learner->shape.num_layers - 1, times.first);
    term over = {weights, outputs, space->unit};
    row_groups all = {logits, one, most * space->groups};
    kernel->forward(&over, bias, all);
    for (int64_t i = 0; i < all.count; i++)
        score_group(p, times.first + i / space->groups, i % space->groups, logits + i * one);
    if (!p->update) return;
    lanes d = {logits, one, most, space->rows};
    kernel->backward(&weights, &d, rows_from(space->gradient_rows, times.first * space->rows), 0);
}

/* Set the gradients of a time without targets to zero. */
static void skip_time(const pass *p, int64_t time, float *logits) {
    const burble_space *space = p->space;
    if (!p->update) return;
    view rows = rows_from(space->gradient_rows, time * space->rows);
    memset(logits, 0, (size_t)time_step(space, p->learner->shape.vocab_size) * sizeof *logits);
    memset(rows.values, 0, (size_t)(space->rows * rows.stride) * sizeof(float));
}

/* Compute the times of one thread. `logits` are those of the first time. */
static void run_times(const pass *p, range own, float *logits) {
    int64_t one = time_step(p->space, p->learner->shape.vocab_size);
    range times = {own.first, own.first};
    for (; times.first < own.end; times.first = times.end) {
        float *some = logits + (times.first - own.first) * one;
        while (times.end < own.end && times.end - times.first < times_together(p) &&
               has_targets(p, times.end))
            times.end++;
        if (times.end > times.first)
            score_times(p, times, some);
        else
            skip_time(p, times.end++, some);
    }
}

/* Add the gradients of weights and bias over the times of a block. */
static void learn_block(const pass *p, int32_t thread, range times) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    matrix whole = matrix_of(p->learner, BURBLE_GRADIENTS, head_place(p->learner));
    range own = share_of(p, thread, whole.outputs, GROUP);
    int64_t size = (own.end - own.first) * GROUP, vocab = whole.outputs;
    if (size == 0) return;
    matrix gradient = whole;
    gradient.at.values += own.first * whole.at.stride;
    gradient.outputs = own.end - own.first;
    view outputs = output_rows(p, p->learner->shape.num_layers - 1);
    lanes d = {space->logits + own.first * GROUP, vocab * GROUP, times.end - times.first,
               space->rows};
    view x = rows_from(outputs, times.first * space->rows);
    kernel->outer(&gradient, &d, x, times.first > 0);
    float *bias = space->head_bias + own.first * GROUP;
    if (times.first == 0) memset(bias, 0, (size_t)size * sizeof *bias);
    for (int64_t i = 0; i < d.times * space->groups; i++)
        kernel->accumulate(d.values + i * d.next, size, bias);
}

static void learn_bias(const pass *p, int32_t thread) {
    matrix gradient = matrix_of(p->learner, BURBLE_GRADIENTS, head_bias_place(p->learner));
    range own = share_of(p, thread, gradient.inputs, GROUP);
    for (int64_t id = own.first; id < own.end; id++) {
        float sum = 0.0f;
        for (int64_t row = 0; row < GROUP; row++) sum += p->space->head_bias[id * GROUP + row];
        gradient.at.values[id] = sum;
    }
}

void run_head(const pass *p, int32_t thread) {
    const burble_space *space = p->space;
    int64_t one = time_step(space, p->learner->shape.vocab_size);
    range block = {0, 0};
    for (; block.first < space->time; block.first = block.end) {
        block.end = block.first + space->block;
        if (block.end > space->time) block.end = space->time;
        range own = share_of(p, thread, block.end - block.first, 1);
        range times = {block.first + own.first, block.first + own.end};
        run_times(p, times, space->logits + own.first * one);
        barrier(p);
        if (!p->update) continue;
        learn_block(p, thread, block);
        barrier(p);
    }
    if (p->update) learn_bias(p, thread);
}
