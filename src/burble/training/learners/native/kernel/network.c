/* A learner's memory. */
#ifdef __linux__
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "network.h"

#include <stdio.h>

#include "../../../../native/memory.h"

static const learner_kernel *const KERNELS[] = {
#ifdef BURBLE_X86
    &avx512_learner,
    &avx2_learner,
#endif
#ifdef BURBLE_ARM
    &neon_learner,
#endif
    &portable_learner,
};
#define NUM_KERNELS ((int32_t)(sizeof KERNELS / sizeof KERNELS[0]))

const char *burble_learner_kernel(int32_t place) {
    for (int32_t i = 0; i < NUM_KERNELS; i++)
        if (KERNELS[i]->is_available() && place-- == 0) return KERNELS[i]->name;
    return NULL;
}

static const learner_kernel *find_kernel(const char *name) {
    for (int32_t i = 0; i < NUM_KERNELS; i++)
        if (strcmp(KERNELS[i]->name, name) == 0 && KERNELS[i]->is_available()) return KERNELS[i];
    return NULL;
}

static const cell_rule *find_cell(const learner_kernel *kernel, const burble_learner_shape *shape) {
    for (const cell_rule *rule = kernel->cells; rule->name; rule++)
        if (strncmp(rule->name, shape->cell, sizeof shape->cell) == 0) return rule;
    return NULL;
}

int64_t row_stride(int64_t columns) {
    int64_t lines = (columns + GROUP - 1) / GROUP;
    return (lines % 2 ? lines : lines + 1) * GROUP;
}

#define MUCH ((int64_t)1 << 24)

/* Linux grants more memory than it has, and kills the process that then uses it: check before. */
static int is_free(int64_t count) {
    int found = 1;
#ifdef __linux__
    FILE *file = count < MUCH ? NULL : fopen("/proc/meminfo", "r");
    if (!file) return 1;
    char line[256];
    long long kib;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1) found = count / 256 < kib;
    fclose(file);
#else
    (void)count;
#endif
    return found;
}

float *allocate_floats(int64_t count) {
    return is_free(count) ? zeroed((size_t)count * sizeof(float)) : NULL;
}

int64_t input_size(const burble_learner_shape *shape) {
    switch (shape->input) {
    case BURBLE_EMBEDDING:
        return shape->embedding_size;
    case BURBLE_ONE_HOT:
        return shape->vocab_size;
    default:
        return 1;
    }
}

static int32_t first_layer(const burble_learner *learner) {
    return learner->shape.input == BURBLE_EMBEDDING;
}

int32_t input_place(const burble_learner *learner, int32_t layer) {
    return first_layer(learner) + 3 * layer;
}

int32_t state_place(const burble_learner *learner, int32_t layer) {
    return input_place(learner, layer) + 1;
}

int32_t bias_place(const burble_learner *learner, int32_t layer) {
    return input_place(learner, layer) + 2;
}

int32_t head_place(const burble_learner *learner) {
    return input_place(learner, learner->shape.num_layers);
}

int32_t head_bias_place(const burble_learner *learner) { return head_place(learner) + 1; }

matrix matrix_of(const burble_learner *learner, int32_t kind, int32_t place) {
    const tensor *t = &learner->tensors[place];
    matrix found = {{learner->arenas[kind] + t->offset, t->stride}, t->rows, t->columns};
    return found;
}

static void set_shape(burble_learner *learner, int32_t place, int64_t rows, int64_t columns,
                      int32_t decays) {
    tensor t = {rows, columns, row_stride(columns), 0, decays};
    learner->tensors[place] = t;
}

static void place_tensors(burble_learner *learner, int32_t decays) {
    for (int32_t i = 0; i < learner->num_tensors; i++) {
        tensor *t = &learner->tensors[i];
        if (t->decays != decays) continue;
        t->offset = learner->size;
        learner->size += t->rows * t->stride;
    }
}

static void lay_out(burble_learner *learner) {
    const burble_learner_shape *shape = &learner->shape;
    int64_t gates = (int64_t)learner->cell->gates * shape->hidden_size;
    if (shape->input == BURBLE_EMBEDDING)
        set_shape(learner, EMBEDDING_PLACE, shape->vocab_size, shape->embedding_size, 1);
    for (int32_t layer = 0; layer < shape->num_layers; layer++) {
        int64_t width = layer ? shape->hidden_size : input_size(shape);
        set_shape(learner, input_place(learner, layer), gates, width, 1);
        set_shape(learner, state_place(learner, layer), gates, shape->hidden_size, 1);
        set_shape(learner, bias_place(learner, layer), 1, gates, 0);
    }
    set_shape(learner, head_place(learner), shape->vocab_size, shape->hidden_size, 1);
    set_shape(learner, head_bias_place(learner), 1, shape->vocab_size, 0);
    place_tensors(learner, 1);
    learner->matrices = learner->size;
    place_tensors(learner, 0);
}

burble_learner *burble_learner_new(const char *name, const burble_learner_shape *shape,
                                   int32_t threads) {
    const learner_kernel *kernel = find_kernel(name);
    const cell_rule *cell = kernel ? find_cell(kernel, shape) : NULL;
    burble_learner *learner = cell ? calloc(1, sizeof *learner) : NULL;
    if (!learner) return NULL;
    learner->kernel = kernel;
    learner->cell = cell;
    learner->shape = *shape;
    learner->num_tensors = head_bias_place(learner) + 1;
    learner->tensors = calloc((size_t)learner->num_tensors, sizeof *learner->tensors);
    int is_whole = learner->tensors != NULL;
    if (is_whole) {
        lay_out(learner);
        int64_t rows = 0;
        for (int32_t i = 0; i < learner->num_tensors; i++) rows += learner->tensors[i].rows;
        learner->row_squares = calloc((size_t)rows, sizeof *learner->row_squares);
        learner->pool = pool_new(threads);
        is_whole = learner->row_squares && learner->pool && is_free(KINDS * learner->size);
        for (int32_t kind = 0; kind < KINDS; kind++)
            is_whole = is_whole && (learner->arenas[kind] = allocate_floats(learner->size));
    }
    if (!is_whole) {
        burble_learner_free(learner);
        return NULL;
    }
    return learner;
}

void burble_learner_free(burble_learner *learner) {
    if (!learner) return;
    pool_free(learner->pool);
    for (int32_t kind = 0; kind < KINDS; kind++) free(learner->arenas[kind]);
    free(learner->row_squares);
    free(learner->tensors);
    free(learner);
}

void burble_learner_tensor(burble_learner *learner, int32_t kind, int32_t place, float *values,
                           int32_t set) {
    matrix m = matrix_of(learner, kind, place);
    size_t bytes = (size_t)m.inputs * sizeof *values;
    for (int64_t row = 0; row < m.outputs; row++, values += m.inputs) {
        float *own = m.at.values + row * m.at.stride;
        if (set)
            memcpy(own, values, bytes);
        else
            memcpy(values, own, bytes);
    }
}
