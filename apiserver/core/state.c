#include "apiserver/core/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "api/status.h"
#include "apiserver/core/filter.h"
#include "lib/timefmt.h"

/* Some tens of microseconds, in which nothing is published. */
#define LIST_NOW_MAX 512

/* Readers that come one after another must not keep the core from publishing. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

static struct table *new_table(const struct resource *resource)
{
	struct table *table = mem_zalloc(sizeof(*table));

	table->resource = resource_ref(resource);
	table->expires = !strcmp(resource->plural, "events") && !resource->slot;
	return table;
}

static void free_table(struct table *table)
{
	if (!table)
		return;
	index_close(&table->objects);
	history_close(&table->history);
	resource_unref(table->resource);
	free(table);
}

void state_init(struct state *state, const struct history_limits *limits)
{
	size_t n;

	resource_all(&n);
	*state = (struct state){ .limits = *limits, .n_tables = n, .revision = 1 };
	init_lock(&state->lock);
	state->tables = mem_zalloc(sizeof(struct table *) * (n + 1));
	for (size_t i = 0; i < n; i++) {
		const struct resource *resource = resource_at((unsigned)i);

		if (resource->stored != resource)
			continue;
		state->tables[i] = new_table(resource);
		if (!strcmp(resource->plural, "namespaces") && !*resource->group)
			state->namespaces = state->tables[i];
	}
	state->clock_offset_ms = time_now_us() / 1000 - time_mono_ms();
}

void state_close(struct state *state)
{
	for (size_t i = 0; i < state->n_tables; i++)
		free_table(state->tables[i]);
	owners_close(&state->owners);
	free(state->tables);
	free(state->superseded);
	pthread_rwlock_destroy(&state->lock);
	*state = (struct state){ 0 };
}

uint32_t state_now_s(const struct state *state)
{
	return (uint32_t)((time_mono_ms() + state->clock_offset_ms) / 1000);
}

struct table *state_table_at(const struct state *state, size_t i)
{
	return i < state->n_tables ? state->tables[i] : NULL;
}

/* What came before under the same name was deleted with its definition: nobody can resume from that. */
static struct table *add_table(struct state *state, const struct resource *resource)
{
	struct table *table = new_table(resource->holder ? resource->holder : resource->stored);
	unsigned index = resource->stored->index;
	size_t n = index + 1;

	table->history.horizon = state->revision;
	table->horizon_moved = true;
	pthread_rwlock_wrlock(&state->lock);
	if (n > state->n_tables) {
		state->tables = mem_realloc_array(state->tables, n, sizeof(struct table *));
		memset(state->tables + state->n_tables, 0, (n - state->n_tables) * sizeof(struct table *));
		state->n_tables = n;
	}
	state->tables[index] = table;
	pthread_rwlock_unlock(&state->lock);
	return table;
}

struct table *state_table(struct state *state, const struct resource *resource)
{
	struct table *table = state_table_at(state, resource->stored->index);

	return table ? table : add_table(state, resource);
}

const char *state_key(const char *namespace_, const char *name, char *buf, size_t size)
{
	bool scoped = namespace_ && *namespace_;
	int n = snprintf(buf, size, "%s%s%s", scoped ? namespace_ : "", scoped ? "/" : "", name);

	return n >= 0 && (size_t)n < size ? buf : NULL;
}

void state_supersede(struct state *state, uint64_t revision)
{
	if (!revision)
		return;
	if (state->n_superseded == state->cap_superseded) {
		state->cap_superseded = state->cap_superseded ? state->cap_superseded * 2 : 64;
		state->superseded =
		    mem_realloc_array(state->superseded, state->cap_superseded, sizeof(uint64_t));
	}
	state->superseded[state->n_superseded++] = revision;
}

struct object *state_replace(struct table *table, struct object *object, bool deleted)
{
	struct object *old = deleted ? index_remove(&table->objects, object_key(object))
				     : index_put(&table->objects, object_ref(object));

	table->bytes += deleted ? 0 : object_size(object);
	table->bytes -= old ? object_size(old) : 0;
	return old;
}

void state_trim(struct state *state, struct table *table, uint32_t now_s)
{
	struct history_limits limits = state->limits;
	uint64_t superseded, deleted;

	if (table->bytes < limits.bytes)
		limits.bytes = table->bytes > limits.bytes / 4 ? table->bytes : limits.bytes / 4;
	while (history_expire(&table->history, &limits, now_s, &superseded, &deleted)) {
		state_supersede(state, superseded);
		state_supersede(state, deleted);
		table->horizon_moved |= superseded || deleted;
	}
}

