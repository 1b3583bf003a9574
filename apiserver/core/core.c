#include "apiserver/core/core.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/status.h"
#include "apiserver/core/batch.h"
#include "apiserver/core/state.h"
#include "apiserver/core/watch_hub.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/timefmt.h"

#define HISTORY_BYTES (16U << 20)
#define BOOKMARK_MS   60000
#define IDLE_MS       1000 /* without a write: time for the store's housekeeping */
#define IDLE_STEP_MS  10   /* between two pieces of it */
#define EXPIRE_BATCH  256  /* Events removed in one transaction */
#define TRIM_EVENTS   1000 /* changes that left the history at once: worth giving pages back */
#define RETRY_S       60   /* after one that failed */

struct core {
	struct core_opts opts;
	struct state state;
	struct watch_hub hub;
	struct batch batch;
	struct loop *loop;
	struct loop_wake *wake;
	pthread_t thread;
	bool started;
	int64_t last_write_ms;

	_Atomic(struct core_command *) queue; /* newest first */
	_Atomic(struct watch *) closed;       /* watches their readers are done with */
	atomic_uint closers;                  /* readers handing one back: they still touch this struct */
	atomic_bool stopping;
	_Atomic uint64_t revision;

	struct loop_timer idle_timer;     /* armed after writes */
	struct loop_timer history_timer;  /* armed while there is a history */
	struct loop_timer expiry_timer;   /* armed while there are Events */
	struct loop_timer bookmark_timer; /* armed while a watch wants them */
	struct loop_task compact_task;    /* drops a backlog in steps, between other work */
};

static _Thread_local bool is_core_thread;

/* What the store holds is not known: nothing is answered from the state any more, and nothing changes it. */
static bool in_doubt(const struct core *core)
{
	return atomic_load_explicit(&core->batch.in_doubt, memory_order_acquire);
}

/* --- timers --- */

static void arm(struct loop_timer *timer, int64_t delay_ms)
{
	if (!loop_timer_armed(timer))
		loop_timer_arm(timer, delay_ms > 0 ? delay_ms : 0);
}

static int64_t history_interval(const struct core *core)
{
	int64_t interval = core->opts.history_ms / 10;

	return interval > 1000 ? interval : 1000;
}

static void on_idle(struct loop_timer *timer, void *arg)
{
	struct core *core = arg;
	int64_t quiet_ms = loop_now_ms(core->loop) - core->last_write_ms;

	if (in_doubt(core))
		return;
	if (quiet_ms < IDLE_MS)
		loop_timer_arm(timer, IDLE_MS - quiet_ms);
	else if (core->opts.store->ops->maintain(core->opts.store, true))
		loop_timer_arm(timer, IDLE_STEP_MS);
}

static void commit(struct core *core, bool all)
{
	size_t changes = core->batch.n_changes;

	batch_commit(&core->batch, all, &core->revision);
	if (in_doubt(core)) {
		if (core->opts.on_doubt)
			core->opts.on_doubt(&core->batch.doubt, core->opts.on_doubt_arg);
		return;
	}
	if (!changes && !all)
		return;
	core->last_write_ms = time_mono_ms();
	core->opts.store->ops->maintain(core->opts.store, false);
	arm(&core->idle_timer, IDLE_MS);
	if (changes)
		arm(&core->history_timer, history_interval(core));
}

static void on_compact(struct loop_task *task, void *arg)
{
	struct core *core = arg;

	if (in_doubt(core) || !batch_has_backlog(&core->batch))
		return;
	commit(core, true);
	if (!core->batch.failed)
		loop_post(core->loop, task);
}

static void on_history(struct loop_timer *timer, void *arg)
{
	struct core *core = arg;
	uint32_t now_s = state_now_s(&core->state);
	size_t before = 0, after = 0;

	if (in_doubt(core))
		return;
	for (size_t i = 0; i < core->state.n_tables; i++) {
		struct table *table = state_table_at(&core->state, i);

		if (!table)
			continue;
		before += table->history.n;
		state_trim(&core->state, table, now_s);
		after += table->history.n;
	}
	if (before - after >= TRIM_EVENTS)
		mem_trim();
	loop_post(core->loop, &core->compact_task);
	if (after)
		loop_timer_arm(timer, history_interval(core));
}

/* Removes the Events of TABLE that are too old. Gives back in how many seconds the next one is, UINT32_MAX
 * when there is none. */
