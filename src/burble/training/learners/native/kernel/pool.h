/* Threads that do one task together. They wait for each other by looking, and after a while by
 * sleeping, so that whoever has work gets the processor. */
#ifndef BURBLE_POOL_H
#define BURBLE_POOL_H

#include <stdint.h>

typedef struct pool pool;

typedef void (*pool_task)(void *job, int32_t thread);

/* NULL where there is no memory. Where the system gives fewer threads than asked for, there are
 * fewer. */
pool *pool_new(int32_t threads);
void pool_free(pool *p);

/* Runs task(job, 0 … threads - 1), or as many as there are; the calling thread is 0. */
void pool_run(pool *p, int32_t threads, pool_task task, void *job);

/* Within a task: how many run it. */
int32_t pool_active(const pool *p);

/* Within a task: waits until all its threads are here. */
void pool_barrier(pool *p);

#endif
