/* The reconcilers' work queue: string keys, each at most once in it, at most one run of a key at a time;
 * a key added while it runs is queued again when it is done. Failures back off per key, exponentially.
 * (client-go util/workqueue.)
 *
 *     queue = work_queue_new(loop, max_running, reconcile, self);
 *     work_queue_add(queue, "default/web");
 *     // reconcile(queue, key, arg) starts work and, now or later from the loop, calls
 *     work_queue_done(queue, key, WORK_OK);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"

enum work_result {
	WORK_OK,    /* forgets the key's failures */
	WORK_RETRY, /* queues it again after its back-off: 5 ms doubling to 1000 s */
};

struct work_queue;
typedef void (*work_fn)(struct work_queue *queue, const char *key, void *arg);

/* At most MAX_RUNNING keys run at once. FN runs from the loop, before it sleeps. */
struct work_queue *work_queue_new(struct loop *loop, size_t max_running, work_fn fn, void *arg);
/* Not from within FN. */
void work_queue_free(struct work_queue *queue);
void work_queue_add(struct work_queue *queue, const char *key);
/* Adds it after DELAY_MS; an earlier pending time of the same key wins. */
void work_queue_add_after(struct work_queue *queue, const char *key, int64_t delay_ms);
/* Once for each call of FN, which may do it itself. The key FN got is valid until this, and until FN returns.
 */
void work_queue_done(struct work_queue *queue, const char *key, enum work_result result);
/* Keys waiting to run (not those delayed), and running. */
size_t work_queue_depth(const struct work_queue *queue);
size_t work_queue_running(const struct work_queue *queue);
