#include "apiserver/delete.h"

#include <string.h>

#include "apiserver/crd/definition_status.h"
#include "lib/timefmt.h"

#define FINALIZER_ORPHAN     "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

static bool is_namespace(const struct resource *resource)
{
	return !*resource->group && strcmp(resource->plural, "namespaces") == 0;
}

static bool has_string(const struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_len(array); i++) {
		const char *item = json_object_get_string(json_at(array, i));
		if (item && strcmp(item, text) == 0)
			return true;
	}
	return false;
}

/* What an option says about a finalizer; else it stays as it is. */
static bool wants_finalizer(const struct delete_options *options, enum delete_propagation propagation,
			    bool has, bool orphans)
{
	if (options->has_orphan_dependents)
		return options->orphan_dependents && propagation == PROPAGATION_ORPHAN;
	if (options->propagation != PROPAGATION_DEFAULT)
		return options->propagation == propagation;
	return has || (orphans && propagation == PROPAGATION_ORPHAN);
}

/* The garbage collector's finalizers as the options want them: dropped, and those that hold appended. */
static void set_finalizers(const struct kind *kind, struct json_object *metadata,
			   const struct delete_options *options)
{
	static const struct {
		const char *name;
		enum delete_propagation propagation;
	} collectors[] = {
		{ FINALIZER_ORPHAN, PROPAGATION_ORPHAN },
		{ FINALIZER_FOREGROUND, PROPAGATION_FOREGROUND },
	};
	/* One that is there says what is wanted. */
	bool orphans =
	    kind->orphans_by_default && !has_string(json_get(metadata, "finalizers"), FINALIZER_FOREGROUND);
	for (size_t i = 0; i < ARRAY_SIZE(collectors); i++) {
		struct json_object *old = json_get(metadata, "finalizers");
		bool has = has_string(old, collectors[i].name);
		bool wants = wants_finalizer(options, collectors[i].propagation, has, orphans);
		if (has == wants)
			continue;
		struct json_object *finalizers = json_object_new_array();
		for (size_t k = 0; k < json_len(old); k++)
			if (strcmp(json_object_get_string(json_at(old, k)), collectors[i].name) != 0)
				json_object_array_add(finalizers, json_object_get(json_at(old, k)));
		if (wants)
			json_object_array_add(finalizers, json_object_new_string(collectors[i].name));
		if (json_len(finalizers)) {
			json_set(metadata, "finalizers", finalizers);
		} else {
			json_object_put(finalizers);
			json_object_object_del(metadata, "finalizers");
		}
	}
}

static void set_time(struct json_object *metadata, int64_t us)
{
	char text[TIMEFMT_SIZE];
	json_set_str(metadata, "deletionTimestamp", time_format(us, text));
}

/* The moment an object begins to be deleted counts as a change of what is wanted. */
static void count_generation(struct json_object *metadata)
{
	int64_t generation = json_int(metadata, "generation", 0);
	if (generation > 0)
		json_set_int(metadata, "generation", generation + 1);
}

static int64_t pod_grace_period_s(const struct json_object *pod, const struct delete_options *options)
{
	const struct json_object *spec = json_get(pod, "spec");
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");
	/* Nothing runs: nobody would end it. */
	if (!*json_str_or_empty(spec, "nodeName") || strcmp(phase, "Failed") == 0 ||
	    strcmp(phase, "Succeeded") == 0)
		return 0;
	int64_t period = options->has_grace_period ? options->grace_period_s
						   : json_int(spec, "terminationGracePeriodSeconds", 0);
	return period < 0 ? 1 : period;
}

/* A pod that is being deleted already: the period can only become shorter, counted from the first request. */
static enum delete_action shorten(struct json_object *metadata, const struct delete_options *options)
{
	int64_t period = json_int(metadata, "deletionGracePeriodSeconds", 0), at_us;
	if (period == 0)
		return DELETE_REMOVE;
	if (!options->has_grace_period || options->grace_period_s >= period ||
	    !time_parse(json_str_or_empty(metadata, "deletionTimestamp"), &at_us))
		return DELETE_KEEP;
	int64_t wanted = options->grace_period_s < 0 ? 1 : options->grace_period_s;
	set_time(metadata, time_add_s(at_us, wanted - period));
	json_set_int(metadata, "deletionGracePeriodSeconds", wanted);
	return wanted ? DELETE_UPDATE : DELETE_REMOVE;
}

