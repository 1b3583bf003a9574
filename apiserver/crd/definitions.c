#include "apiserver/crd/definitions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/crd.h"
#include "apiserver/core/follow.h"
#include "apiserver/crd/definition_status.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/timefmt.h"

/* One definition. */
struct definition {
	char *name;
	struct json_object *obj; /* with the status that it must have */
	uint64_t revision;
	struct crd *crd; /* what is published, or NULL */
	bool status_differs, end_watches;
};

struct definitions {
	const struct resource *resource;
	struct core *core;
	struct follow *follow;
	struct map by_name;
	pthread_mutex_t told; /* end_watches, which readers of the follower reset */
};

/* --- one definition --- */

static const char *group_of(const struct json_object *obj)
{
	return json_str_or_empty(json_get(obj, "spec"), "group");
}

static bool is_terminating(const struct json_object *obj)
{
	return json_path(obj, "metadata", "deletionTimestamp", NULL) != NULL;
}

static void withdraw(struct definition *definition)
{
	if (!definition->crd)
		return;
	resource_publish(crd_family(definition->crd), NULL, 0);
	crd_unref(TAKE(definition->crd));
}

static void definition_free(struct definition *definition)
{
	withdraw(definition);
	json_object_put(definition->obj);
	free(definition->name);
	free(definition);
}

/* Sets the status of OBJ against the accepted names of the other definitions of its group. */
static void work_out_status(const struct definitions *definitions, const char *name, struct json_object *obj)
{
	CLEANUP(mem_freep)
	const struct json_object **others = mem_zalloc((definitions->by_name.count + 1) * sizeof(*others));
	char now[TIMEFMT_SIZE];
	size_t n = 0, cursor = 0;
	void *value;

	while (map_next(&definitions->by_name, &cursor, NULL, &value)) {
		const struct definition *other = value;

		if (strcmp(other->name, name) != 0 && !strcmp(group_of(other->obj), group_of(obj)))
			others[n++] = json_path(other->obj, "status", "acceptedNames", NULL);
	}
	definition_status_set(obj, others, n, time_format(time_now_us(), now));
}

/* What the rows are made of. */
static bool makes_the_same(const struct json_object *a, const struct json_object *b)
{
	return json_equal(json_get(a, "spec"), json_get(b, "spec")) &&
	       is_terminating(a) == is_terminating(b) &&
	       json_equal(json_path(a, "status", "acceptedNames", NULL),
			  json_path(b, "status", "acceptedNames", NULL));
}

/* Makes the rows of OBJ, which is DEFINITION's new state, and publishes them instead of the old ones. */
static void publish(struct definition *definition, const struct json_object *obj, uint64_t revision)
{
	struct crd *crd = NULL, *before = definition->crd;
	const struct resource *const *rows;
	struct err err = ERR_INIT;
	size_t n;

	if (!crd_condition_is_true(obj, "Established")) {
		withdraw(definition);
		return;
	}
	if (before && makes_the_same(obj, definition->obj))
		return;
	if (crd_new(obj, before, revision, &crd, &err) < 0) {
		log_error("a custom resource definition cannot be served", "name", definition->name, "error",
			  err.msg, NULL);
		return;
	}
	rows = crd_rows(crd, &n);
	if (!resource_publish(before ? crd_family(before) : NULL, rows, n)) {
		log_error("a custom resource definition has the name of a resource that is there", "name",
			  definition->name, NULL);
		crd_unref(crd);
		return;
	}
	definition->crd = crd;
	definition->end_watches |= before != NULL;
	crd_unref(before);
}

/* OBJ is taken. */
static void take(struct definitions *definitions, const char *name, struct json_object *obj,
		 uint64_t revision)
{
	struct definition *definition = map_get(&definitions->by_name, name);
	CLEANUP(json_putp) struct json_object *status = json_clone(json_get(obj, "status"));

	if (!definition) {
		definition = mem_zalloc(sizeof(*definition));
		definition->name = mem_dup(name);
		definition->obj = json_object_get(obj);
		map_put(&definitions->by_name, definition->name, definition);
	}
	work_out_status(definitions, name, obj);
	publish(definition, obj, revision);
	if (definition->obj == obj) /* new: there was a reference for the map, and one for here */
		json_object_put(obj);
	else
		json_object_put(definition->obj);
	definition->obj = obj;
	definition->revision = revision;
	definition->status_differs = !json_equal(status, json_get(obj, "status"));
}

