#include "apiserver/core/follow.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/map.h"

#define OPEN_TRIES 1000

/* What is followed of one resource. */
struct source {
	const struct resource *resource;
	struct watch *watch; /* NULL: not watched, or no longer */
	struct map objects;  /* a reference to each, by key */
};

struct follow {
	struct core *core;
	follow_fn fn;
	void *arg;
	pthread_rwlock_t lock; /* the derived state and all of this but: */
	atomic_bool changed;   /* there is something to take */
	void (*alarm)(void *arg);
	void *alarm_arg;

	/* How the core tells a thread that waits for it. */
	pthread_mutex_t mutex;
	pthread_cond_t told;

	size_t n;
	struct source sources[];
};

/* --- what the core thread calls --- */

static void on_event(void *arg)
{
	struct follow *follow = arg;

	pthread_mutex_lock(&follow->mutex);
	atomic_store(&follow->changed, true);
	pthread_cond_signal(&follow->told);
	pthread_mutex_unlock(&follow->mutex);
	if (follow->alarm)
		follow->alarm(follow->alarm_arg);
}

struct opening {
	struct core_command command;
	struct follow *follow;
	bool answered;
};

static void on_opened(struct core_command *command)
{
	struct opening *opening = command->arg;
	struct follow *follow = opening->follow;

	pthread_mutex_lock(&follow->mutex);
	opening->answered = true;
	pthread_cond_signal(&follow->told);
	pthread_mutex_unlock(&follow->mutex);
}

/* --- with the exclusive lock --- */

/* OBJECT's reference is taken. Gives what is kept. */
static const struct object *put(struct follow *follow, struct source *source, struct object *object)
{
	struct object *previous = map_get(&source->objects, object_key(object));

	/* A new list shows again what is known already. */
	if (previous && object_revision(previous) == object_revision(object)) {
		object_unref(object);
		return previous;
	}
	map_put(&source->objects, object_key(object), object);
	follow->fn(&(struct follow_change){ source->resource, object, previous }, follow->arg);
	object_unref(previous);
	return object;
}

static void drop(struct follow *follow, struct source *source, const char *key)
{
	CLEANUP(object_unrefp) struct object *previous = map_remove(&source->objects, key);

	if (previous)
		follow->fn(&(struct follow_change){ source->resource, NULL, previous }, follow->arg);
}

/* The next event of SOURCE, waiting for it. */
static struct watch_event next_event(struct follow *follow, struct source *source)
{
	struct watch_event event;

	pthread_mutex_lock(&follow->mutex);
	while (!watch_next(source->watch, &event))
		pthread_cond_wait(&follow->told, &follow->mutex);
	pthread_mutex_unlock(&follow->mutex);
	return event;
}

/* Takes the list that a watch starts with, and drops what was known and is not in it. *RET_WHOLE is false
 * when changes came so fast meanwhile that the queue was closed. */
static int take_list(struct follow *follow, struct source *source, bool *ret_whole, struct err *err)
{
	CLEANUP(map_close) struct map listed = MAP_INIT;
	struct watch_event event;
	const char *key;
	size_t cursor = 0;
	void *object;

	while ((event = next_event(follow, source)).type == WATCH_ADDED) {
		const struct object *kept = put(follow, source, event.object);

		map_put(&listed, object_key(kept), source);
	}
	*ret_whole = event.type == WATCH_INITIAL_EVENTS_END;
	if (event.type == WATCH_CLOSED && event.err.kind != ERR_NONE)
		return 0;
	if (!*ret_whole)
		return err_set(err, ERR_SERVICE_UNAVAILABLE, "the server is shutting down");
	while (map_next(&source->objects, &cursor, &key, &object))
		if (!map_get(&listed, key))
			drop(follow, source, key);
	return 0;
}

static void close_source(struct follow *follow, struct source *source)
{
	watch_close(follow->core, TAKE(source->watch));
}

