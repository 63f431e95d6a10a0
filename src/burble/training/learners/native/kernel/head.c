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

/* Some groups of one time, or all groups of several times. */
typedef struct {
    int64_t time, times, group, groups;
    int is_scored; /* its times have targets */
} slab;

/* Rows of the batch in one time of a slab. */
static int64_t slab_rows(const pass *p, slab s) {
    int64_t left = p->space->rows - s.group * GROUP;
    return left < s.groups * GROUP ? left : s.groups * GROUP;
}

static view slab_gradients(const pass *p, slab s) {
    return rows_from(p->space->gradient_rows, s.time * p->space->rows + s.group * GROUP);
}

/* Compute logits, losses and gradients of a slab. */
static void score_slab(const pass *p, slab s, float *logits) {
    const burble_space *space = p->space;
    const learner_kernel *kernel = p->learner->kernel;
    int64_t one = p->learner->shape.vocab_size * GROUP;
    matrix weights = matrix_of(p->learner, p->kind, head_place(p->learner));
    const float *bias = matrix_of(p->learner, p->kind, head_bias_place(p->learner)).at.values;
    const float *outputs = outputs_at(p, p->learner->shape.num_layers - 1, s.time);
    term over = {weights, outputs + s.group * space->unit, space->unit};
    row_groups all = {logits, one, s.times * s.groups};
    kernel->forward(&over, bias, all);
    for (int64_t i = 0; i < all.count; i++)
        score_group(p, s.time + i / s.groups, s.group + i % s.groups, logits + i * one);
    if (!p->update) return;
    lanes d = {logits, one, s.times, slab_rows(p, s)};
    kernel->backward(&weights, &d, slab_gradients(p, s), 0);
}

/* Set the gradients of a slab without targets to zero. */
static void clear_slab(const pass *p, slab s, float *logits) {
    if (!p->update) return;
    view rows = slab_gradients(p, s);
    int64_t size = s.groups * p->learner->shape.vocab_size * GROUP;
    memset(logits, 0, (size_t)size * sizeof *logits);
    memset(rows.values, 0, (size_t)(slab_rows(p, s) * rows.stride) * sizeof(float));
}

/* Take whole times together while the thread has them, or up to TOGETHER groups of one time. */
static slab next_slab(const pass *p, int64_t place, int64_t end) {
    int64_t groups = p->space->groups, left = end - place;
    slab s = {place / groups, 1, place % groups, groups - place % groups, 0};
    s.is_scored = has_targets(p, s.time);
    if (s.groups > left) s.groups = left;
    if (s.groups > TOGETHER) s.groups = TOGETHER;
    if (s.groups < groups || !s.is_scored) return s;
    while (s.times < times_together(p) && (s.times + 1) * groups <= left &&
           has_targets(p, s.time + s.times))
        s.times++;
    return s;
}

/* Compute the groups of one thread, counted over all times. `logits` are those of the first. */
static void run_groups(const pass *p, range own, float *logits) {
    int64_t one = p->learner->shape.vocab_size * GROUP;
    slab s;
    for (int64_t place = own.first; place < own.end; place += s.times * s.groups) {
        s = next_slab(p, place, own.end);
        float *some = logits + (place - own.first) * one;
        if (s.is_scored)
            score_slab(p, s, some);
        else
            clear_slab(p, s, some);
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
    int64_t one = p->learner->shape.vocab_size * GROUP, groups = space->groups;
    range block = {0, 0};
    for (; block.first < space->time; block.first = block.end) {
        block.end = block.first + space->block;
        if (block.end > space->time) block.end = space->time;
        range own = share_of(p, thread, (block.end - block.first) * groups, 1);
        range places = {block.first * groups + own.first, block.first * groups + own.end};
        run_groups(p, places, space->logits + own.first * one);
        barrier(p);
        if (!p->update) continue;
        learn_block(p, thread, block);
        barrier(p);
    }
    if (p->update) learn_bias(p, thread);
}
