#ifndef BURBLE_CHOOSE_H
#define BURBLE_CHOOSE_H

#include "kernel.h"

/* Bytes of a burble_sampling. */
extern const int64_t sampling_size;

/* Scratch memory for one choice among `vocab` tokens. */
typedef struct {
    float *scores;
    int32_t *weights;
    uint64_t *ranks;
} choice_room;

/* Choose the next token, after `stream->end` others, by the stream's sampling. Among equals, take
 * the lowest id. */
int32_t choose(const kernel *k, const float *logits, int32_t vocab, const burble_stream *stream,
               const choice_room *room);

#endif
