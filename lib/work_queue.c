#include "lib/work_queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

#define BACKOFF_BASE_MS 5
#define BACKOFF_MAX_MS  (1000 * 1000)

/* A key the queue knows something of: it waits, runs, is delayed, or has failed.
 *
 *            add                 start                done
 *     (none) ----> queued ----------------> running ---------> (none), or delayed after a failure
 *                    ^                        | add: again
 *                    +------------------------+ done
 */
struct item {
	struct work_queue *queue;
	struct item *next; /* of those queued */
	bool queued;
	bool running;
	bool again; /* added while it ran */
	bool in_fn; /* FN has not returned: it may still look at the key after done */
	unsigned failures;
	struct loop_timer delay;
	char key[];
};

struct work_queue {
	struct loop *loop;
	work_fn fn;
	void *arg;
	size_t max_running, running, depth;
	struct item *first, *last;
	struct map items;
	struct loop_task start_task;
};

static void enqueue(struct item *item)
{
	struct work_queue *queue = item->queue;

	item->queued = true;
	item->next = NULL;
	if (queue->last)
		queue->last->next = item;
	else
		queue->first = item;
	queue->last = item;
	queue->depth++;
	if (queue->running < queue->max_running)
		loop_post(queue->loop, &queue->start_task);
}

static struct item *dequeue(struct work_queue *queue)
{
	struct item *item = queue->first;

	queue->first = item->next;
	if (!queue->first)
		queue->last = NULL;
	queue->depth--;
	item->queued = false;
	return item;
}

static void add_item(struct item *item)
{
	if (item->running)
		item->again = true;
	else if (!item->queued)
		enqueue(item);
}

static void on_delay(struct loop_timer *timer, void *arg)
{
	(void)timer;
	add_item(arg);
}

static struct item *get_item(struct work_queue *queue, const char *key)
{
	struct item *item = map_get(&queue->items, key);
	size_t len = strlen(key);

	if (item)
		return item;
	item = mem_zalloc(sizeof(*item) + len + 1);
	item->queue = queue;
	memcpy(item->key, key, len);
	loop_timer_init(&item->delay, queue->loop, on_delay, item);
	map_put(&queue->items, item->key, item);
	return item;
}

static void forget_if_idle(struct item *item)
{
	if (item->queued || item->running || item->in_fn || item->failures || loop_timer_armed(&item->delay))
		return;
	map_remove(&item->queue->items, item->key);
	free(item);
}

static void start_queued(struct loop_task *task, void *arg)
{
	struct work_queue *queue = arg;

	/* As many as wait now: a key that adds itself again and again leaves the loop its turns. */
	for (size_t budget = queue->depth; budget > 0 && queue->first && queue->running < queue->max_running;
	     budget--) {
		struct item *item = dequeue(queue);

		item->running = item->in_fn = true;
		queue->running++;
		queue->fn(queue, item->key, queue->arg);
		item->in_fn = false;
		forget_if_idle(item);
	}
	if (queue->first && queue->running < queue->max_running)
		loop_post(queue->loop, task);
}

struct work_queue *work_queue_new(struct loop *loop, size_t max_running, work_fn fn, void *arg)
{
	struct work_queue *queue = mem_zalloc(sizeof(*queue));

	queue->loop = loop;
	queue->fn = fn;
	queue->arg = arg;
	queue->max_running = max_running;
	queue->start_task = (struct loop_task){ .fn = start_queued, .arg = queue };
	return queue;
}

void work_queue_free(struct work_queue *queue)
{
	void *value;

	if (!queue)
		return;
	for (size_t i = 0; map_next(&queue->items, &i, NULL, &value);) {
		struct item *item = value;

		loop_timer_disarm(&item->delay);
		free(item);
	}
	map_close(&queue->items);
	loop_unpost(queue->loop, &queue->start_task);
	free(queue);
}

void work_queue_add(struct work_queue *queue, const char *key)
{
	add_item(get_item(queue, key));
}

static void add_after(struct item *item, int64_t delay_ms)
{
	if (delay_ms <= 0)
		add_item(item);
	else if (!loop_timer_armed(&item->delay) || item->delay.due_ms > time_mono_ms() + delay_ms)
		loop_timer_arm(&item->delay, delay_ms);
}

void work_queue_add_after(struct work_queue *queue, const char *key, int64_t delay_ms)
{
	add_after(get_item(queue, key), delay_ms);
}

static int64_t backoff_ms(unsigned failures)
{
	int64_t ms = failures < 20 ? (int64_t)BACKOFF_BASE_MS << (failures - 1) : BACKOFF_MAX_MS;

	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void work_queue_done(struct work_queue *queue, const char *key, enum work_result result)
{
	struct item *item = map_get(&queue->items, key);

	if (!item || !item->running)
		return;
	item->running = false;
	queue->running--;
	if (result == WORK_RETRY)
		add_after(item, backoff_ms(++item->failures));
	else
		item->failures = 0;
	if (item->again) {
		item->again = false;
		add_item(item);
	}
	if (queue->first)
		loop_post(queue->loop, &queue->start_task);
	forget_if_idle(item);
}

size_t work_queue_depth(const struct work_queue *queue)
{
	return queue->depth;
}

size_t work_queue_running(const struct work_queue *queue)
{
	return queue->running;
}
