/* The native engine: docs/engine.md in C.
 *
 * Whoever calls owns all memory but the model's, and gives sizes that fit the model. Functions that
 * allocate return NULL or -1 where there is no memory; nothing else can fail. A model is only read,
 * so any number of threads may use it at once, each with rows of its own.
 */
#ifndef BURBLE_H
#define BURBLE_H

#include <stdint.h>

#include "../../native/interface.h"

/* The promise needs plain float32 arithmetic: every operation rounded on its own. */
#include <float.h>
#if FLT_EVAL_METHOD != 0
#error "float32 must be computed in float32"
#endif
#ifdef __FAST_MATH__
#error "burble must be compiled without -ffast-math"
#endif

typedef struct {
    char cell[32]; /* a name in `cells` of elementwise.h */
    int32_t num_gates, num_states;
    int32_t num_layers;
    int32_t hidden_size;
    int32_t vocab_size;
    int32_t embedding_size; /* 0 where a table stands for the first layer's input side */
    int32_t residual;
} burble_shape;

/* The knobs of SamplingConfig in config.py; choose.c alone knows its fields. */
typedef struct burble_sampling burble_sampling;

/* One text being written; mirrored in native/structures.py, explained in engine/stream.py. */
typedef struct {
    float *state;         /* (layers, states of the cell, hidden) */
    int32_t *tokens;      /* room for `limit` of them */
    const int32_t *stops; /* one after the other, each after its length */
    int64_t num_stops;
    int64_t begin; /* stops are looked for from here */
    int64_t end;   /* tokens there; the last is not read yet */
    int64_t limit;
    uint64_t seed, number, position;
    const burble_sampling *sampling;
} burble_stream;

/* Rows of ids to be read side by side; mirrored in native/structures.py. */
typedef struct {
    const int32_t *ids; /* (time, rows) */
    int64_t time;
    int64_t rows;
    float *state;      /* (rows, state of one): before, and then after */
    float *logits;     /* (time, rows, vocab) */
    int64_t only_last; /* whether logits is (rows, vocab), those after the last ids */
} burble_reading;

typedef struct burble_model burble_model;

/* Names of the kernels that this machine can run, best first; NULL behind the last. */
BURBLE_API const char *burble_kernel_name(int32_t place);

/* A model without weights for one of these kernels; NULL where there is no such kernel, no such
 * cell or no memory. */
BURBLE_API burble_model *burble_new(const char *kernel, const burble_shape *shape);
BURBLE_API void burble_free(burble_model *model);

/* Slots 2·layer: input side of a layer; 2·layer + 1: its recurrent side; 2·num_layers: the head.
 * values: (outputs, inputs) int8; scales, bias: (outputs,); the odd slots have no bias. Copied. */
BURBLE_API void burble_set_matrix(burble_model *model, int32_t slot, const int8_t *values,
                                  const float *scales, const float *bias);

/* (vocab, gates · hidden) if embedding_size is 0, else (vocab, embedding_size). Not copied. */
BURBLE_API void burble_set_input(burble_model *model, const float *rows);

/* Read `count` of the rows from `first` on. */
BURBLE_API int32_t burble_read(const burble_model *model, const burble_reading *reading,
                               int64_t first, int64_t count);

/* Write on each stream up to its limit, or until one of its stops is met. */
BURBLE_API int32_t burble_write(const burble_model *model, burble_stream *const *streams,
                                int64_t count);

/* One choice from logits, (vocab,), by the rules of `stream`; -1 where there is no memory. */
BURBLE_API int32_t burble_choose(const burble_model *model, const float *logits,
                                 const burble_stream *stream);

/* Bytes of packed weights that one step reads. */
BURBLE_API int64_t burble_bytes(const burble_model *model);

/* What the machine can do with this kernel, for `burble bench`: reads all packed weights `times`
 * times; and makes `times` · 2¹⁰ products of the kernel's widest kind. They return a number that
 * depends on all of it, so that no compiler leaves it out. */
BURBLE_API int64_t burble_probe_memory(const burble_model *model, int64_t times);
BURBLE_API int64_t burble_probe_products(const burble_model *model, int64_t times);

#endif
