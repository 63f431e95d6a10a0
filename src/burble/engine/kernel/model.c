/* A model in memory: its weights packed for one kernel. */
#ifdef __linux__
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "model.h"

#include "../../native/memory.h"

static const kernel *const KERNELS[] = {
#ifdef BURBLE_X86
    &avx512_kernel,   &avx2_kernel,
#endif
#ifdef BURBLE_ARM
    &dotprod_kernel,  &neon_kernel,
#endif
    &portable_kernel,
};
#define NUM_KERNELS ((int32_t)(sizeof KERNELS / sizeof KERNELS[0]))

const char *burble_kernel_name(int32_t place) {
    for (int32_t i = 0; i < NUM_KERNELS; i++)
        if (KERNELS[i]->is_available() && place-- == 0) return KERNELS[i]->name;
    return NULL;
}

static const kernel *find_kernel(const char *name) {
    for (int32_t i = 0; i < NUM_KERNELS; i++)
        if (strcmp(KERNELS[i]->name, name) == 0 && KERNELS[i]->is_available()) return KERNELS[i];
    return NULL;
}

static cell_step find_cell(const kernel *k, const burble_shape *shape) {
    for (const cell_kind *kind = k->cells; kind->name; kind++)
        if (strncmp(kind->name, shape->cell, sizeof shape->cell) == 0) return kind->step;
    return NULL;
}

int32_t round_up(int32_t size, int32_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

/* Take the next `bytes` of memory, from a cache line on. If memory is NULL, only count them. */
void *carve(char *memory, size_t *used, size_t bytes) {
    void *place = memory ? memory + *used : NULL;
    *used += (bytes + 63) / 64 * 64;
    return place;
}

/* Set the sizes of a slot's matrix. A folded first layer has no input matrix. */
static void describe(const burble_model *model, int32_t slot, matrix *m) {
    const burble_shape *shape = &model->shape;
    int is_head = slot == 2 * shape->num_layers;
    m->outputs = is_head ? shape->vocab_size : model->gates;
    m->inputs = slot == 0 ? shape->embedding_size : shape->hidden_size;
    if (m->inputs == 0) m->outputs = 0;
    m->padded_outputs = round_up(m->outputs, model->kernel->width);
    m->padded_inputs = round_up(m->inputs, PAD_INPUTS);
}

/* Put all weights first, in the order of a step, so that they are close together in the cache. */
static size_t lay_out(burble_model *model, char *memory) {
    size_t used = 0;
    for (int32_t slot = 0; slot < model->num_matrices; slot++) {
        matrix *m = &model->matrices[slot];
        m->weights = carve(memory, &used, (size_t)m->padded_outputs * (size_t)m->padded_inputs);
    }
    for (int32_t slot = 0; slot < model->num_matrices; slot++) {
        matrix *m = &model->matrices[slot];
        size_t outputs = (size_t)m->padded_outputs;
        m->start = carve(memory, &used, outputs * sizeof *m->start);
        m->scales = carve(memory, &used, outputs * sizeof *m->scales);
        m->bias = slot % 2 == 0 ? carve(memory, &used, outputs * sizeof *m->bias) : NULL;
    }
    return used;
}

burble_model *burble_new(const char *name, const burble_shape *shape) {
    const kernel *k = find_kernel(name);
    cell_step cell = k ? find_cell(k, shape) : NULL;
    burble_model *model = cell ? calloc(1, sizeof *model) : NULL;
    if (!model) return NULL;
    model->kernel = k;
    model->cell = cell;
    model->shape = *shape;
    model->gates = shape->num_gates * shape->hidden_size;
    model->layer_state = shape->num_states * shape->hidden_size;
    model->num_matrices = 2 * shape->num_layers + 1;
    model->matrices = calloc((size_t)model->num_matrices, sizeof *model->matrices);
    if (model->matrices) {
        for (int32_t slot = 0; slot < model->num_matrices; slot++)
            describe(model, slot, &model->matrices[slot]);
        model->memory = zeroed(lay_out(model, NULL));
        if (model->memory) lay_out(model, model->memory);
    }
    if (!model->memory) {
        burble_free(model);
        return NULL;
    }
    return model;
}

void burble_free(burble_model *model) {
    if (!model) return;
    free(model->memory);
    free(model->matrices);
    free(model);
}

void burble_set_input(burble_model *model, const float *rows) { model->input = rows; }

static void pack(matrix *m, const int8_t *values, int32_t width, int32_t shift) {
    int64_t group_size = (int64_t)width * m->padded_inputs;
    for (int32_t output = 0; output < m->outputs; output++) {
        const int8_t *row = values + (int64_t)output * m->inputs;
        int8_t *to = m->weights + output / width * group_size + output % width * 4;
        int32_t sum = 0;
        for (int32_t i = 0; i < m->inputs; i++) {
            to[(int64_t)(i / 4) * width * 4 + i % 4] = row[i];
            sum += row[i];
        }
        m->start[output] = -shift * sum;
    }
}

void burble_set_matrix(burble_model *model, int32_t slot, const int8_t *values, const float *scales,
                       const float *bias) {
    matrix *m = &model->matrices[slot];
    size_t bytes = (size_t)m->outputs * sizeof *scales;
    pack(m, values, model->kernel->width, model->kernel->shift);
    memcpy(m->scales, scales, bytes);
    if (m->bias) memcpy(m->bias, bias, bytes);
}

int64_t burble_bytes(const burble_model *model) {
    int64_t bytes = 0;
    for (int32_t i = 0; i < model->num_matrices; i++)
        bytes += (int64_t)model->matrices[i].padded_outputs * model->matrices[i].padded_inputs;
    return bytes;
}

int64_t burble_probe_memory(const burble_model *model, int64_t times) {
    const int64_t *words = (const int64_t *)(const void *)model->memory;
    return model->kernel->probe_memory(words, burble_bytes(model) / 8, times);
}

int64_t burble_probe_products(const burble_model *model, int64_t times) {
    return model->kernel->probe_products(times);
}