/* --- resources that go --- */

int state_retire(struct state *state, struct table *table, struct err *err)
{
	struct history_limits none = { 0 };
	uint64_t superseded, deleted;

	if (table->objects.count)
		return err_set(err, ERR_CONFLICT, "there are %zu objects of %s", table->objects.count,
			       table->resource->qualified);
	while (history_expire(&table->history, &none, UINT32_MAX, &superseded, &deleted)) {
		state_supersede(state, superseded);
		state_supersede(state, deleted);
		table->horizon_moved |= superseded || deleted;
	}
	pthread_rwlock_wrlock(&state->lock);
	table->retired = true;
	pthread_rwlock_unlock(&state->lock);
	if (table->resource->slot)
		atomic_store(&table->resource->slot->retired, true);
	return 0;
}

void state_drop_retired(struct state *state)
{
	for (size_t i = 0; i < state->n_tables; i++) {
		struct table *table = state->tables[i];

		if (!table || !table->retired)
			continue;
		pthread_rwlock_wrlock(&state->lock);
		state->tables[i] = NULL;
		pthread_rwlock_unlock(&state->lock);
		free_table(table);
	}
}

/* --- reading --- */

int state_get(struct state *state, const struct resource *resource, const char *namespace_, const char *name,
	      struct object **ret, struct err *err)
{
	char buf[STATE_KEY_SIZE];
	const char *key = state_key(namespace_, name, buf, sizeof(buf));
	struct object *object = NULL;
	const struct table *table;

	pthread_rwlock_rdlock(&state->lock);
	table = state_table_at(state, resource->stored->index);
	if (key && table)
		object = index_get(&table->objects, key);
	if (object)
		object_ref(object);
	pthread_rwlock_unlock(&state->lock);
	if (!object)
		return status_not_found(err, resource, name);
	*ret = object;
	return 0;
}

uint64_t state_count(struct state *state, const struct resource *resource)
{
	const struct table *table;
	uint64_t count;

	pthread_rwlock_rdlock(&state->lock);
	table = state_table_at(state, resource->stored->index);
	count = table ? atomic_load_explicit(&table->count, memory_order_relaxed) : 0;
	pthread_rwlock_unlock(&state->lock);
	return count;
}

void state_by_owner(struct state *state, struct core_command *command)
{
	command->ret_objects = owners_list(&state->owners, command->uid, &command->ret_n);
	command->ret_revision = state->revision;
}

/* A key whose state at the snapshot differs from that now. */
struct past {
	const char *key;
	struct object *object; /* borrowed from the history; NULL: it was not there */
	uint64_t revision;     /* of the change that ended that state */
};

static int compare_past(const void *a, const void *b)
{
	const struct past *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->revision > y->revision) - (x->revision < y->revision);
}

/* The keys changed after REVISION with their states then, in key order: of several changes of a key the first
 * one tells. */
static struct past *past_of(const struct history *history, uint64_t revision, size_t *ret_n)
{
	size_t first = history_find(history, revision), n = history->n - first, kept = 0;
	struct past *past;

	*ret_n = 0;
	if (!n)
		return NULL;
	past = mem_realloc_array(NULL, n, sizeof(*past));
	for (size_t i = 0; i < n; i++) {
		const struct history_event *event = history_at(history, first + i);

		past[i] = (struct past){ object_key(event->object), event->previous,
					 object_revision(event->object) };
	}
	qsort(past, n, sizeof(*past), compare_past);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(past[kept - 1].key, past[i].key) != 0)
			past[kept++] = past[i];
	}
	*ret_n = kept;
	return past;
}

/* Walks the objects of a snapshot in key order: the index, with the past in front of it. */
struct walk {
	const struct index *index;
	struct index_cursor cursor;
	struct object *now; /* the index's next */
	const struct past *past;
	size_t n_past;
};

static struct object *walk_next(struct walk *walk)
{
	for (;;) {
		struct object *object = walk->now;

		if (walk->n_past) {
			const struct past *past = walk->past;
			int order = object ? strcmp(past->key, object_key(object)) : -1;

			if (order <= 0) {
				walk->past++;
				walk->n_past--;
				if (order == 0)
					walk->now = index_next(walk->index, &walk->cursor);
				if (past->object)
					return past->object;
				continue;
			}
		}
		if (object)
			walk->now = index_next(walk->index, &walk->cursor);
		return object;
	}
}

