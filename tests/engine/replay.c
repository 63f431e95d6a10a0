/* Replays what NumPy computed, bit for bit, on every kernel that this machine can run.
 *
 *     replay FILE [CASES]
 *
 * FILE is what replay.py writes: blocks, each after its size in bytes, cases one after the other.
 * Prints the kernels and the number of cases; or the first difference, and exits with 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../native/replay.h"
#include "choose.h"
#include "model.h"

#define MAX_SLOTS 16

typedef struct {
    int8_t *values; /* NULL where a table stands for the slot */
    float *scales, *bias;
} weights;

typedef struct {
    burble_stream before; /* what it points to is never written to */
    float *state_after;
    int32_t *tokens_after;
    int64_t end_after;
} writing;

typedef struct {
    burble_shape shape;
    int32_t num_slots;
    weights slots[MAX_SLOTS];
    float *input;
    int64_t time, rows;
    int32_t *ids;
    float *state_before, *state_after, *logits;
    int64_t num_writings;
    writing *writings;
    int64_t num_weights;
    float temperature, *scores;
    int32_t *weights;

    int64_t number, state_size; /* of one row */
    const char *kernel;
} replay_case;

/* A block of just this size; NULL where it is empty. */
static void *take_optional(FILE *file, int64_t size) {
    int64_t found;
    void *block = read_block(file, &found);
    if (found == size) return block;
    if (found != 0) fail("a block has the wrong size");
    free(block);
    return NULL;
}

/* The file. */

static int64_t gates_of(const burble_shape *shape) {
    return (int64_t)shape->num_gates * shape->hidden_size;
}

static void take_weights(FILE *file, replay_case *c, int32_t slot) {
    const burble_shape *shape = &c->shape;
    int64_t outputs = slot == 2 * shape->num_layers ? shape->vocab_size : gates_of(shape);
    int64_t inputs = slot == 0 ? shape->embedding_size : shape->hidden_size;
    weights *w = &c->slots[slot];
    w->values = take_optional(file, inputs > 0 ? outputs * inputs : 1);
    w->scales = take_optional(file, outputs * 4);
    w->bias = take_optional(file, outputs * 4);
}

static void take_writing(FILE *file, replay_case *c, writing *w) {
    burble_stream *stream = &w->before;
    int64_t size;
    take_into(file, stream, sizeof *stream);
    take_into(file, &w->end_after, sizeof w->end_after);
    stream->tokens = take(file, stream->end * 4);
    stream->stops = read_block(file, &size);
    stream->sampling = take(file, sampling_size);
    stream->state = take(file, c->state_size * 4);
    w->state_after = take(file, c->state_size * 4);
    w->tokens_after = take(file, w->end_after * 4);
}

static void take_case(FILE *file, replay_case *c) {
    burble_shape *shape = &c->shape;
    take_into(file, shape, sizeof *shape);
    c->num_slots = 2 * shape->num_layers + 1;
    if (c->num_slots > MAX_SLOTS) fail("there are too many layers");
    c->state_size = (int64_t)shape->num_layers * shape->num_states * shape->hidden_size;
    int64_t width = shape->embedding_size > 0 ? shape->embedding_size : gates_of(shape);
    c->input = take(file, shape->vocab_size * width * 4);
    for (int32_t slot = 0; slot < c->num_slots; slot++) take_weights(file, c, slot);
    take_into(file, &c->time, sizeof c->time);
    take_into(file, &c->rows, sizeof c->rows);
    c->ids = take(file, c->time * c->rows * 4);
    c->state_before = take(file, c->rows * c->state_size * 4);
    c->state_after = take(file, c->rows * c->state_size * 4);
    c->logits = take(file, c->time * c->rows * shape->vocab_size * 4);
    take_into(file, &c->num_writings, sizeof c->num_writings);
    c->writings = allocate(c->num_writings * (int64_t)sizeof *c->writings);
    for (int64_t i = 0; i < c->num_writings; i++) take_writing(file, c, &c->writings[i]);
    take_into(file, &c->num_weights, sizeof c->num_weights);
    take_into(file, &c->temperature, sizeof c->temperature);
    c->scores = take(file, c->num_weights * 4);
    c->weights = take(file, c->num_weights * 4);
}

