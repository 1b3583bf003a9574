/* What may be changed of a pod beside its own update: ephemeral containers are added, and the resources of
 * containers are changed while they run. (pkg/registry/core/pod: ephemeralContainersStrategy, resizeStrategy)
 */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod.h"
#include "api/kinds/pod_spec.h"
#include "lib/mem.h"

static void copy_member(struct json_object *to, const struct json_object *from, const char *key)
{
	const struct json_object *value = json_get(from, key);

	if (value)
		json_set(to, key, json_clone(value));
	else
		json_object_object_del(to, key);
}

static bool is_mirror(const struct json_object *pod)
{
	return json_get(json_path(pod, "metadata", "annotations", NULL), "kubernetes.io/config.mirror") !=
	       NULL;
}

static void validate_spec(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_pod_spec(json_get(obj, "spec"), &path, errors);
}

/* --- ephemeral containers --- */

static void merge_ephemeral(struct json_object *merged, const struct json_object *obj)
{
	copy_member(json_ensure_object(merged, "spec"), json_get(obj, "spec"), "ephemeralContainers");
}

static const struct json_object *named(const struct json_object *list, const char *name)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_str_or_empty(json_at(list, i), "name"), name) == 0)
			return json_at(list, i);
	return NULL;
}

/* Those that are there stay as they are. */
static void validate_ephemeral(const struct json_object *obj, const struct json_object *old,
			       struct field_errors *errors)
{
	const struct json_object *list = json_path(obj, "spec", "ephemeralContainers", NULL);
	const struct json_object *old_list = json_path(old, "spec", "ephemeralContainers", NULL);
	struct field_path path;

	validate_spec(obj, errors);
	field_path_init(&path, "");
	if (is_mirror(old)) {
		field_error_forbidden(errors, &path, "static pods do not support ephemeral containers");
		return;
	}
	field_path_init(&path, "spec.ephemeralContainers");
	for (size_t i = 0; i < json_len(old_list); i++) {
		const char *name = json_str_or_empty(json_at(old_list, i), "name");
		const struct json_object *container = named(list, name);
		CLEANUP(mem_freep)
		char *text = mem_printf("existing ephemeral containers \"%s\" may not be %s\n", name,
					container ? "changed" : "removed");

		if (!container || !json_equal(container, json_at(old_list, i)))
			field_error_forbidden(errors, &path, text);
	}
}

/* --- resize --- */

static const char *const resized_lists[] = { "containers", "initContainers" };

static bool same_containers(const struct json_object *a, const struct json_object *b)
{
	if (json_len(a) != json_len(b))
		return false;
	for (size_t i = 0; i < json_len(a); i++)
		if (strcmp(json_str_or_empty(json_at(a, i), "name"),
			   json_str_or_empty(json_at(b, i), "name")) != 0)
			return false;
	return true;
}

/* Resources alone; where containers are others, the whole list, for validation to refuse. */
static void merge_resize(struct json_object *merged, const struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(merged, "spec");
	const struct json_object *sent = json_get(obj, "spec");

	for (size_t l = 0; l < ARRAY_SIZE(resized_lists); l++) {
		struct json_object *list = json_get(spec, resized_lists[l]),
				   *from = json_get(sent, resized_lists[l]);

		if (!same_containers(list, from)) {
			copy_member(spec, sent, resized_lists[l]);
			continue;
		}
		for (size_t i = 0; i < json_len(list); i++) {
			copy_member(json_at(list, i), json_at(from, i), "resources");
			copy_member(json_at(list, i), json_at(from, i), "resizePolicy");
		}
	}
	copy_member(spec, sent, "resources");
}

/* Puts CPU and memory back as they were: what differs then is more than they. */
static void put_back(struct json_object *container, const struct json_object *old)
{
	static const char *const kinds[] = { "requests", "limits" };
	static const char *const names[] = { "cpu", "memory" };
	struct json_object *resources = json_ensure_object(container, "resources");

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct json_object *amounts = json_ensure_object(resources, kinds[k]);

		for (size_t n = 0; n < ARRAY_SIZE(names); n++)
			copy_member(amounts, json_path(old, "resources", kinds[k], NULL), names[n]);
		if (json_object_object_length(amounts) == 0)
			json_object_object_del(resources, kinds[k]);
	}
}

static bool only_cpu_and_memory(const struct json_object *spec, const struct json_object *old)
{
	CLEANUP(json_putp) struct json_object *rest = json_clone(spec);

	for (size_t l = 0; l < ARRAY_SIZE(resized_lists); l++) {
		const struct json_object *list = json_get(rest, resized_lists[l]);

		for (size_t i = 0; i < json_len(list); i++)
			put_back(json_at(list, i), json_at(json_get(old, resized_lists[l]), i));
	}
	if (json_get(rest, "resources"))
		put_back(rest, old);
	return json_equal(rest, old);
}

/* Whether its node can: then its running containers say what they have. */
static bool node_supports_resize(const struct json_object *pod)
{
	const struct json_object *statuses = json_path(pod, "status", "containerStatuses", NULL);

	for (size_t i = 0; i < json_len(statuses); i++)
		if (json_path(json_at(statuses, i), "state", "running", NULL))
			return json_get(json_at(statuses, i), "resources") != NULL;
	return true;
}

static void validate_resize(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	const char *qos = pod_spec_qos_class(spec);
	struct field_path path;

	validate_spec(obj, errors);
	field_path_init(&path, "");
	if (is_mirror(old)) {
		field_error_forbidden(errors, &path, "static pods cannot be resized");
		return;
	}
	field_path_init(&path, "spec");
	if (strcmp(qos, json_str_or_empty(json_get(old, "status"), "qosClass")) != 0)
		field_error_invalid_str(errors, &path, qos,
					"Pod QOS Class may not change as a result of resizing");
	if (!node_supports_resize(old))
		field_error_forbidden(errors, &path, "Pod running on node without support for resize");
	for (size_t l = 0; l < ARRAY_SIZE(resized_lists); l++)
		if (!same_containers(json_get(spec, resized_lists[l]),
				     json_get(old_spec, resized_lists[l]))) {
			field_error_forbidden(errors, &path,
					      "containers may not be added, removed, renamed or reordered on "
					      "resize");
			return;
		}
	if (!only_cpu_and_memory(spec, old_spec))
		field_error_forbidden(errors, &path, "only cpu and memory resources are mutable");
}

const struct kind_part pod_parts[] = {
	{ "ephemeralcontainers", merge_ephemeral, validate_ephemeral, true },
	{ "resize", merge_resize, validate_resize, true },
	{ .name = NULL },
};
