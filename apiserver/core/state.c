#include "apiserver/core/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "api/status.h"
#include "apiserver/core/filter.h"
#include "lib/json_skip.h"
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
	/* All horizons, and the changes of resources that are not known yet. */
	struct store_horizon *horizons;
	size_t n_horizons;
	struct store_change *later;
	size_t n_later, cap_later;
	bool all_known;
};

static void keep_for_later(struct loading *loading, const struct store_change *change)
{
	struct store_change *copy;

	if (loading->n_later == loading->cap_later) {
		loading->cap_later = loading->cap_later ? loading->cap_later * 2 : 64;
		loading->later =
		    mem_realloc_array(loading->later, loading->cap_later, sizeof(*loading->later));
	}
	copy = &loading->later[loading->n_later++];
	*copy = *change;
	copy->group = mem_dup(change->group);
	copy->plural = mem_dup(change->plural);
	copy->key = mem_dup(change->key);
	copy->value = change->value ? mem_copy(change->value, change->value_len) : NULL;
}

static void loading_close(struct loading *loading)
{
	for (size_t i = 0; i < loading->n_later; i++) {
		struct store_change *change = &loading->later[i];

		free((char *)change->group);
		free((char *)change->plural);
		free((char *)change->key);
		free((char *)change->value);
	}
	free(loading->later);
	for (size_t i = 0; i < loading->n_horizons; i++) {
		free((char *)loading->horizons[i].group);
		free((char *)loading->horizons[i].plural);
	}
	free(loading->horizons);
}

static struct table *table_named(struct loading *loading, const char *group, const char *plural)
{
	struct state *state = loading->state;
	struct table *table = loading->last;

	if (table && !strcmp(table->resource->plural, plural) && !strcmp(table->resource->group, group))
		return table;
	for (size_t i = 0; i < state->n_tables; i++) {
		table = state->tables[i];
		if (table && !strcmp(table->resource->plural, plural) &&
		    !strcmp(table->resource->group, group)) {
			loading->last = table;
			return table;
		}
	}
	return NULL;
}

static int load_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	struct loading *loading = arg;
	struct table *table = table_named(loading, horizon->group, horizon->plural);

	(void)err;
	if (table) {
		table->history.horizon = horizon->revision;
	} else if (!loading->all_known) {
		loading->horizons =
		    mem_realloc_array(loading->horizons, loading->n_horizons + 1, sizeof(*loading->horizons));
		loading->horizons[loading->n_horizons++] =
		    (struct store_horizon){ mem_dup(horizon->group), mem_dup(horizon->plural),
					    horizon->revision };
	}
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
		keep_for_later(loading, change);
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

/* A table for what has no definition: its objects stay as they are until it has one. */
static const struct resource *undefined_row(const struct store_change *change, struct err *err)
{
	static const char *const paths[] = { "kind", "apiVersion", "metadata.namespace", NULL };
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const char *version;

	if (json_pick(change->value, change->value_len, paths, &obj, err) < 0)
		return NULL;
	version = strchr(json_str_or_empty(obj, "apiVersion"), '/');
	if (!version || !json_str(obj, "kind")) {
		err_set(err, ERR_CORRUPT, "the stored value has no kind and apiVersion");
		return NULL;
	}

	struct resource_slot *slot = resource_slot_new(change->group, change->plural);
	const struct resource *row =
	    resource_holder_new(slot, version + 1, json_str(obj, "kind"),
				*json_str_or_empty(json_get(obj, "metadata"), "namespace") != '\0', NULL);

	resource_slot_unref(slot);
	return row;
}

/* Once all definitions are known. Changes made before there was a definition, or after it went, count like
 * others. */
static int load_one_later(struct loading *loading, const struct store_change *change, struct err *err)
{
	struct table *table = table_named(loading, change->group, change->plural);
	const struct resource *row;

	if (table)
		return load_change(change, loading, err);
	row = resource_take_stored(change->group, change->plural);
	if (!row) {
		row = undefined_row(change, err);
		if (!row)
			return -1;
		log_warn("the store holds objects of a resource that is not defined; they are kept",
			 "resource", row->qualified, NULL);
	}
	table = state_table(loading->state, row);
	table->history.horizon = 0;
	table->horizon_moved = false;
	resource_unref(row);
	for (size_t i = 0; i < loading->n_horizons; i++)
		load_horizon(&loading->horizons[i], loading, NULL);
	return load_change(change, loading, err);
}

static int load_later(struct loading *loading, struct err *err)
{
	for (size_t i = 0; i < loading->n_later; i++)
		if (load_one_later(loading, &loading->later[i], err) < 0)
			return -1;
	return 0;
}

static void define_all(struct state *state, const struct resource *definitions,
		       void (*define)(struct object *definition, void *arg), void *arg)
{
	struct index_cursor cursor = { 0, 0 };
	struct object *object;

	while (definitions && (object = index_next(&state_table(state, definitions)->objects, &cursor)))
		define(object, arg);
}

int state_load(struct state *state, struct store *store, const struct resource *definitions,
	       void (*define)(struct object *definition, void *arg), void *arg, struct err *err)
{
	CLEANUP(loading_close) struct loading loading = { .state = state, .now_s = state_now_s(state) };
	struct store_loader loader = { .horizon = load_horizon, .change = load_change, .arg = &loading };
	uint64_t revision = 0;

	if (store->ops->load(store, &loader, &revision, err) < 0)
		return -1;
	if (revision > state->revision)
		state->revision = revision;
	loading.all_known = true;
	define_all(state, definitions, define, arg);
	if (load_later(&loading, err) < 0)
		return -1;
	for (size_t i = 0; i < state->n_tables; i++)
		if (state->tables[i])
			atomic_store(&state->tables[i]->count, state->tables[i]->objects.count);
	return 0;
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
		add_superseded(state, superseded);
		add_superseded(state, deleted);
		table->horizon_moved |= superseded || deleted;
	}
	table->retired = true;
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
