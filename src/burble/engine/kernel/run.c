/* Run the network: read a token of each row in one step, and the loops around steps. */
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "model.h"

/* Rows in one step. More rows would share each load of weights, but their intermediate values would
 * no longer fit the cache beside the weights. */
#define MAX_ROWS 16

/* Vectors of integers, one for each row, and their scales. */
typedef struct {
    int8_t *integers; /* (rows, integer_stride of the workspace) */
    float *scales;    /* (rows,) */
} quantized;

/* The memory of a step, besides the model and the states. */
typedef struct {
    int64_t rows;
    float *states[MAX_ROWS]; /* (layers, states of the cell, hidden) each */
    int32_t ids[MAX_ROWS];

    int64_t integer_stride, sum_stride, gate_stride, output_stride;
    int8_t *hidden;      /* (layers, rows, padded hidden): each layer's output as integers */
    float *hidden_scale; /* (layers, rows) */
    quantized below;     /* the input of a layer, if it is not `hidden` */
    int32_t *sums;       /* (rows, padded outputs) */
    float *from_input;   /* (rows, gates) */
    float *from_state;   /* (rows, gates) */
    float *outputs;      /* (rows, hidden): residual sums */
    float *logits;       /* (rows, vocab) */
    choice_room room;
    char *memory;
    fenv_t float_mode; /* of the caller, to restore */
} workspace;

static size_t lay_out(workspace *w, const burble_model *model, int64_t rows, char *memory) {
    const burble_shape *shape = &model->shape;
    int64_t layers = shape->num_layers, vocab = shape->vocab_size;
    int32_t widest =
        shape->hidden_size > shape->embedding_size ? shape->hidden_size : shape->embedding_size;
    int64_t most = model->gates > vocab ? model->gates : vocab;
    w->integer_stride = round_up(widest, 64);
    w->sum_stride = round_up((int32_t)most, 64);
    w->gate_stride = round_up(model->gates, 16);
    w->output_stride = round_up(shape->hidden_size, 16);
    size_t used = 0, n = (size_t)rows;
    size_t integers = n * (size_t)w->integer_stride, gates = n * (size_t)w->gate_stride * 4;
    w->hidden = carve(memory, &used, (size_t)layers * integers);
    w->hidden_scale = carve(memory, &used, (size_t)layers * n * 4);
    w->below.integers = carve(memory, &used, integers);
    w->below.scales = carve(memory, &used, n * 4);
    w->sums = carve(memory, &used, n * (size_t)w->sum_stride * 4);
    w->from_input = carve(memory, &used, gates);
    w->from_state = carve(memory, &used, gates);
    w->outputs = carve(memory, &used, n * (size_t)w->output_stride * 4);
    w->logits = carve(memory, &used, n * (size_t)vocab * 4);
    w->room.scores = carve(memory, &used, (size_t)vocab * 4);
    w->room.weights = carve(memory, &used, (size_t)vocab * 4);
    w->room.ranks = carve(memory, &used, (size_t)vocab * 8);
    return used;
}

static int open_workspace(workspace *w, const burble_model *model, int64_t rows) {
    w->rows = rows < MAX_ROWS ? rows : MAX_ROWS;
    size_t size = lay_out(w, model, w->rows, NULL);
    w->memory = aligned_alloc(64, size);
    if (!w->memory) return -1;
    /* The caller may have set another rounding, or flush tiny numbers to zero. */
    fegetenv(&w->float_mode);
    fesetenv(FE_DFL_ENV);
    memset(w->memory, 0, size); /* the padding of integers is read, so it must be initialised */
    lay_out(w, model, w->rows, w->memory);
    return 0;
}

static void close_workspace(workspace *w) {
    free(w->memory);
    fesetenv(&w->float_mode);
}

static quantized hidden_of(const workspace *w, int32_t layer) {
    return (quantized){w->hidden + layer * w->rows * w->integer_stride,
                       w->hidden_scale + layer * w->rows};
}

