/* Choose the next token from logits: sampling.py in C. */
#include "choose.h"

#include <string.h>

#include "../../native/philox.h"

#define PENALTY_TOKENS 64
#define LIKELIEST ((double)(1 << 30))

/* The knobs of SamplingConfig in config.py, in its order. */
struct burble_sampling {
    double repetition_penalty, temperature;
    int64_t top_k; /* 0: all */
    double top_p, min_p;
};
const int64_t sampling_size = sizeof(burble_sampling);

static double uniform(const burble_stream *stream) {
    uint64_t words[4];
    philox(stream->position, 0, stream->seed, stream->number, words);
    return (double)(words[0] >> 11) * 0x1p-53;
}

/* Return the logits, with those of recent tokens made smaller. */
static const float *penalize(const float *logits, int32_t vocab, const burble_stream *stream,
                             float *scores) {
    const float penalty = (float)stream->sampling->repetition_penalty;
    if (penalty == 1.0f) return logits;
    memcpy(scores, logits, (size_t)vocab * sizeof *scores);
    int64_t first = stream->end > PENALTY_TOKENS ? stream->end - PENALTY_TOKENS : 0;
    for (int64_t i = first; i < stream->end; i++) {
        int32_t token = stream->tokens[i];
        float score = logits[token];
        scores[token] = score > 0 ? score / penalty : score * penalty;
    }
    return scores;
}

static int32_t likeliest(const float *scores, int32_t vocab) {
    int32_t best = 0;
    for (int32_t i = 1; i < vocab; i++)
        if (scores[i] > scores[best]) best = i;
    return best;
}

/* A heap of ranks, the highest on top. */
static void sift_down(uint64_t *heap, int64_t size, int64_t place) {
    uint64_t sinking = heap[place];
    for (int64_t child; (child = 2 * place + 1) < size; place = child) {
        if (child + 1 < size && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= sinking) break;
        heap[place] = heap[child];
    }
    heap[place] = sinking;
}

/* Take the highest rank off the heap and put it behind its new end: taken ranks end up sorted. */
static uint64_t take_highest(uint64_t *heap, int64_t *size) {
    uint64_t highest = heap[0];
    heap[0] = heap[--*size];
    if (*size > 0) sift_down(heap, *size, 0);
    heap[*size] = highest;
    return highest;
}

static int32_t weight_of(uint64_t rank) { return (int32_t)(rank >> 32); }
static int32_t token_of(uint64_t rank) { return (int32_t)(UINT32_MAX - (uint32_t)rank); }

/* Apply top-k, then top-p: set all other weights to 0. Returns the sum of what is left. */
static int64_t keep_likeliest(int32_t *weights, int32_t vocab, int64_t top_k, double top_p,
                              int64_t total, uint64_t *ranks) {
    for (int32_t i = 0; i < vocab; i++)
        ranks[i] = (uint64_t)weights[i] << 32 | (UINT32_MAX - (uint32_t)i);
    int64_t size = vocab;
    for (int64_t place = vocab / 2 - 1; place >= 0; place--) sift_down(ranks, size, place);
    int64_t most = vocab;
    if (top_k > 0 && top_k < vocab) {
        most = top_k;
        total = 0;
        while (size > vocab - most) total += weight_of(take_highest(ranks, &size));
    }
    memset(weights, 0, (size_t)vocab * sizeof *weights);
    int64_t kept = 0;
    for (int64_t place = vocab - 1; place >= vocab - most; place--) {
        if ((double)kept >= top_p * (double)total) break;
        if (size > place) take_highest(ranks, &size);
        weights[token_of(ranks[place])] = weight_of(ranks[place]);
        kept += weight_of(ranks[place]);
    }
    return kept;
}

static int64_t drop_unlikely(int32_t *weights, int32_t vocab, double least) {
    int64_t total = 0;
    for (int32_t i = 0; i < vocab; i++) {
        if ((double)weights[i] < least) weights[i] = 0;
        total += weights[i];
    }
    return total;
}

int32_t choose(const kernel *k, const float *logits, int32_t vocab, const burble_stream *stream,
               const choice_room *room) {
    const burble_sampling *sampling = stream->sampling;
    const float *scores = penalize(logits, vocab, stream, room->scores);
    const float temperature = (float)sampling->temperature;
    if (temperature == 0) return likeliest(scores, vocab);
    int32_t *weights = room->weights;
    int64_t total = k->weigh(scores, vocab, temperature, weights);
    if (sampling->top_k > 0 || sampling->top_p < 1.0)
        total =
            keep_likeliest(weights, vocab, sampling->top_k, sampling->top_p, total, room->ranks);
    if (sampling->min_p > 0) total = drop_unlikely(weights, vocab, sampling->min_p * LIKELIEST);
    /* Always below the total, because the draw is below 1 and the total below 2⁵³. */
    int64_t place = (int64_t)(uniform(stream) * (double)total);
    int32_t token = 0;
    while (token < vocab - 1 && place >= weights[token]) place -= weights[token++];
    return token;
}