static uint32_t expire_table(struct core *core, struct table *table, uint32_t now_s)
{
	uint32_t ttl_s = (uint32_t)(core->opts.event_ttl_ms / 1000), next_s = UINT32_MAX;
	struct object *old[EXPIRE_BATCH];
	struct index_cursor cursor = { 0, 0 };
	struct object *object;
	size_t n = 0;

	while (n < EXPIRE_BATCH && (object = index_next(&table->objects, &cursor))) {
		uint32_t due_s = object_written(object) + ttl_s;

		if (due_s <= now_s)
			old[n++] = object;
		else if (due_s - now_s < next_s)
			next_s = due_s - now_s;
	}
	for (size_t i = 0; i < n; i++)
		batch_remove(&core->batch, table, old[i]);
	if (!n)
		return next_s;
	commit(core, false);
	if (core->batch.failed)
		return RETRY_S;
	return n == EXPIRE_BATCH ? 0 : next_s;
}

/* Due times are whole seconds, so that Events made one after another go together. */
static void on_expiry(struct loop_timer *timer, void *arg)
{
	struct core *core = arg;
	uint32_t now_s = state_now_s(&core->state), next_s = UINT32_MAX;

	for (size_t i = 0; i < core->state.n_tables; i++) {
		struct table *table = state_table_at(&core->state, i);

		if (in_doubt(core))
			return;
		if (table && table->expires) {
			uint32_t due_s = expire_table(core, table, now_s);

			next_s = due_s < next_s ? due_s : next_s;
		}
	}
	if (next_s == UINT32_MAX)
		return;
	loop_timer_arm(timer, (int64_t)next_s * 1000);
}

static void on_bookmark(struct loop_timer *timer, void *arg)
{
	struct core *core = arg;

	if (in_doubt(core))
		return;
	watch_hub_bookmark(&core->hub, core->state.revision);
	if (core->hub.n_bookmarks)
		loop_timer_arm(timer, BOOKMARK_MS);
}

static void arm_expiry(struct core *core)
{
	if (loop_timer_armed(&core->expiry_timer))
		return;
	for (size_t i = 0; i < core->state.n_tables; i++) {
		const struct table *table = state_table_at(&core->state, i);

		if (table && table->expires && table->objects.count)
			arm(&core->expiry_timer, core->opts.event_ttl_ms);
	}
}

/* --- commands --- */

/* Queues the present state as ADDED events. */
static void send_state(struct core *core, struct core_command *command)
{
	struct core_command list = { .resource = command->resource, .filter = command->filter };

	state_list(&core->state, &list);
	for (size_t i = 0; i < list.ret_n; i++)
		watch_hub_send(&core->hub, command->watch, WATCH_ADDED, list.ret_objects[i],
			       object_revision(list.ret_objects[i]));
	core_command_close(&list);
	if (command->initial_events)
		watch_hub_send(&core->hub, command->watch, WATCH_INITIAL_EVENTS_END, NULL,
			       core->state.revision);
}

static void send_missed(struct core *core, struct core_command *command, const struct history *history)
{
	for (size_t i = history_find(history, command->at_revision); i < history->n; i++) {
		const struct history_event *event = history_at(history, i);
		struct watch_change change = { event->object, event->previous, event->deleted };

		watch_hub_replay(&core->hub, command->watch, &change);
	}
}

static void watch(struct core *core, struct core_command *command)
{
	const struct table *table = state_table(&core->state, command->resource);
	const struct history *history = &table->history;
	bool resume = command->at_revision && !command->initial_events;

	if (core->hub.count >= core->opts.max_watches && !command->internal) {
		err_set(&command->err, ERR_TOO_MANY_REQUESTS, "too many watches are open: %u",
			core->opts.max_watches);
		return;
	}
	if (table->retired) {
		status_not_found(&command->err, command->resource, "");
		return;
	}
	/* The end of the initial events would say that this version is reached. */
	if (command->initial_events && command->at_revision > core->state.revision) {
		err_set(&command->err, ERR_TIMEOUT,
			"Timeout: Too large resource version: %llu, current: %llu",
			(unsigned long long)command->at_revision, (unsigned long long)core->state.revision);
		return;
	}
	if (resume && command->at_revision < history->horizon) {
		err_set(&command->err, ERR_EXPIRED, "too old resource version: %llu (%llu)",
			(unsigned long long)command->at_revision, (unsigned long long)history->horizon);
		return;
	}
	watch_hub_add(&core->hub, command->watch, command->resource, &command->filter,
		      resume ? command->at_revision : 0, command->bookmarks);
	command->ret_revision = core->state.revision;
	if (resume)
		send_missed(core, command, history);
	else
		send_state(core, command);
	if (core->hub.n_bookmarks)
		arm(&core->bookmark_timer, BOOKMARK_MS);
}