static void walk_start(struct walk *walk, const char *start, bool after)
{
	walk->cursor = index_seek(walk->index, start, after);
	walk->now = index_next(walk->index, &walk->cursor);
	while (walk->n_past) {
		int order = strcmp(walk->past->key, start);

		if (order > 0 || (order == 0 && !after))
			break;
		walk->past++;
		walk->n_past--;
	}
}

static void collect(struct core_command *command, struct walk *walk, const char *prefix, bool exact)
{
	const struct core_filter *filter = &command->filter;
	size_t prefix_len = strlen(prefix), cap = 0;
	bool count = !filter->labels && !filter->fields && !filter->name;
	struct object *object;

	while ((object = walk_next(walk))) {
		if (strncmp(object_key(object), prefix, prefix_len) != 0)
			break;
		if (exact && object_key(object)[prefix_len])
			break;
		if (!filter_matches(filter, object))
			continue;
		if (command->limit && command->ret_n == command->limit) {
			command->ret_more = true;
			if (!count)
				break;
			command->ret_remaining++;
			continue;
		}
		if (command->ret_n == cap) {
			cap = cap ? cap * 2 : 16;
			command->ret_objects =
			    mem_realloc_array(command->ret_objects, cap, sizeof(struct object *));
		}
		command->ret_objects[command->ret_n++] = object_ref(object);
	}
}

static int check_revision(const struct state *state, const struct table *table, struct core_command *command)
{
	uint64_t asked = command->at_revision ? command->at_revision : command->not_older_than;

	if (asked > state->revision && command->after_key)
		return err_set(&command->err, ERR_EXPIRED,
			       "The provided continue parameter is not of this server: it is of version "
			       "%llu, and the newest "
			       "one here is %llu. You can start a new list without the continue parameter, "
			       "or use the continue "
			       "token in this response to retrieve the remainder of the results.",
			       (unsigned long long)asked, (unsigned long long)state->revision);
	if (asked > state->revision)
		return err_set(&command->err, ERR_TIMEOUT,
			       "Timeout: Too large resource version: %llu, current: %llu",
			       (unsigned long long)asked, (unsigned long long)state->revision);
	if (!command->at_revision || command->at_revision >= table->history.horizon)
		return 0;
	if (!command->after_key)
		return err_set(&command->err, ERR_EXPIRED,
			       "The resourceVersion for the provided list is too old.");
	return err_set(
	    &command->err, ERR_EXPIRED,
	    "The provided continue parameter is too old to display a consistent list result. You can start a "
	    "new list without the continue parameter, or use the continue token in this response to retrieve "
	    "the remainder of the results. Continuing with the provided token results in an inconsistent "
	    "list "
	    "- objects that were created, modified, or deleted between the time the first chunk was returned "
	    "and now may show up in the list.");
}

void state_list(struct state *state, struct core_command *command)
{
	struct table *table = state_table(state, command->resource);
	const struct core_filter *filter = &command->filter;
	CLEANUP(mem_freep) struct past *past = NULL;
	char prefix[STATE_KEY_SIZE] = "";
	struct walk walk = { .index = &table->objects };
	bool pinned = filter->name && (filter->namespace_ || !command->resource->namespaced);
	bool after;

	if (check_revision(state, table, command) < 0)
		return;
	command->ret_revision = command->at_revision ? command->at_revision : state->revision;
	if (pinned && !state_key(filter->namespace_, filter->name, prefix, sizeof(prefix)))
		return;
	if (!pinned && filter->namespace_ && *filter->namespace_ &&
	    !state_key(filter->namespace_, "", prefix, sizeof(prefix)))
		return;
	if (command->at_revision) {
		past = past_of(&table->history, command->at_revision, &walk.n_past);
		walk.past = past;
	}
	after = command->after_key && strcmp(command->after_key, prefix) >= 0;
	walk_start(&walk, after ? command->after_key : prefix, after);
	collect(command, &walk, prefix, pinned);
}

bool state_list_now(struct state *state, struct core_command *command)
{
	const struct table *table;
	bool few;

	if (command->at_revision)
		return false;
	pthread_rwlock_rdlock(&state->lock);
	table = state_table_at(state, command->resource->stored->index);
	few = table && table->objects.count <= LIST_NOW_MAX;
	if (few)
		state_list(state, command);
	pthread_rwlock_unlock(&state->lock);
	return few;
}
