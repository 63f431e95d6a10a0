#ifndef BURBLE_CHOOSE_H
#define BURBLE_CHOOSE_H

#include "kernel.h"

/* Bytes of a burble_sampling. */
extern const int64_t sampling_size;

/* Room that one choice needs for `vocab` tokens. */
typedef struct {
    float *scores;
    int32_t *weights;
    uint64_t *ranks;
} choice_room;

/* The next token after `stream->end` others, by the rules of the stream; ties go to the lowest. */
int32_t choose(const kernel *k, const float *logits, int32_t vocab, const burble_stream *stream,
               const choice_room *room);

#endif