static void drop_case(replay_case *c) {
    for (int32_t slot = 0; slot < c->num_slots; slot++) {
        free(c->slots[slot].values);
        free(c->slots[slot].scales);
        free(c->slots[slot].bias);
    }
    for (int64_t i = 0; i < c->num_writings; i++) {
        writing *w = &c->writings[i];
        free(w->before.tokens);
        free((void *)w->before.stops);
        free((void *)w->before.sampling);
        free(w->before.state);
        free(w->state_after);
        free(w->tokens_after);
    }
    free(c->writings);
    free(c->scores);
    free(c->weights);
    free(c->input);
    free(c->ids);
    free(c->state_before);
    free(c->state_after);
    free(c->logits);
}

/* What must be the same. */

static void tell(const replay_case *c, const char *what) {
    const burble_shape *s = &c->shape;
    printf("case %" PRId64 ", kernel %s: %s differ\n", c->number, c->kernel, what);
    printf("cell %.8s, layers %d, hidden %d, vocab %d, embedding %d, residual %d; ", s->cell,
           s->num_layers, s->hidden_size, s->vocab_size, s->embedding_size, s->residual);
    printf("time %" PRId64 ", rows %" PRId64 ", streams %" PRId64 "\n", c->time, c->rows,
           c->num_writings);
}

static void expect_floats(const replay_case *c, const char *what, const float *found,
                          const float *expected, int64_t count) {
    if (count == 0 || memcmp(found, expected, (size_t)count * 4) == 0) return;
    int64_t place = 0;
    while (memcmp(found + place, expected + place, 4) == 0) place++;
    tell(c, what);
    printf("at %" PRId64 ": %a here, %a in NumPy\n", place, (double)found[place],
           (double)expected[place]);
    exit(1);
}

static void expect_tokens(const replay_case *c, const char *what, int64_t number,
                          const burble_stream *stream) {
    const writing *w = &c->writings[number];
    int64_t place = 0, both = stream->end < w->end_after ? stream->end : w->end_after;
    while (place < both && stream->tokens[place] == w->tokens_after[place]) place++;
    if (place == both && stream->end == w->end_after) return;
    tell(c, what);
    printf("stream %" PRId64 ": %" PRId64 " tokens here, %" PRId64 " in NumPy; ", number,
           stream->end, w->end_after);
    printf("the first that differs is %" PRId64 " of %" PRId64 " given\n", place, w->before.end);
    exit(1);
}

static void require(int32_t done) {
    if (done != 0) fail("the kernel found no memory");
}

static void read_part(const replay_case *c, const burble_model *model, float *state, int64_t from,
                      int64_t to, int64_t first, int64_t count, float *logits, int32_t only_last) {
    make_hostile(c->number);
    uint64_t mode = float_mode();
    burble_reading reading = {
        c->ids + from * c->rows, to - from, c->rows, state, logits, only_last};
    require(burble_read(model, &reading, first, count));
    if (float_mode() != mode) fail("the caller's float mode was lost");
    fesetenv(FE_DFL_ENV);
}

static void read_whole(const replay_case *c, const burble_model *model) {
    int64_t states = c->rows * c->state_size, numbers = c->time * c->rows * c->shape.vocab_size;
    float *state = copy_of(c->state_before, states * 4), *logits = allocate(numbers * 4);
    read_part(c, model, state, 0, c->time, 0, c->rows, logits, 0);
    expect_floats(c, "logits", logits, c->logits, numbers);
    expect_floats(c, "states", state, c->state_after, states);
    free(state);
    free(logits);
}

static void read_for_the_last(const replay_case *c, const burble_model *model) {
    int64_t states = c->rows * c->state_size, numbers = c->rows * c->shape.vocab_size;
    float *state = copy_of(c->state_before, states * 4), *logits = allocate(numbers * 4);
    read_part(c, model, state, 0, c->time, 0, c->rows, logits, 1);
    if (c->time > 0)
        expect_floats(c, "last logits", logits, c->logits + (c->time - 1) * numbers, numbers);
    expect_floats(c, "states before the last logits", state, c->state_after, states);
    free(state);
    free(logits);
}

