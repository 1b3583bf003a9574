#include "apiserver/core/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/status.h"
#include "apiserver/core/filter.h"
#include "lib/log.h"
#include "lib/timefmt.h"

/* Readers that come one after another must not keep the core from publishing. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void state_init(struct state *state, const struct history_limits *limits)
{
	size_t n;

	resource_all(&n);
	*state = (struct state){ .limits = *limits, .n_tables = n, .revision = 1 };
	init_lock(&state->lock);
	state->tables = mem_zalloc(sizeof(*state->tables) * (n + 1));
	for (size_t i = 0; i < n; i++) {
		const struct resource *resource = resource_at((unsigned)i);
		struct table *table = &state->tables[i];

		table->resource = resource;
		table->expires = !strcmp(resource->plural, "events");
		if (!strcmp(resource->plural, "namespaces") && !*resource->group)
			state->namespaces = table;
	}
	state->clock_offset_ms = time_now_us() / 1000 - time_mono_ms();
}

void state_close(struct state *state)
{
	for (size_t i = 0; i < state->n_tables; i++) {
		index_close(&state->tables[i].objects);
		history_close(&state->tables[i].history);
	}
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

struct table *state_table(struct state *state, const struct resource *resource)
{
	return &state->tables[resource->stored->index];
}

const char *state_key(const char *namespace_, const char *name, char *buf, size_t size)
{
	bool scoped = namespace_ && *namespace_;
	int n = snprintf(buf, size, "%s%s%s", scoped ? namespace_ : "", scoped ? "/" : "", name);

	return n >= 0 && (size_t)n < size ? buf : NULL;
}

static void add_superseded(struct state *state, uint64_t revision)
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
		add_superseded(state, superseded);
		add_superseded(state, deleted);
		table->horizon_moved |= superseded || deleted;
	}
}

/* --- loading --- */

struct loading {
	struct state *state;
	struct table *last; /* of the change before: most follow one of their kind */
	uint32_t now_s;
	size_t unknown; /* changes of resources that this server does not have */
};

/* Views (kind.h) hold nothing. */
static bool holds(const struct table *table, const char *group, const char *plural)
{
	const struct resource *resource = table->resource;

	return !strcmp(resource->plural, plural) && !strcmp(resource->group, group) &&
	       resource->stored == resource;
}

static struct table *table_named(struct loading *loading, const char *group, const char *plural)
{
	struct state *state = loading->state;
	struct table *table = loading->last;

	if (table && holds(table, group, plural))
		return table;
	for (size_t i = 0; i < state->n_tables; i++) {
		table = &state->tables[i];
		if (holds(table, group, plural)) {
			loading->last = table;
			return table;
		}
	}
	return NULL;
}

static int load_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	struct table *table = table_named(arg, horizon->group, horizon->plural);

	(void)err;
	if (table)
		table->history.horizon = horizon->revision;
	return 0;
}

/* Up to the horizon only the newest state of a key counts; what else is there was left when compaction
 * stopped. */
static int load_change(const struct store_change *change, void *arg, struct err *err)
{
	struct loading *loading = arg;
	struct state *state = loading->state;
	struct table *table = table_named(loading, change->group, change->plural);
	CLEANUP(object_unrefp) struct object *object = NULL;
	CLEANUP(object_unrefp) struct object *previous = NULL;
	bool deleted = change->kind == STORE_DELETE;
	uint64_t follows;

	if (!table) {
		loading->unknown++;
		return 0;
	}
	if (object_load(table->resource, change->value, change->value_len, change->revision, &object, err) <
	    0)
		return -1;
	if (strcmp(object_key(object), change->key) != 0)
		return err_set(err, ERR_CORRUPT, "its value is that of %s", object_key(object));
	object_set_written(object,
			   change->time_s < loading->now_s ? (uint32_t)change->time_s : loading->now_s);
	previous = state_replace(table, object, deleted);
	follows = previous ? object_revision(previous) : 0;
	owners_change(&state->owners, previous, deleted ? NULL : object);
	if (change->revision <= table->history.horizon) {
		add_superseded(state, follows);
		add_superseded(state, deleted ? change->revision : 0);
		return 0;
	}
	if (follows != change->previous)
		return err_set(err, ERR_CORRUPT, "revision %llu follows %llu, which is not there",
			       (unsigned long long)change->revision, (unsigned long long)change->previous);
	history_add(&table->history, object, previous, deleted, object_written(object));
	state_trim(state, table, loading->now_s);
	return 0;
}

int state_load(struct state *state, struct store *store, struct err *err)
{
	struct loading loading = { .state = state, .now_s = state_now_s(state) };
	struct store_loader loader = { .horizon = load_horizon, .change = load_change, .arg = &loading };
	uint64_t revision = 0;

	if (store->ops->load(store, &loader, &revision, err) < 0)
		return -1;
	if (revision > state->revision)
		state->revision = revision;
	for (size_t i = 0; i < state->n_tables; i++)
		atomic_store(&state->tables[i].count, state->tables[i].objects.count);
	if (loading.unknown)
		log_warn("the store holds objects of resources this version does not serve; they are kept",
			 "changes", log_num((int64_t)loading.unknown), NULL);
	return 0;
}

/* --- reading --- */

int state_get(struct state *state, const struct resource *resource, const char *namespace_, const char *name,
	      struct object **ret, struct err *err)
{
	char buf[STATE_KEY_SIZE];
	const char *key = state_key(namespace_, name, buf, sizeof(buf));
	struct object *object = NULL;

	pthread_rwlock_rdlock(&state->lock);
	if (key)
		object = index_get(&state_table(state, resource)->objects, key);
	if (object)
		object_ref(object);
	pthread_rwlock_unlock(&state->lock);
	if (!object)
		return status_not_found(err, resource, name);
	*ret = object;
	return 0;
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
