#include "apiserver/edge/attendant.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

enum attend_state { ATTEND_RUNNING, ATTEND_PARKED, ATTEND_WOKEN };

#define NO_INDEX SIZE_MAX

/* Events of the epoll set name a slot and how often it was used: one may be older than the stream it was for.
 */
struct attend_slot {
	struct attend *attend; /* NULL: free */
	uint32_t uses;
	uint32_t next_free;
};
#define WAKE_EVENT UINT64_MAX

struct attendant {
	pthread_t thread;
	pthread_mutex_t lock; /* over the list, the heap and what the epoll set points to */
	int epoll, wake;
	bool stop;
	bool draining; /* streams that begin now hang up at once */
	struct attend_slot *slots;
	uint32_t n_slots, free_slot; /* free_slot == n_slots: none is free */
	struct attend **heap;        /* by deadline, the nearest first */
	size_t n_heap, heap_cap;
};

static void heap_place(struct attendant *a, size_t i, struct attend *attend)
{
	a->heap[i] = attend;
	attend->heap_index = i;
}

static void heap_up(struct attendant *a, size_t i)
{
	struct attend *attend = a->heap[i];
	for (; i > 0 && attend->deadline_ms < a->heap[(i - 1) / 2]->deadline_ms; i = (i - 1) / 2)
		heap_place(a, i, a->heap[(i - 1) / 2]);
	heap_place(a, i, attend);
}

static void heap_down(struct attendant *a, size_t i)
{
	struct attend *attend = a->heap[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= a->n_heap)
			break;
		if (child + 1 < a->n_heap && a->heap[child + 1]->deadline_ms < a->heap[child]->deadline_ms)
			child++;
		if (a->heap[child]->deadline_ms >= attend->deadline_ms)
			break;
		heap_place(a, i, a->heap[child]);
		i = child;
	}
	heap_place(a, i, attend);
}

static void heap_add(struct attendant *a, struct attend *attend)
{
	if (a->n_heap == a->heap_cap) {
		a->heap_cap = a->heap_cap ? 2 * a->heap_cap : 64;
		a->heap = mem_realloc_array(a->heap, a->heap_cap, sizeof(struct attend *));
	}
	heap_place(a, a->n_heap++, attend);
	heap_up(a, attend->heap_index);
}

static void heap_remove(struct attendant *a, struct attend *attend)
{
	size_t i = attend->heap_index;
	if (i == NO_INDEX)
		return;
	attend->heap_index = NO_INDEX;
	struct attend *last = a->heap[--a->n_heap];
	if (last == attend)
		return;
	heap_place(a, i, last);
	heap_up(a, i);
	heap_down(a, last->heap_index);
}

static void poke(struct attendant *a)
{
	uint64_t one = 1;
	while (write(a->wake, &one, sizeof(one)) < 0) {
		/* Interrupted; a full counter wakes as well, so that nothing else can fail. */
	}
}

static uint64_t slot_event(const struct attendant *a, uint32_t slot)
{
	return (uint64_t)a->slots[slot].uses << 32 | slot;
}

static void slot_take(struct attendant *a, struct attend *attend)
{
	if (a->free_slot == a->n_slots) {
		uint32_t n = a->n_slots ? 2 * a->n_slots : 64;
		a->slots = mem_realloc_array(a->slots, n, sizeof(*a->slots));
		for (uint32_t i = a->n_slots; i < n; i++)
			a->slots[i] = (struct attend_slot){ .next_free = i + 1 };
		a->n_slots = n;
	}
	attend->slot = a->free_slot;
	a->free_slot = a->slots[attend->slot].next_free;
	a->slots[attend->slot].attend = attend;
}

static void slot_give(struct attendant *a, const struct attend *attend)
{
	struct attend_slot *slot = &a->slots[attend->slot];
	slot->attend = NULL;
	slot->uses++;
	slot->next_free = a->free_slot;
	a->free_slot = attend->slot;
}

static void hang_up(struct attend *attend)
{
	attend->hung_up = true;
	attend_wake(attend);
}

/* What the kernel still holds for a peer that does not read is dropped when libmicrohttpd closes the socket.
 */
static void cut(const struct attend *attend)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(attend->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	shutdown(attend->fd, SHUT_RDWR);
}

static int expire(struct attendant *a)
{
	int64_t now = time_mono_ms();
	while (a->n_heap && a->heap[0]->deadline_ms <= now) {
		struct attend *attend = a->heap[0];
		heap_remove(a, attend);
		attend->timed_out = true;
		if (attend->cuts)
			cut(attend);
		else
			attend_wake(attend);
	}
	if (!a->n_heap)
		return -1;
	int64_t wait = a->heap[0]->deadline_ms - now;
	return wait > 60000 ? 60000 : (int)wait;
}