/* Rows in parts, as threads take them, here the last ones first; each part in two goes. */
static void read_in_parts(const replay_case *c, const burble_model *model) {
    int64_t states = c->rows * c->state_size, vocab = c->shape.vocab_size;
    int64_t numbers = c->time * c->rows * vocab, half = c->time / 2;
    float *state = copy_of(c->state_before, states * 4), *logits = allocate(numbers * 4);
    int64_t largest = 1 + c->number % 6;
    for (int64_t end = c->rows; end > 0;) {
        int64_t first = end > largest ? end - largest : 0;
        read_part(c, model, state, 0, half, first, end - first, logits, 0);
        read_part(c, model, state, half, c->time, first, end - first,
                  logits + half * c->rows * vocab, 0);
        end = first;
    }
    expect_floats(c, "logits of parts", logits, c->logits, numbers);
    expect_floats(c, "states of parts", state, c->state_after, states);
    free(state);
    free(logits);
}

/* All streams together; in the order of the file or the other way round. */
static void write_all(const replay_case *c, const burble_model *model, int backwards) {
    int64_t count = c->num_writings;
    burble_stream *streams = allocate(count * (int64_t)sizeof *streams);
    burble_stream **given = allocate(count * (int64_t)sizeof *given);
    for (int64_t i = 0; i < count; i++) {
        const burble_stream *before = &c->writings[i].before;
        streams[i] = *before;
        streams[i].state = copy_of(before->state, c->state_size * 4);
        streams[i].tokens = allocate(before->limit * 4);
        memcpy(streams[i].tokens, before->tokens, (size_t)before->end * 4);
        given[backwards ? count - 1 - i : i] = &streams[i];
    }
    make_hostile(c->number);
    uint64_t mode = float_mode();
    require(burble_write(model, given, count));
    if (float_mode() != mode) fail("the caller's float mode was lost");
    fesetenv(FE_DFL_ENV);
    for (int64_t i = 0; i < count; i++) {
        expect_tokens(c, backwards ? "tokens written backwards" : "tokens", i, &streams[i]);
        expect_floats(c, "states of streams", streams[i].state, c->writings[i].state_after,
                      c->state_size);
        free(streams[i].state);
        free(streams[i].tokens);
    }
    free(streams);
    free(given);
}

/* From outside, the last bits of a weight show in a text once in a billion tokens. */
static void weigh(const replay_case *c, const burble_model *model) {
    int32_t *found = allocate(c->num_weights * 4);
    int64_t total = model->kernel->weigh(c->scores, (int32_t)c->num_weights, c->temperature, found);
    for (int64_t i = 0; i < c->num_weights; i++) {
        total -= c->weights[i];
        if (found[i] == c->weights[i]) continue;
        tell(c, "weights");
        printf("of (%a) / %a: %d here, %d in NumPy\n", (double)c->scores[i], (double)c->temperature,
               found[i], c->weights[i]);
        exit(1);
    }
    if (total != 0) fail("the weights have another total");
    free(found);
}

/* What `burble bench` calls: it has no right answer, but must keep within its memory too. */
static void probe(const burble_model *model) {
    burble_probe_memory(model, 3);
    burble_probe_products(model, 3);
}

static burble_model *build(const replay_case *c) {
    burble_model *model = burble_new(c->kernel, &c->shape);
    if (!model) fail("there is no model");
    burble_set_input(model, c->input);
    for (int32_t slot = 0; slot < c->num_slots; slot++) {
        const weights *w = &c->slots[slot];
        if (w->values) burble_set_matrix(model, slot, w->values, w->scales, w->bias);
    }
    return model;
}

static void replay(replay_case *c) {
    for (int32_t place = 0; (c->kernel = burble_kernel_name(place)) != NULL; place++) {
        burble_model *model = build(c);
        read_whole(c, model);
        read_for_the_last(c, model);
        read_in_parts(c, model);
        write_all(c, model, 0);
        write_all(c, model, 1);
        weigh(c, model);
        if (c->number < 10) probe(model);
        burble_free(model);
    }
}

#define KERNEL_NAME burble_kernel_name
#include "../native/replay_main.h"
