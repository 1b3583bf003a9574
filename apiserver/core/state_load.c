/* The state as the store has it. */
#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "apiserver/core/state.h"
#include "lib/json_skip.h"
#include "lib/log.h"

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
		state_supersede(state, follows);
		state_supersede(state, deleted ? change->revision : 0);
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