/* The watches end with their resource; what the store holds of it is dropped soon. */
static void retire(struct core *core, struct core_command *command)
{
	if (state_retire(&core->state, state_table(&core->state, command->resource), &command->err) < 0)
		return;
	watch_hub_end(&core->hub, command->resource);
	if (core->state.n_superseded)
		loop_post(core->loop, &core->compact_task);
	else
		state_drop_retired(&core->state);
}

static void answer_read(struct core *core, struct core_command *command)
{
	switch (command->op) {
	case CORE_LIST:
		state_list(&core->state, command);
		break;
	case CORE_BY_OWNER:
		state_by_owner(&core->state, command);
		break;
	case CORE_END_WATCHES:
		watch_hub_end(&core->hub, command->resource);
		break;
	case CORE_RETIRE:
		retire(core, command);
		break;
	default:
		watch(core, command);
	}
	command->reply(command);
}

static bool is_write(const struct core_command *command)
{
	return command->op == CORE_CREATE || command->op == CORE_UPDATE || command->op == CORE_DELETE;
}

/* What is queued, oldest first. */
static struct core_command *take_queue(struct core *core)
{
	struct core_command *newest = atomic_exchange(&core->queue, NULL), *oldest = NULL;

	while (newest) {
		struct core_command *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void refuse(struct core *core, struct core_command *command)
{
	object_unref(TAKE(command->object));
	command->err = core->batch.doubt;
	command->reply(command);
}

/* Reads are answered at once, from what is published, and do not wait for the writes beside them to be
 * durable: who must see a write has its answer first, and submits after that. */
static void drain(struct core *core)
{
	struct core_command *command = take_queue(core), *writes = NULL, **last = &writes;

	while (command) {
		struct core_command *next = command->next;

		if (in_doubt(core)) {
			refuse(core, command);
		} else if (is_write(command)) {
			*last = command;
			last = &command->next;
		} else {
			answer_read(core, command);
		}
		command = next;
	}
	*last = NULL;
	watch_hub_flush(&core->hub);
	while (writes) {
		while (writes && !batch_full(&core->batch)) {
			command = writes;
			writes = writes->next;
			if (in_doubt(core))
				refuse(core, command);
			else
				batch_add(&core->batch, command);
		}
		if (in_doubt(core))
			continue;
		commit(core, false);
		arm_expiry(core);
	}
}

static void remove_closed(struct core *core)
{
	struct watch *watch = atomic_exchange(&core->closed, NULL);

	while (watch) {
		struct watch *next = watch->next_closed;

		watch_hub_remove(&core->hub, watch);
		watch = next;
	}
}

static void on_wake(void *arg)
{
	struct core *core = arg;
	bool stopping = atomic_load(&core->stopping);

	remove_closed(core);
	drain(core);
	if (stopping)
		loop_stop(core->loop);
}

/* --- other threads --- */

int core_get(struct core *core, const struct resource *resource, const char *namespace_, const char *name,
	     struct object **ret, struct err *err)
{
	if (in_doubt(core)) {
		return err_set(err, core->batch.doubt.kind, "%s", core->batch.doubt.msg);
	}
	return state_get(&core->state, resource, namespace_, name, ret, err);
}

bool core_list_now(struct core *core, struct core_command *command)
{
	return !in_doubt(core) && state_list_now(&core->state, command);
}

bool core_dry_run(struct core *core, struct core_command *command)
{
	return !in_doubt(core) && batch_try(&core->state, command);
}

void core_submit(struct core *core, struct core_command *command)
{
	struct core_command *newest = atomic_load_explicit(&core->queue, memory_order_relaxed);

	do
		command->next = newest;
	while (!atomic_compare_exchange_weak(&core->queue, &newest, command));
	/* Who finds the queue empty wakes the core; it takes all that is there by then. */
	if (!newest)
		loop_wake_send(core->wake);
}

void watch_close(struct core *core, struct watch *watch)
{
	struct watch *newest;

	/* CORE may be gone by now, unless the release says that it waits for this watch. */
	if (!watch || !watch_release(watch, is_core_thread))
		return;
	atomic_fetch_add(&core->closers, 1);
	newest = atomic_load_explicit(&core->closed, memory_order_relaxed);
	do
		watch->next_closed = newest;
	while (!atomic_compare_exchange_weak(&core->closed, &newest, watch));
	if (!newest)
		loop_wake_send(core->wake);
	atomic_fetch_sub(&core->closers, 1);
}

void core_command_close(struct core_command *command)
{
	object_unrefp(&command->object);
	object_unrefp(&command->ret_object);
	for (size_t i = 0; i < command->ret_n; i++)
		object_unref(command->ret_objects[i]);
	free(TAKE(command->ret_objects));
	command->ret_n = 0;
}

uint64_t core_revision(const struct core *core)
{
	return atomic_load(&core->revision);
}

uint64_t core_count(struct core *core, const struct resource *resource)
{
	return state_count(&core->state, resource);
}

bool core_healthy(const struct core *core)
{
	return !atomic_load_explicit(&core->batch.failed, memory_order_relaxed);
}

/* --- life --- */

static void core_free(struct core *core)
{
	if (core->loop) {
		loop_timer_disarm(&core->idle_timer);
		loop_timer_disarm(&core->history_timer);
		loop_timer_disarm(&core->expiry_timer);
		loop_timer_disarm(&core->bookmark_timer);
		loop_unpost(core->loop, &core->compact_task);
	}
	if (core->wake)
		loop_wake_free(core->wake);
	loop_free(core->loop);
	batch_close(&core->batch);
	watch_hub_close(&core->hub);
	state_close(&core->state);
	core->opts.store->ops->close(core->opts.store);
	free(core);
}

int core_new(const struct core_opts *opts, struct core **ret, struct err *err)
{
	struct core *core = mem_zalloc(sizeof(*core));
	struct history_limits limits = {
		.events = opts->history_events,
		.bytes = opts->history_bytes ? opts->history_bytes : HISTORY_BYTES,
		.seconds = (uint32_t)(opts->history_ms / 1000),
	};

	core->opts = *opts;
	state_init(&core->state, &limits);
	watch_hub_init(&core->hub, opts->watch_max_bytes);
	batch_init(&core->batch, &core->state, opts->store, &core->hub);
	core->loop = loop_new(err);
	if (core->loop) {
		loop_timer_init(&core->idle_timer, core->loop, on_idle, core);
		loop_timer_init(&core->history_timer, core->loop, on_history, core);
		loop_timer_init(&core->expiry_timer, core->loop, on_expiry, core);
		loop_timer_init(&core->bookmark_timer, core->loop, on_bookmark, core);
		core->compact_task = (struct loop_task){ .fn = on_compact, .arg = core };
		core->wake = loop_wake_new(core->loop, on_wake, core, err);
	}
	if (!core->wake || state_load(&core->state, opts->store, opts->definitions, opts->define,
				      opts->define_arg, err) < 0) {
		core_free(core);
		return -1;
	}
	atomic_store(&core->revision, core->state.revision);
	*ret = core;
	return 0;
}

static void *run(void *arg)
{
	struct core *core = arg;

	is_core_thread = true;
	arm(&core->idle_timer, IDLE_MS);
	arm(&core->history_timer, history_interval(core));
	arm(&core->expiry_timer, 0);
	loop_run(core->loop);
	return NULL;
}

int core_start(struct core *core, struct err *err)
{
	sigset_t all, before;
	int error;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&core->thread, NULL, run, core);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return err_set_errno(err, error, "starting the core's thread");
	pthread_setname_np(core->thread, "core");
	core->started = true;
	return 0;
}

void core_stop_and_free(struct core *core)
{
	if (core->started) {
		atomic_store(&core->stopping, true);
		loop_wake_send(core->wake);
		pthread_join(core->thread, NULL);
		core->started = false;
	}
	watch_hub_end_all(&core->hub);
	/* Readers that were closing just then are about to hand their watches back. */
	for (remove_closed(core); core->hub.owed || atomic_load(&core->closers); remove_closed(core))
		sched_yield();
	core_free(core);
}