static float *state_of(const burble_model *model, const workspace *w, int64_t row, int32_t layer) {
    return w->states[row] + (int64_t)layer * model->layer_state;
}

static void quantize_state(const burble_model *model, workspace *w, int64_t row, int32_t layer) {
    quantized hidden = hidden_of(w, layer);
    hidden.scales[row] =
        model->kernel->quantize(state_of(model, w, row, layer), model->shape.hidden_size,
                                hidden.integers + row * w->integer_stride);
}

/* Call this whenever rows or states have changed outside of a step. */
static void quantize_states(const burble_model *model, workspace *w) {
    for (int64_t row = 0; row < w->rows; row++)
        for (int32_t layer = 0; layer < model->shape.num_layers; layer++)
            quantize_state(model, w, row, layer);
}

/* out = inputs · Wᵀ [+ bias], (rows, outputs) */
static void multiply(const burble_model *model, workspace *w, int32_t slot, quantized inputs,
                     float *out, int64_t out_stride) {
    const matrix *m = &model->matrices[slot];
    model->kernel->multiply(m, inputs.integers, w->integer_stride, w->rows, w->sums, w->sum_stride);
    for (int64_t row = 0; row < w->rows; row++)
        model->kernel->dequantize(w->sums + row * w->sum_stride, m->scales, inputs.scales[row],
                                  m->bias, m->outputs, out + row * out_stride);
}

/* Compute the input side of a layer's gates. For a folded first layer, look it up in the table. */
static void input_side(const burble_model *model, workspace *w, int32_t layer, quantized inputs,
                       const float **sides) {
    if (layer > 0 || model->shape.embedding_size > 0)
        multiply(model, w, 2 * layer, inputs, w->from_input, w->gate_stride);
    for (int64_t row = 0; row < w->rows; row++)
        sides[row] = layer == 0 && model->shape.embedding_size == 0
                         ? model->input + (int64_t)w->ids[row] * model->gates
                         : w->from_input + row * w->gate_stride;
}

static void read_embedding(const burble_model *model, workspace *w) {
    int32_t size = model->shape.embedding_size;
    for (int64_t row = 0; row < w->rows; row++)
        w->below.scales[row] =
            model->kernel->quantize(model->input + (int64_t)w->ids[row] * size, size,
                                    w->below.integers + row * w->integer_stride);
}

/* Add the residual connection: the layer above reads this layer's output plus its input. */
static void add_below(const burble_model *model, workspace *w, int32_t layer) {
    const kernel *k = model->kernel;
    int32_t size = model->shape.hidden_size;
    for (int64_t row = 0; row < w->rows; row++) {
        float *sum = w->outputs + row * w->output_stride;
        const float *output = state_of(model, w, row, layer);
        if (layer == 0) {
            memcpy(sum, output, (size_t)size * sizeof *sum);
            continue;
        }
        k->accumulate(output, size, sum);
        w->below.scales[row] = k->quantize(sum, size, w->below.integers + row * w->integer_stride);
    }
}

/* Read one id of each row. Computes the logits after it unless `logits` is NULL. */
static void step(const burble_model *model, workspace *w, float *logits, int64_t logit_stride) {
    const burble_shape *shape = &model->shape;
    quantized inputs = w->below;
    if (shape->embedding_size > 0) read_embedding(model, w);
    for (int32_t layer = 0; layer < shape->num_layers; layer++) {
        const float *sides[MAX_ROWS];
        input_side(model, w, layer, inputs, sides);
        multiply(model, w, 2 * layer + 1, hidden_of(w, layer), w->from_state, w->gate_stride);
        for (int64_t row = 0; row < w->rows; row++) {
            model->cell(sides[row], w->from_state + row * w->gate_stride,
                        state_of(model, w, row, layer), shape->hidden_size);
            quantize_state(model, w, row, layer);
        }
        if (shape->residual) add_below(model, w, layer);
        inputs = shape->residual && layer > 0 ? w->below : hidden_of(w, layer);
    }
    if (logits) multiply(model, w, 2 * shape->num_layers, inputs, logits, logit_stride);
}

