/* Replays what the reference has learned, bit for bit, with every kernel of this machine.
 *
 *     replay FILE [CASES]
 *
 * FILE is what replay.py writes: blocks, each after its size in bytes, cases one after the other.
 * Each case runs with 1, 2, 3 and 7 threads. Prints the kernels and the number of cases; or the
 * first difference, and exits with 1.
 */
#include "../../native/replay.h"

#include <math.h>

#include "../../../src/burble/training/learners/native/kernel/learner.h"

/* A block as it stands in the file. */
typedef struct {
    char *data;
    int64_t size;
} block;

typedef struct {
    block *blocks;
    int64_t count;
} blocks;

typedef struct {
    burble_batch batch;
    burble_update update;
    burble_figures learned, scored;
} turn;

typedef struct {
    burble_learner_shape shape;
    int64_t time, rows, layers, states, num_turns, raw;
    turn *turns;
    blocks tensors[5];       /* of each kind, before the first turn; gradients: nothing */
    blocks tensors_after[5]; /* after the last; no gradients where it came to nothing */
    blocks state, state_after, state_scored;

    int64_t number;
    const char *kernel;
    int32_t threads;
} replay_case;

/* The file. */

static blocks take_blocks(FILE *file) {
    blocks found;
    take_into(file, &found.count, sizeof found.count);
    found.blocks = allocate(found.count * (int64_t)sizeof *found.blocks);
    for (int64_t i = 0; i < found.count; i++)
        found.blocks[i].data = read_block(file, &found.blocks[i].size);
    return found;
}

static void drop_blocks(blocks all) {
    for (int64_t i = 0; i < all.count; i++) free(all.blocks[i].data);
    free(all.blocks);
}

static void take_turn(FILE *file, const replay_case *c, turn *t) {
    t->batch.inputs = take(file, c->time * c->rows * 8);
    t->batch.targets = take(file, c->time * c->rows * 8);
    t->batch.mask = take(file, c->time * c->rows);
    t->batch.reset = take(file, c->rows);
    take_into(file, &t->update, sizeof t->update);
    take_into(file, &t->learned, sizeof t->learned);
    take_into(file, &t->scored, sizeof t->scored);
}

static void take_case(FILE *file, replay_case *c) {
    take_into(file, &c->shape, sizeof c->shape);
    int64_t *numbers[] = {&c->time, &c->rows, &c->layers, &c->states, &c->num_turns, &c->raw};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        take_into(file, numbers[i], sizeof **numbers);
    c->turns = allocate(c->num_turns * (int64_t)sizeof *c->turns);
    for (int64_t i = 0; i < c->num_turns; i++) take_turn(file, c, &c->turns[i]);
    for (int32_t kind = 0; kind < 5; kind++) c->tensors[kind] = take_blocks(file);
    for (int32_t kind = 0; kind < 5; kind++) c->tensors_after[kind] = take_blocks(file);
    c->state = take_blocks(file);
    c->state_after = take_blocks(file);
    c->state_scored = take_blocks(file);
}

static void drop_case(replay_case *c) {
    for (int64_t i = 0; i < c->num_turns; i++) {
        free((void *)c->turns[i].batch.inputs);
        free((void *)c->turns[i].batch.targets);
        free((void *)c->turns[i].batch.mask);
        free((void *)c->turns[i].batch.reset);
    }
    free(c->turns);
    for (int32_t kind = 0; kind < 5; kind++) {
        drop_blocks(c->tensors[kind]);
        drop_blocks(c->tensors_after[kind]);
    }
    drop_blocks(c->state);
    drop_blocks(c->state_after);
    drop_blocks(c->state_scored);
}

/* What must be the same. */

static void differ(const replay_case *c, const char *what, int64_t place) {
    const burble_learner_shape *s = &c->shape;
    printf("case %" PRId64 ", kernel %s, %d threads: %s %" PRId64 " differ\n", c->number, c->kernel,
           c->threads, what, place);
    printf("cell %.8s, input %d, layers %d, hidden %d, vocab %d, embedding %d, residual %d; ",
           s->cell, s->input, s->num_layers, s->hidden_size, s->vocab_size, s->embedding_size,
           s->residual);
    printf("time %" PRId64 ", rows %" PRId64 "\n", c->time, c->rows);
    exit(1);
}

/* Figures that are not finite are like any others. */
static void expect_figures(const replay_case *c, const char *what, int64_t place,
                           const burble_figures *found, const burble_figures *expected) {
    if (!isfinite(found->loss + found->norm) && !isfinite(expected->loss + expected->norm)) return;
    if (memcmp(found, expected, sizeof *found) == 0) return;
    printf("loss %a, correct %" PRId64 ", norm %a; expected %a, %" PRId64 ", %a\n", found->loss,
           found->correct, found->norm, expected->loss, expected->correct, expected->norm);
    differ(c, what, place);
}