/* A name that was given back may be what another one of GROUP waits for. */
static void offer_names(struct definitions *definitions, const char *group)
{
	size_t cursor = 0;
	void *value;

	while (map_next(&definitions->by_name, &cursor, NULL, &value)) {
		struct definition *other = value;

		if (!strcmp(group_of(other->obj), group) &&
		    !crd_condition_is_true(other->obj, "NamesAccepted")) {
			struct json_object *obj = json_clone(other->obj);

			work_out_status(definitions, other->name, obj);
			publish(other, obj, other->revision);
			other->status_differs |= !json_equal(obj, other->obj);
			json_object_put(other->obj);
			other->obj = obj;
		}
	}
}

/* --- what comes --- */

static void define(struct object *object, void *arg)
{
	take(arg, object_name(object), object_json(object), object_revision(object));
}

static void changed(const struct follow_change *change, void *arg)
{
	struct definitions *definitions = arg;
	struct definition *definition;

	if (change->object) {
		definition = map_get(&definitions->by_name, object_name(change->object));
		if (!definition || definition->revision != object_revision(change->object))
			define(change->object, arg);
		return;
	}
	definition = map_remove(&definitions->by_name, object_name(change->previous));
	if (!definition)
		return;

	CLEANUP(mem_freep) char *group = mem_dup(group_of(definition->obj));

	definition_free(definition);
	offer_names(definitions, group);
}

struct definitions *definitions_new(struct core_opts *core_opts)
{
	struct definitions *definitions = mem_zalloc(sizeof(*definitions));

	definitions->resource = resource_find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
	pthread_mutex_init(&definitions->told, NULL);
	core_opts->definitions = definitions->resource;
	core_opts->define = define;
	core_opts->define_arg = definitions;
	return definitions;
}

void definitions_begin(struct definitions *definitions, struct core *core, void (*alarm)(void *arg),
		       void *arg)
{
	definitions->core = core;
	definitions->follow = follow_new(core, &definitions->resource, 1, changed, definitions);
	follow_on_change(definitions->follow, alarm, arg);
}

void definitions_end(struct definitions *definitions)
{
	follow_free(TAKE(definitions->follow));
}

void definitions_free(struct definitions *definitions)
{
	size_t cursor = 0;
	void *value;

	if (!definitions)
		return;
	definitions_end(definitions);
	while (map_next(&definitions->by_name, &cursor, NULL, &value))
		definition_free(value);
	map_close(&definitions->by_name);
	pthread_mutex_destroy(&definitions->told);
	free(definitions);
}

int definitions_catch_up(struct definitions *definitions, struct err *err)
{
	if (follow_read(definitions->follow, err) < 0)
		return -1;
	follow_done(definitions->follow);
	return 0;
}

/* --- what there is to do --- */

static bool add_task(struct definition *definition, struct definition_task *task)
{
	bool empty = is_terminating(definition->obj) && definition_status_is_held(definition->obj);

	if (!definition->status_differs && !definition->end_watches && !empty)
		return false;
	*task = (struct definition_task){
		.name = mem_dup(definition->name),
		.status = definition->status_differs ? json_clone(json_get(definition->obj, "status")) : NULL,
		.holder = definition->crd ? resource_ref(crd_holder(definition->crd)) : NULL,
		.end_watches = definition->end_watches,
		.empty = empty,
		.revision = definition->revision,
	};
	definition->end_watches = false;
	return true;
}

int definitions_tasks(struct definitions *definitions, struct definition_task **ret, size_t *ret_n,
		      struct err *err)
{
	size_t cursor = 0, n = 0;
	void *value;

	if (follow_read(definitions->follow, err) < 0)
		return -1;
	pthread_mutex_lock(&definitions->told);
	*ret = mem_zalloc((definitions->by_name.count + 1) * sizeof(**ret));
	while (map_next(&definitions->by_name, &cursor, NULL, &value))
		n += add_task(value, &(*ret)[n]);
	pthread_mutex_unlock(&definitions->told);
	follow_done(definitions->follow);
	*ret_n = n;
	return 0;
}

void definition_tasks_free(struct definition_task *tasks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(tasks[i].name);
		json_object_put(tasks[i].status);
		resource_unref(tasks[i].holder);
	}
	free(tasks);
}
