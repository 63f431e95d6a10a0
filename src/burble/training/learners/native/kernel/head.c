/* From the last layer's outputs to logits, losses and their gradients. */
#include <string.h>

#include "logarithm.h"
#include "pass.h"

static int has_targets(const pass *p, int64_t time, int64_t first, int64_t count) {
    const uint8_t *mask = p->batch->mask + time * p->space->rows + first;
    for (int64_t row = 0; row < count; row++)
        if (mask[row]) return 1;
    return 0;
}

/* The losses of one group, and what its logits become: the gradient of the mean loss. */
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
        /* The likeliest is the first of those that are equally likely. */
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

static void run_group(const pass *p, int64_t place, float *logits) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    int64_t vocab = p->learner->shape.vocab_size, hidden = p->learner->shape.hidden_size;
    int64_t time = place / space->groups, group = place % space->groups;
    int64_t count = rows_in(space, group);
    view rows = rows_from(space->gradient_rows, time * space->rows + group * GROUP);
    if (!has_targets(p, time, group * GROUP, count)) {
        if (!p->update) return;
        memset(logits, 0, (size_t)vocab * GROUP * sizeof *logits);
        memset(rows.values, 0, (size_t)(count * rows.stride) * sizeof(float));
        return;
    }
    matrix weights = matrix_of(p->learner, p->kind, head_place(p->learner));
    const float *bias = matrix_of(p->learner, p->kind, head_bias_place(p->learner)).at.values;
    const float *outputs = outputs_at(p, p->learner->shape.num_layers - 1, time);
    term over = {weights, outputs + group * hidden * GROUP};
    kernel->forward(&over, 1, bias, logits);
    score_group(p, time, group, logits);
    if (p->update) kernel->backward(&weights, logits, rows, count, 0);
}

/* Sums over the groups of a block, which begins and ends with a whole time. */
static void learn_block(const pass *p, int32_t thread, int64_t first, int64_t count) {
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
    lanes d = {space->logits + own.first * GROUP, vocab * GROUP, count / space->groups,
               space->rows};
    view x = rows_from(outputs, first / space->groups * space->rows);
    kernel->outer(&gradient, &d, x, first > 0);
    float *bias = space->head_bias + own.first * GROUP;
    if (first == 0) memset(bias, 0, (size_t)size * sizeof *bias);
    for (int64_t i = 0; i < count; i++) kernel->accumulate(d.values + i * d.next, size, bias);
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
    int64_t every = (int64_t)space->time * space->groups;
    int64_t vocab = p->learner->shape.vocab_size;
    for (int64_t first = 0; first < every; first += space->block) {
        int64_t count = every - first < space->block ? every - first : space->block;
        range own = share_of(p, thread, count, 1);
        for (int64_t i = own.first; i < own.end; i++)
            run_group(p, first + i, space->logits + i * vocab * GROUP);
        meet(p);
        if (!p->update) continue;
        learn_block(p, thread, first, count);
        meet(p);
    }
    if (p->update) learn_bias(p, thread);
}