static enum delete_action decide_graceful(const struct kind *kind, struct json_object *obj,
					  const struct delete_options *options, int64_t now_us)
{
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	enum delete_action action;
	if (json_get(metadata, "deletionTimestamp")) {
		action = shorten(metadata, options);
		if (action == DELETE_KEEP)
			return DELETE_KEEP;
	} else {
		int64_t period = pod_grace_period_s(obj, options);
		set_time(metadata, time_add_s(now_us, period));
		json_set_int(metadata, "deletionGracePeriodSeconds", period);
		count_generation(metadata);
		action = period ? DELETE_UPDATE : DELETE_REMOVE;
	}
	set_finalizers(kind, metadata, options);
	return json_len(json_get(metadata, "finalizers")) ? DELETE_UPDATE : action;
}

/* Its controller empties a namespace and then takes the finalizer in its spec away. */
static enum delete_action decide_namespace(const struct kind *kind, struct json_object *obj,
					   const struct delete_options *options, int64_t now_us)
{
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	bool held = json_len(json_path(obj, "spec", "finalizers", NULL)) > 0;
	if (!json_get(metadata, "deletionTimestamp")) {
		set_time(metadata, now_us);
		set_finalizers(kind, metadata, options);
		json_set_str(json_ensure_object(obj, "status"), "phase", "Terminating");
		return held || json_len(json_get(metadata, "finalizers")) ? DELETE_UPDATE : DELETE_REMOVE;
	}
	return held || json_len(json_get(metadata, "finalizers")) ? DELETE_KEEP : DELETE_REMOVE;
}

bool delete_is_of_definition(const struct resource *resource)
{
	return strcmp(resource->plural, "customresourcedefinitions") == 0 &&
	       strcmp(resource->group, "apiextensions.k8s.io") == 0;
}

/* The server empties what it defines (crd/caretaker.h), and then lets it go. */
static enum delete_action decide_definition(const struct kind *kind, struct json_object *obj,
					    const struct delete_options *options, int64_t now_us)
{
	char now[TIMEFMT_SIZE];
	if (json_path(obj, "metadata", "deletionTimestamp", NULL))
		return json_len(json_path(obj, "metadata", "finalizers", NULL)) ? DELETE_KEEP : DELETE_REMOVE;
	set_finalizers(kind, json_ensure_object(obj, "metadata"), options);
	definition_status_terminate(obj, time_format(now_us, now));
	return DELETE_UPDATE;
}

static void own_member(struct json_object *obj, const char *key)
{
	struct json_object *value = json_get(obj, key);
	if (value)
		json_set(obj, key, json_share(value));
}

struct json_object *delete_copy(const struct resource *resource, const struct json_object *old)
{
	/* Its conditions and finalizers are lists that grow in place. */
	if (delete_is_of_definition(resource))
		return json_copy(old);
	struct json_object *copy = json_share(old);
	own_member(copy, "metadata");
	if (is_namespace(resource))
		own_member(copy, "status");
	return copy;
}

enum delete_action delete_decide(const struct resource *resource, struct json_object *obj,
				 const struct delete_options *options, int64_t now_us)
{
	const struct kind *kind = resource->stored->kind;
	if (is_namespace(resource))
		return decide_namespace(kind, obj, options, now_us);
	if (delete_is_of_definition(resource))
		return decide_definition(kind, obj, options, now_us);
	if (kind->graceful_delete)
		return decide_graceful(kind, obj, options, now_us);
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	set_finalizers(kind, metadata, options);
	if (!json_len(json_get(metadata, "finalizers")))
		return DELETE_REMOVE;
	if (!json_get(metadata, "deletionTimestamp")) {
		count_generation(metadata);
		set_time(metadata, now_us);
	}
	json_set_int(metadata, "deletionGracePeriodSeconds", 0);
	return DELETE_UPDATE;
}

bool delete_returns_object(const struct resource *resource)
{
	static const char *const plurals[] = {
		"pods",           "services",          "serviceaccounts",       "podtemplates",
		"resourcequotas", "persistentvolumes", "persistentvolumeclaims"
	};
	for (size_t i = 0; !*resource->group && i < ARRAY_SIZE(plurals); i++)
		if (strcmp(resource->plural, plurals[i]) == 0)
			return true;
	return false;
}