/* Lists and watches once. */
static int try_open(struct follow *follow, struct source *source, bool *ret_whole, struct err *err)
{
	struct opening opening = { .follow = follow };
	int result;

	source->watch = watch_new(on_event, follow);
	opening.command = (struct core_command){
		.op = CORE_WATCH,
		.resource = source->resource,
		.watch = source->watch,
		.initial_events = true,
		.internal = true,
		.reply = on_opened,
		.arg = &opening,
	};
	core_submit(follow->core, &opening.command);
	pthread_mutex_lock(&follow->mutex);
	while (!opening.answered)
		pthread_cond_wait(&follow->told, &follow->mutex);
	pthread_mutex_unlock(&follow->mutex);
	if (opening.command.err.kind == ERR_NONE)
		result = take_list(follow, source, ret_whole, err);
	else
		result = err_set(err, opening.command.err.kind, "%s", opening.command.err.msg);
	if (result < 0 || !*ret_whole)
		close_source(follow, source);
	return result;
}

static int open_source(struct follow *follow, struct source *source, struct err *err)
{
	bool whole = false;

	for (unsigned tries = 0; !whole; tries++) {
		if (tries == OPEN_TRIES)
			return err_set(err, ERR_SERVICE_UNAVAILABLE, "%s change faster than they can be read",
				       source->resource->qualified);
		if (try_open(follow, source, &whole, err) < 0)
			return -1;
	}
	return 0;
}

static void take_events(struct follow *follow, struct source *source)
{
	struct watch_event event;

	while (source->watch && watch_next(source->watch, &event)) {
		switch (event.type) {
		case WATCH_ADDED:
		case WATCH_MODIFIED:
			put(follow, source, event.object);
			break;
		case WATCH_DELETED:
			drop(follow, source, object_key(event.object));
			object_unref(event.object);
			break;
		case WATCH_CLOSED:
			close_source(follow, source);
			break;
		default:
			break;
		}
	}
}

static int catch_up(struct follow *follow, struct err *err)
{
	/* First, so that what comes meanwhile sets it again. */
	atomic_store(&follow->changed, false);
	for (size_t i = 0; i < follow->n; i++) {
		struct source *source = &follow->sources[i];

		take_events(follow, source);
		if (!source->watch && open_source(follow, source, err) < 0) {
			atomic_store(&follow->changed, true);
			return -1;
		}
	}
	return 0;
}

/* --- readers --- */

int follow_read(struct follow *follow, struct err *err)
{
	if (atomic_load(&follow->changed)) {
		int result = 0;

		pthread_rwlock_wrlock(&follow->lock);
		/* Another thread may have done it while this one waited for the lock. */
		if (atomic_load(&follow->changed))
			result = catch_up(follow, err);
		pthread_rwlock_unlock(&follow->lock);
		if (result < 0)
			return -1;
	}
	pthread_rwlock_rdlock(&follow->lock);
	return 0;
}

void follow_done(struct follow *follow)
{
	pthread_rwlock_unlock(&follow->lock);
}

struct object *follow_get(const struct follow *follow, const struct resource *resource, const char *key)
{
	for (size_t i = 0; i < follow->n; i++)
		if (follow->sources[i].resource == resource)
			return map_get(&follow->sources[i].objects, key);
	return NULL;
}

/* --- life --- */

struct follow *follow_new(struct core *core, const struct resource *const *resources, size_t n, follow_fn fn,
			  void *arg)
{
	struct follow *follow = mem_zalloc(sizeof(*follow) + n * sizeof(follow->sources[0]));

	follow->core = core;
	follow->fn = fn;
	follow->arg = arg;
	follow->n = n;
	atomic_init(&follow->changed, true);
	pthread_rwlock_init(&follow->lock, NULL);
	pthread_mutex_init(&follow->mutex, NULL);
	pthread_cond_init(&follow->told, NULL);
	for (size_t i = 0; i < n; i++)
		follow->sources[i] = (struct source){ .resource = resources[i], .objects = MAP_INIT };
	return follow;
}

void follow_on_change(struct follow *follow, void (*fn)(void *arg), void *arg)
{
	follow->alarm = fn;
	follow->alarm_arg = arg;
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	for (size_t i = 0; i < follow->n; i++) {
		struct source *source = &follow->sources[i];
		const char *key;
		size_t cursor = 0;
		void *object;

		close_source(follow, source);
		while (map_next(&source->objects, &cursor, &key, &object))
			object_unref(object);
		map_close(&source->objects);
	}
	pthread_cond_destroy(&follow->told);
	pthread_mutex_destroy(&follow->mutex);
	pthread_rwlock_destroy(&follow->lock);
	free(follow);
}