/* Processors write NaN in more than one way. */
static int same_floats(const float *found, block expected) {
    const float *wanted = (const float *)(const void *)expected.data;
    for (int64_t i = 0; i < expected.size / 4; i++)
        if (memcmp(found + i, wanted + i, 4) != 0 && !(isnan(found[i]) && isnan(wanted[i])))
            return 0;
    return 1;
}

static void expect_tensors(const replay_case *c, burble_learner *learner, int32_t kind) {
    static const char *const KINDS[] = {"weights", "averages", "means", "squares", "gradients"};
    blocks expected = c->tensors_after[kind];
    for (int64_t i = 0; i < expected.count; i++) {
        void *found = allocate(expected.blocks[i].size);
        burble_learner_tensor(learner, kind, (int32_t)i, found, 0);
        int same = same_floats(found, expected.blocks[i]);
        free(found);
        if (!same) differ(c, KINDS[kind], i);
    }
}

static void set_state(const replay_case *c, burble_space *space) {
    for (int64_t i = 0; i < c->state.count; i++)
        burble_space_state(space, (int32_t)(i / c->states), (int32_t)(i % c->states),
                           (float *)(void *)c->state.blocks[i].data, 1);
}

static void expect_state(const replay_case *c, burble_space *space, const char *what,
                         blocks expected) {
    for (int64_t i = 0; i < expected.count; i++) {
        void *found = allocate(expected.blocks[i].size);
        burble_space_state(space, (int32_t)(i / c->states), (int32_t)(i % c->states), found, 0);
        int same = same_floats(found, expected.blocks[i]);
        free(found);
        if (!same) differ(c, what, i);
    }
}

/* Moves what is carried from one space into another of the same rows. */
static void move_state(const replay_case *c, burble_space *from, burble_space *to) {
    for (int64_t i = 0; i < c->state.count; i++) {
        void *values = allocate(c->state.blocks[i].size);
        int32_t layer = (int32_t)(i / c->states), state = (int32_t)(i % c->states);
        burble_space_state(from, layer, state, values, 0);
        burble_space_state(to, layer, state, values, 1);
        free(values);
    }
}

static void learn(const replay_case *c, burble_learner *learner, burble_space *space) {
    for (int64_t i = 0; i < c->num_turns; i++) {
        const turn *t = &c->turns[i];
        burble_figures found = {0};
        make_hostile(c->number);
        uint64_t mode = float_mode();
        burble_learner_step(learner, space, &t->batch, &t->update, c->threads, &found);
        if (float_mode() != mode) fail("the caller's float mode was lost");
        fesetenv(FE_DFL_ENV);
        expect_figures(c, "figures of step", i, &found, &t->learned);
    }
}

static void score(const replay_case *c, burble_learner *learner, burble_space *space) {
    for (int64_t i = 0; i < c->num_turns; i++) {
        const turn *t = &c->turns[i];
        burble_figures found = {0};
        make_hostile(c->number);
        burble_learner_score(learner, space, &t->batch, (int32_t)c->raw, c->threads, &found);
        fesetenv(FE_DFL_ENV);
        expect_figures(c, "figures of score", i, &found, &t->scored);
    }
}

static void replay_with(const replay_case *c) {
    make_hostile(c->number); /* the pool's threads begin as whoever makes them */
    burble_learner *learner = burble_learner_new(c->kernel, &c->shape, c->threads);
    fesetenv(FE_DFL_ENV);
    if (!learner) fail("there is no learner");
    int32_t time = (int32_t)c->time, rows = (int32_t)c->rows;
    burble_space *space = burble_space_new(learner, time, rows, 1);
    burble_space *scoring = burble_space_new(learner, time, rows, 0);
    if (!space || !scoring) fail("there is no space");
    for (int32_t kind = 0; kind < 5; kind++)
        for (int64_t i = 0; i < c->tensors[kind].count; i++)
            burble_learner_tensor(learner, kind, (int32_t)i,
                                  (float *)(void *)c->tensors[kind].blocks[i].data, 1);
    set_state(c, space);
    learn(c, learner, space);
    for (int32_t kind = 0; kind < 5; kind++) expect_tensors(c, learner, kind);
    expect_state(c, space, "states", c->state_after);
    move_state(c, space, scoring);
    score(c, learner, space);
    expect_state(c, space, "states scored where it learns", c->state_scored);
    score(c, learner, scoring);
    expect_state(c, scoring, "states scored", c->state_scored);
    burble_space_free(space);
    burble_space_free(scoring);
    burble_learner_free(learner);
}

static void replay(replay_case *c) {
    static const int32_t THREADS[] = {1, 2, 3, 7};
    for (int32_t place = 0; (c->kernel = burble_learner_kernel(place)) != NULL; place++)
        for (size_t i = 0; i < sizeof THREADS / sizeof *THREADS; i++) {
            c->threads = THREADS[i];
            replay_with(c);
        }
}

#define KERNEL_NAME burble_learner_kernel
#include "../../native/replay_main.h"