static void *attendant_run(void *arg)
{
	struct attendant *a = arg;
	struct epoll_event events[64];
	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		int timeout_ms = expire(a);
		pthread_mutex_unlock(&a->lock);
		int n = epoll_wait(a->epoll, events, ARRAY_SIZE(events), timeout_ms);
		pthread_mutex_lock(&a->lock);
		for (int i = 0; i < n; i++) {
			uint64_t event = events[i].data.u64, count;
			uint32_t slot = (uint32_t)event;
			if (event == WAKE_EVENT) {
				if (read(a->wake, &count, sizeof(count)) < 0)
					continue;
			} else if (a->slots[slot].attend && slot_event(a, slot) == event) {
				hang_up(a->slots[slot].attend);
			}
		}
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

int attendant_new(struct attendant **ret, struct err *err)
{
	struct attendant *a = mem_zalloc(sizeof(*a));
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&a->lock, NULL);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = WAKE_EVENT };
	int failed = a->epoll < 0 || a->wake < 0 || epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->wake, &event) < 0;
	int errnum = failed ? errno : pthread_create(&a->thread, NULL, attendant_run, a);
	if (errnum) {
		mem_closep(&a->epoll);
		mem_closep(&a->wake);
		pthread_mutex_destroy(&a->lock);
		free(a);
		return err_set_errno(err, errnum, "watch over streams");
	}
	*ret = a;
	return 0;
}

void attendant_free(struct attendant *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_mutex_unlock(&a->lock);
	poke(a);
	pthread_join(a->thread, NULL);
	mem_closep(&a->epoll);
	mem_closep(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a->heap);
	free(a->slots);
	free(a);
}

void attendant_hang_up_all(struct attendant *a)
{
	pthread_mutex_lock(&a->lock);
	a->draining = true;
	for (uint32_t i = 0; i < a->n_slots; i++)
		if (a->slots[i].attend)
			hang_up(a->slots[i].attend);
	pthread_mutex_unlock(&a->lock);
}

void attendant_cut_all(struct attendant *a)
{
	pthread_mutex_lock(&a->lock);
	for (uint32_t i = 0; i < a->n_slots; i++)
		if (a->slots[i].attend && a->slots[i].attend->fd >= 0)
			shutdown(a->slots[i].attend->fd, SHUT_RDWR);
	pthread_mutex_unlock(&a->lock);
}

static void begin(struct attend *attend, struct attendant *a, struct MHD_Connection *connection,
		  int64_t timeout_ms, bool cuts)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*attend = (struct attend){ .attendant = a,
				   .connection = connection,
				   .cuts = cuts,
				   .fd = info ? info->connect_fd : -1,
				   .heap_index = NO_INDEX };
	pthread_mutex_lock(&a->lock);
	slot_take(a, attend);
	/* Edge-triggered: a peer that hung up is reported once, however long its stream takes to end. */
	struct epoll_event event = { .events = EPOLLRDHUP | EPOLLET,
				     .data.u64 = slot_event(a, attend->slot) };
	if (attend->fd >= 0 && !cuts)
		epoll_ctl(a->epoll, EPOLL_CTL_ADD, attend->fd, &event);
	if (timeout_ms > 0) {
		attend->deadline_ms = time_mono_ms() + timeout_ms;
		heap_add(a, attend);
		if (attend->heap_index == 0)
			poke(a);
	}
	if (a->draining)
		attend->hung_up = true;
	pthread_mutex_unlock(&a->lock);
}

void attend_begin(struct attend *attend, struct attendant *a, struct MHD_Connection *connection,
		  int64_t timeout_ms)
{
	begin(attend, a, connection, timeout_ms, false);
}

void attend_begin_cut(struct attend *attend, struct attendant *a, struct MHD_Connection *connection,
		      int64_t timeout_ms)
{
	begin(attend, a, connection, timeout_ms, true);
}

void attend_end(struct attend *attend)
{
	struct attendant *a = attend->attendant;
	pthread_mutex_lock(&a->lock);
	if (attend->fd >= 0 && !attend->cuts)
		epoll_ctl(a->epoll, EPOLL_CTL_DEL, attend->fd, NULL);
	heap_remove(a, attend);
	slot_give(a, attend);
	pthread_mutex_unlock(&a->lock);
}

void attend_park(struct attend *attend)
{
	MHD_suspend_connection(attend->connection);
	int running = ATTEND_RUNNING;
	if (!atomic_compare_exchange_strong(&attend->state, &running, ATTEND_PARKED)) {
		/* Woken since it last looked. */
		attend->state = ATTEND_RUNNING;
		MHD_resume_connection(attend->connection);
	}
}

void attend_wake(struct attend *attend)
{
	if (atomic_exchange(&attend->state, ATTEND_WOKEN) != ATTEND_PARKED)
		return;
	attend->state = ATTEND_RUNNING;
	MHD_resume_connection(attend->connection);
}
