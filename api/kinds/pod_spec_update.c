/* What may change in the spec of a pod that exists. */
#include <stdint.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

#define OTHER_FIELDS                                                                                         \
	"pod updates may not change fields other than "                                                      \
	"`spec.containers[*].image`,`spec.initContainers[*].image`,"                                         \
	"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"          \
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

static bool same_tolerance(const struct json_object *a, const struct json_object *b)
{
	static const char *const keys[] = { "key", "operator", "value", "effect" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(json_str_or_empty(a, keys[i]), json_str_or_empty(b, keys[i])) != 0)
			return false;
	return true;
}

/* Tolerations may be added, and how long one of NoExecute holds may change. */
static void validate_tolerations(const struct json_object *spec, const struct json_object *old,
				 struct field_path *path, struct field_errors *errors)
{
	const struct json_object *new_list = json_get(spec, "tolerations"),
				 *old_list = json_get(old, "tolerations");

	for (size_t i = 0; json_len(new_list) <= FAULT_LIST_MAX && i < json_len(old_list); i++) {
		bool found = false;

		for (size_t j = 0; j < json_len(new_list) && !found; j++)
			found = same_tolerance(json_at(old_list, i), json_at(new_list, j));
		if (found)
			continue;
		fault_forbidden(errors, path, "tolerations",
				"existing toleration can not be modified except its tolerationSeconds");
		return;
	}
}

static void validate_deadline(const struct json_object *spec, const struct json_object *old,
			      struct field_path *path, struct field_errors *errors)
{
	const struct json_object *value = json_get(spec, "activeDeadlineSeconds");
	int64_t was = json_int(old, "activeDeadlineSeconds", INT64_MAX);

	if (was == INT64_MAX)
		return;
	if (!value)
		fault_json(errors, path, "activeDeadlineSeconds", NULL,
			   "must not update from a positive integer to nil value");
	else if (json_int(spec, "activeDeadlineSeconds", 0) > was)
		fault_int(errors, path, "activeDeadlineSeconds", json_int(spec, "activeDeadlineSeconds", 0),
			  "must be less than or equal to previous value");
}

static void validate_gates(const struct json_object *spec, const struct json_object *old,
			   struct field_path *path, struct field_errors *errors)
{
	const struct json_object *gates = json_get(spec, "schedulingGates"),
				 *old_gates = json_get(old, "schedulingGates");

	for (size_t i = 0; json_len(gates) <= FAULT_LIST_MAX && i < json_len(gates); i++) {
		const char *name = json_str_or_empty(json_at(gates, i), "name");
		bool found = false;

		for (size_t j = 0; j < json_len(old_gates) && !found; j++)
			found = strcmp(json_str_or_empty(json_at(old_gates, j), "name"), name) == 0;
		if (found)
			continue;
		CLEANUP(mem_freep)
		char *text = mem_printf("only deletion is allowed, but found new scheduling gate '%s'", name);
		fault_forbidden(errors, path, "schedulingGates", text);
	}
}

static bool validate_same_count(const struct json_object *spec, const struct json_object *old,
				const char *key, struct field_path *path, struct field_errors *errors)
{
	if (json_len(json_get(spec, key)) == json_len(json_get(old, key)))
		return true;
	fault_forbidden(errors, path, key, "pod updates may not add or remove containers");
	return false;
}

static void put_member(struct json_object *spec, const struct json_object *from, const char *key)
{
	const struct json_object *value = json_get(from, key);

	if (value)
		json_set(spec, key, json_clone(value));
	else
		json_object_object_del(spec, key);
}

static void put_images(struct json_object *spec, const struct json_object *from, const char *key)
{
	struct json_object *list = json_get(spec, key), *from_list = json_get(from, key);

	for (size_t i = 0; i < json_len(list); i++)
		put_member(json_at(list, i), json_at(from_list, i), "image");
}

static void add_changed(struct buf *b, const struct json_object *a, const struct json_object *other,
			bool missing_only)
{
	json_object_object_foreach((struct json_object *)(uintptr_t)a, key, value)
	{
		const struct json_object *theirs = json_get(other, key);

		if (missing_only ? theirs == NULL && value != NULL : !json_equal(value, theirs))
			buf_printf(b, "%s%s", b->len > 0 ? ", " : "", key);
	}
}

/* The new spec with all that may change put back: it must be the old one. */
static void validate_rest(const struct json_object *spec, const struct json_object *old,
			  struct field_path *path, struct field_errors *errors)
{
	static const char *const may_change[] = { "activeDeadlineSeconds", "tolerations", "schedulingGates" };
	CLEANUP(json_putp) struct json_object *rest = json_clone(spec);
	CLEANUP(buf_close) struct buf changed = BUF_INIT;
	CLEANUP(mem_freep) char *text = NULL;

	put_images(rest, old, "containers");
	put_images(rest, old, "initContainers");
	for (size_t i = 0; i < ARRAY_SIZE(may_change); i++)
		put_member(rest, old, may_change[i]);
	if (json_int(old, "terminationGracePeriodSeconds", 0) < 0 &&
	    json_int(rest, "terminationGracePeriodSeconds", 0) == 1)
		put_member(rest, old, "terminationGracePeriodSeconds");
	if (json_equal(rest, old))
		return;
	/* Kubernetes shows a diff of its own structs here; the members that differ say as much. */
	add_changed(&changed, rest, old, false);
	add_changed(&changed, old, rest, true);
	text = mem_printf("%s\nchanged: %s", OTHER_FIELDS, changed.data ? changed.data : "");
	field_error_forbidden(errors, path, text);
}

void pod_spec_validate_update(const struct json_object *spec, const struct json_object *old,
			      struct field_path *path, struct field_errors *errors)
{
	if (!validate_same_count(spec, old, "containers", path, errors) ||
	    !validate_same_count(spec, old, "initContainers", path, errors))
		return;
	validate_deadline(spec, old, path, errors);
	validate_tolerations(spec, old, path, errors);
	validate_gates(spec, old, path, errors);
	validate_rest(spec, old, path, errors);
}