/* Read as many rows as the workspace has, from `first` on. */
static void read_rows(const burble_model *model, workspace *w, const burble_reading *reading,
                      int64_t first) {
    int64_t state_size = (int64_t)model->shape.num_layers * model->layer_state;
    int64_t vocab = model->shape.vocab_size, rows = reading->rows;
    float *logits = reading->logits + first * vocab;
    for (int64_t row = 0; row < w->rows; row++)
        w->states[row] = reading->state + (first + row) * state_size;
    quantize_states(model, w);
    for (int64_t t = 0; t < reading->time; t++) {
        const int32_t *ids = reading->ids + t * rows + first;
        for (int64_t row = 0; row < w->rows; row++) w->ids[row] = ids[row];
        if (reading->only_last)
            step(model, w, t == reading->time - 1 ? logits : NULL, vocab);
        else
            step(model, w, logits + t * rows * vocab, vocab);
    }
}

int32_t burble_read(const burble_model *model, const burble_reading *reading, int64_t first,
                    int64_t count) {
    int64_t last = first + count;
    workspace w;
    if (open_workspace(&w, model, count)) return -1;
    for (; first < last; first += MAX_ROWS) {
        w.rows = last - first < MAX_ROWS ? last - first : MAX_ROWS;
        read_rows(model, &w, reading, first);
    }
    close_workspace(&w);
    return 0;
}

static int ends_in(const burble_stream *stream, const int32_t *stop, int32_t length) {
    return length <= stream->end - stream->begin &&
           memcmp(stream->tokens + stream->end - length, stop, (size_t)length * sizeof *stop) == 0;
}

static int is_due(const burble_stream *stream) {
    if (stream->end >= stream->limit) return 1;
    const int32_t *stop = stream->stops;
    for (int64_t i = 0; i < stream->num_stops; i++, stop += 1 + stop[0])
        if (ends_in(stream, stop + 1, stop[0])) return 1;
    return 0;
}

/* Make the running streams the rows of the workspace. */
static void set_rows(const burble_model *model, workspace *w, burble_stream **running,
                     int64_t count) {
    w->rows = count;
    for (int64_t row = 0; row < count; row++) w->states[row] = running[row]->state;
    quantize_states(model, w);
}

/* Write to up to MAX_ROWS streams until all are done. */
static void write_rows(const burble_model *model, workspace *w, burble_stream **running,
                       int64_t count) {
    int32_t vocab = model->shape.vocab_size;
    if (count > 0) set_rows(model, w, running, count);
    while (count > 0) {
        for (int64_t row = 0; row < count; row++)
            w->ids[row] = running[row]->tokens[running[row]->end - 1];
        step(model, w, w->logits, vocab);
        int64_t left = 0;
        for (int64_t row = 0; row < count; row++) {
            burble_stream *stream = running[row];
            int32_t token = choose(model->kernel, w->logits + row * vocab, vocab, stream, &w->room);
            stream->tokens[stream->end++] = token;
            stream->position++;
            if (!is_due(stream)) running[left++] = stream;
        }
        if (left < count) set_rows(model, w, running, left);
        count = left;
    }
}

int32_t burble_write(const burble_model *model, burble_stream *const *streams, int64_t count) {
    workspace w;
    if (open_workspace(&w, model, count)) return -1;
    for (int64_t first = 0; first < count; first += MAX_ROWS) {
        burble_stream *running[MAX_ROWS];
        int64_t left = 0;
        for (int64_t i = first; i < count && i < first + MAX_ROWS; i++)
            if (streams[i]->end < streams[i]->limit) running[left++] = streams[i];
        write_rows(model, &w, running, left);
    }
    close_workspace(&w);
    return 0;
}

int32_t burble_choose(const burble_model *model, const float *logits, const burble_stream *stream) {
    workspace w;
    if (open_workspace(&w, model, 1)) return -1;
    int32_t token = choose(model->kernel, logits, model->shape.vocab_size, stream, &w.room);
    close_workspace(&w);
    return token;
}
