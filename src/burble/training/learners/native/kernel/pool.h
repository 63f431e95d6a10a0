/* A pool of threads that work on one task together. A waiting thread spins for a moment and then
 * sleeps, so that other programs get the processor. */
#ifndef BURBLE_POOL_H
#define BURBLE_POOL_H

#include <stdint.h>

typedef struct pool pool;

typedef void (*pool_task)(void *job, int32_t thread);

/* Return a pool, or NULL if memory runs out. It has fewer threads if the system grants fewer. */
pool *pool_new(int32_t threads);
void pool_free(pool *p);

/* Run task(job, 0 … threads - 1), with at most the threads of the pool. The caller is thread 0. */
void pool_run(pool *p, int32_t threads, pool_task task, void *job);

/* Within a task: return how many threads run it. */
int32_t pool_active(const pool *p);

/* Within a task: wait until all its threads have called this. */
void pool_barrier(pool *p);

#endif
