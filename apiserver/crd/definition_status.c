#include "apiserver/crd/definition_status.h"

#include <string.h>

#include "api/crd.h"
#include "lib/mem.h"

/* --- conditions --- */

static struct json_object *condition_of(const struct json_object *definition, const char *type)
{
	const struct json_object *conditions = json_path(definition, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (!strcmp(json_str_or_empty(json_at(conditions, i), "type"), type))
			return json_at(conditions, i);
	return NULL;
}

static void set_condition(struct json_object *definition, const char *type, bool holds, const char *reason,
			  const char *message, const char *now)
{
	struct json_object *condition = condition_of(definition, type);
	const char *status = holds ? "True" : "False";

	if (!condition) {
		condition = json_object_new_object();
		json_set_str(condition, "type", type);
		json_object_array_add(
		    json_ensure_array(json_ensure_object(definition, "status"), "conditions"), condition);
	}
	if (strcmp(json_str_or_empty(condition, "status"), status) != 0) {
		json_set_str(condition, "status", status);
		json_set_str(condition, "lastTransitionTime", now);
	}
	json_set_str(condition, "reason", reason);
	json_set_str(condition, "message", message);
}

/* --- names --- */

static bool lists(const struct json_object *names, const char *key, const char *name)
{
	const struct json_object *list = json_get(names, key);

	for (size_t i = 0; i < json_len(list); i++)
		if (!strcmp(json_object_get_string(json_at(list, i)), name))
			return true;
	return false;
}

static bool taken_as_resource(const struct json_object *names, const char *name)
{
	return !strcmp(json_str_or_empty(names, "plural"), name) ||
	       !strcmp(json_str_or_empty(names, "singular"), name) || lists(names, "shortNames", name);
}

static bool taken_as_kind(const struct json_object *names, const char *name)
{
	return !strcmp(json_str_or_empty(names, "kind"), name) ||
	       !strcmp(json_str_or_empty(names, "listKind"), name);
}

struct naming {
	const struct json_object *wanted;
	struct json_object *accepted;
	const struct json_object *const *others;
	size_t n;
	const char *reason; /* of the last conflict, NULL: none */
	char *message;
};

static bool is_taken(const struct naming *naming, const char *name,
		     bool (*taken)(const struct json_object *names, const char *name))
{
	for (size_t i = 0; i < naming->n; i++)
		if (taken(naming->others[i], name))
			return true;
	return false;
}

static void conflict(struct naming *naming, const char *reason, const char *name)
{
	naming->reason = reason;
	if (naming->message) {
		char *both = mem_printf("%s, \"%s\" is already in use", naming->message, name);
		free(naming->message);
		naming->message = both;
	} else {
		naming->message = mem_printf("\"%s\" is already in use", name);
	}
}

static void accept_name(struct naming *naming, const char *key, const char *reason,
			bool (*taken)(const struct json_object *names, const char *name))
{
	const char *name = json_str_or_empty(naming->wanted, key);

	if (!strcmp(name, json_str_or_empty(naming->accepted, key)))
		return;
	if (!is_taken(naming, name, taken)) {
		json_set_str(naming->accepted, key, name);
		return;
	}
	free(TAKE(naming->message));
	conflict(naming, reason, name);
}

static void accept_short_names(struct naming *naming)
{
	struct json_object *wanted = json_get(naming->wanted, "shortNames");
	bool free_ = true;

	if (json_equal(wanted, json_get(naming->accepted, "shortNames")))
		return;
	for (size_t i = 0; i < json_len(wanted); i++) {
		const char *name = json_object_get_string(json_at(wanted, i));

		if (lists(naming->accepted, "shortNames", name) || !is_taken(naming, name, taken_as_resource))
			continue;
		if (free_)
			free(TAKE(naming->message));
		free_ = false;
		conflict(naming, "ShortNamesConflict", name);
	}
	if (!free_)
		return;
	if (wanted)
		json_set(naming->accepted, "shortNames", json_clone(wanted));
	else
		json_object_object_del(naming->accepted, "shortNames");
}

static void accept_names(struct naming *naming)
{
	struct json_object *categories = json_get(naming->wanted, "categories");

	accept_name(naming, "plural", "PluralConflict", taken_as_resource);
	accept_name(naming, "singular", "SingularConflict", taken_as_resource);
	accept_short_names(naming);
	accept_name(naming, "kind", "KindConflict", taken_as_kind);
	accept_name(naming, "listKind", "ListKindConflict", taken_as_kind);
	if (categories)
		json_set(naming->accepted, "categories", json_clone(categories));
	else
		json_object_object_del(naming->accepted, "categories");
}

/* --- the whole --- */

void definition_status_set(struct json_object *definition, const struct json_object *const *others, size_t n,
			   const char *now)
{
	struct naming naming = {
		.wanted = json_path(definition, "spec", "names", NULL),
		.accepted = json_ensure_object(json_ensure_object(definition, "status"), "acceptedNames"),
		.others = others,
		.n = n,
	};

	accept_names(&naming);
	if (naming.reason)
		set_condition(definition, "NamesAccepted", false, naming.reason, naming.message, now);
	else
		set_condition(definition, "NamesAccepted", true, "NoConflicts", "no conflicts found", now);
	/* Once it is served it stays so, with the names that it got. */
	if (!crd_condition_is_true(definition, "Established")) {
		if (naming.reason)
			set_condition(definition, "Established", false, "NotAccepted",
				      "not all names are accepted", now);
		else
			set_condition(definition, "Established", true, "InitialNamesAccepted",
				      "the initial names have been accepted", now);
	}
	free(naming.message);
}

static struct json_object *finalizers_of(const struct json_object *definition)
{
	return json_path(definition, "metadata", "finalizers", NULL);
}

bool definition_status_is_held(const struct json_object *definition)
{
	return lists(json_get(definition, "metadata"), "finalizers", DEFINITION_FINALIZER);
}

void definition_status_terminate(struct json_object *definition, const char *now)
{
	struct json_object *metadata = json_ensure_object(definition, "metadata");

	json_set_str(metadata, "deletionTimestamp", now);
	if (!definition_status_is_held(definition))
		json_object_array_add(json_ensure_array(metadata, "finalizers"),
				      json_object_new_string(DEFINITION_FINALIZER));
	set_condition(definition, "Terminating", true, "InstanceDeletionPending",
		      "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
		      now);
}

void definition_status_release(struct json_object *definition)
{
	const struct json_object *old = finalizers_of(definition);
	struct json_object *left = json_object_new_array();
	struct json_object *metadata = json_get(definition, "metadata");

	for (size_t i = 0; i < json_len(old); i++)
		if (strcmp(json_object_get_string(json_at(old, i)), DEFINITION_FINALIZER) != 0)
			json_object_array_add(left, json_object_get(json_at(old, i)));
	if (json_len(left)) {
		json_set(metadata, "finalizers", left);
	} else {
		json_object_put(left);
		json_object_object_del(metadata, "finalizers");
	}
}
