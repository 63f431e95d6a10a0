/* The native engine: docs/engine.md in C.
 *
 * The caller owns all memory but the model's, and passes sizes that fit the model. Functions that
 * allocate return NULL or -1 if there is not enough memory; nothing else can fail. Steps only read
 * the model, so any number of threads may use it at once, each with its own rows.
 */
#ifndef BURBLE_H
#define BURBLE_H

#include <stdint.h>

#include "../../native/interface.h"

/* The same bits everywhere need plain float32 arithmetic: every operation rounded by itself. */
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
    int32_t embedding_size; /* 0 if a table replaces the first layer's input matrix */
    int32_t residual;
} burble_shape;

/* The knobs of SamplingConfig in config.py; choose.c alone knows its fields. */
typedef struct burble_sampling burble_sampling;

/* A text being written; mirrored in native/structures.py, explained in engine/stream.py. */
typedef struct {
    float *state;         /* (layers, states of the cell, hidden) */
    int32_t *tokens;      /* room for `limit` tokens */
    const int32_t *stops; /* one after the other, each preceded by its length */
    int64_t num_stops;
    int64_t begin; /* a stop must begin here or later */
    int64_t end;   /* number of tokens; the last is not read yet */
    int64_t limit;
    uint64_t seed, number, position;
    const burble_sampling *sampling;
} burble_stream;

/* Rows of ids to read side by side; mirrored in native/structures.py. */
typedef struct {
    const int32_t *ids; /* (time, rows) */
    int64_t time;
    int64_t rows;
    float *state;      /* (rows, state of one), updated in place */
    float *logits;     /* (time, rows, vocab) */
    int64_t only_last; /* if true, logits is (rows, vocab): those after the last ids */
} burble_reading;

typedef struct burble_model burble_model;

/* Return the name of a kernel that this machine can run; place 0 is the best. NULL after the last.
 */
BURBLE_API const char *burble_kernel_name(int32_t place);

/* Make a model without weights for one of these kernels. Returns NULL if there is no such kernel or
 * cell, or not enough memory. */
BURBLE_API burble_model *burble_new(const char *kernel, const burble_shape *shape);
BURBLE_API void burble_free(burble_model *model);

/* Copy a matrix into a slot. Slot 2·layer is the input side of a layer, 2·layer + 1 its recurrent
 * side, 2·num_layers the head. values: (outputs, inputs); scales, bias: (outputs,). Odd slots have
 * no bias. */
BURBLE_API void burble_set_matrix(burble_model *model, int32_t slot, const int8_t *values,
                                  const float *scales, const float *bias);

/* Set the input of the first layer: (vocab, gates · hidden) if embedding_size is 0, else (vocab,
 * embedding_size). The array is not copied. */
BURBLE_API void burble_set_input(burble_model *model, const float *rows);

/* Read `count` rows, from `first` on. */
BURBLE_API int32_t burble_read(const burble_model *model, const burble_reading *reading,
                               int64_t first, int64_t count);

/* Append tokens to each stream, up to its limit or to the end of one of its stops. */
BURBLE_API int32_t burble_write(const burble_model *model, burble_stream *const *streams,
                                int64_t count);

/* Choose one token from logits, (vocab,), by the stream's sampling; -1 without memory. */
BURBLE_API int32_t burble_choose(const burble_model *model, const float *logits,
                                 const burble_stream *stream);

/* Return the bytes of packed weights that one step reads. */
BURBLE_API int64_t burble_bytes(const burble_model *model);

/* Measure what the machine can do with this kernel, for `burble bench`: read all packed weights
 * `times` times, and compute `times` · 2¹⁰ products with its widest instruction. The result depends
 * on all of the work, so that the compiler cannot remove any. */
BURBLE_API int64_t burble_probe_memory(const burble_model *model, int64_t times);
BURBLE_API int64_t burble_probe_products(const burble_model *model, int64_t times);

#endif
