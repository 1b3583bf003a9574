/* Where containers mount volumes. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

bool pod_spec_has_backsteps(const char *path)
{
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && strncmp(p, "..", 2) == 0)
			return true;
		p += len + (p[len] == '/');
	}
	return false;
}

void pod_spec_validate_local_path(const char *value, const char *key, bool may_be_dotted,
				  struct field_path *path, struct field_errors *errors)
{
	if (value[0] == '/')
		fault_str(errors, path, key, value, "must be a relative path");
	if (pod_spec_has_backsteps(value))
		fault_str(errors, path, key, value, "must not contain '..'");
	else if (!may_be_dotted && strncmp(value, "..", 2) == 0)
		fault_str(errors, path, key, value, "must not start with '..'");
}

/* The values of member KEY in LIST as a set, to be closed. */
static struct map set_of(const struct json_object *list, const char *key)
{
	struct map set = MAP_INIT;

	for (size_t i = 0; i < json_len(list); i++)
		map_put(&set, json_str_or_empty(json_at(list, i), key), json_at(list, i));
	return set;
}

/* Puts NAME into SET; true when it was there. OWNER: anything but NULL. */
static bool seen(struct map *set, const char *name, struct json_object *owner)
{
	return map_put(set, name, owner) != NULL;
}

static void validate_propagation(const struct json_object *mount, const struct json_object *container,
				 struct field_path *path, struct field_errors *errors)
{
	static const char *const modes[] = { "Bidirectional", "HostToContainer", "None", NULL };
	static const char *const read_only_modes[] = { "Disabled", "Enabled", "IfPossible", NULL };
	const char *mode = json_str_or_empty(mount, "mountPropagation");
	const char *recursive = json_str_or_empty(mount, "recursiveReadOnly");

	validate_enum(mount, "mountPropagation", modes, false, path, errors);
	if (strcmp(mode, "Bidirectional") == 0 &&
	    !json_boolean(json_get(container, "securityContext"), "privileged", false))
		fault_forbidden(errors, path, "mountPropagation",
				"Bidirectional mount propagation is available only to privileged containers");
	validate_enum(mount, "recursiveReadOnly", read_only_modes, false, path, errors);
	if (strcmp(recursive, "Enabled") != 0 && strcmp(recursive, "IfPossible") != 0)
		return;
	if (!json_boolean(mount, "readOnly", false))
		fault_forbidden(errors, path, "recursiveReadOnly",
				"may only be specified when readOnly is true");
	if (*mode && strcmp(mode, "None") != 0)
		fault_forbidden(errors, path, "recursiveReadOnly",
				"may only be specified when mountPropagation is None or not specified");
}

static void validate_sub_path(const struct json_object *mount, size_t list_mark, enum container_role role,
			      struct field_path *path, struct field_errors *errors)
{
	static const char *const keys[] = { "subPath", "subPathExpr" };
	const char *sub_path = json_str_or_empty(mount, "subPath"),
		   *expr = json_str_or_empty(mount, "subPathExpr");
	struct field_path list_path = *path;

	if (*sub_path && *expr)
		fault_str(errors, path, "subPathExpr", expr,
			  "subPathExpr and subPath are mutually exclusive");
	/* Kubernetes leaves the index out of these two paths. */
	field_pop(&list_path, list_mark);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_str_or_empty(mount, keys[i]);

		if (!*value)
			continue;
		pod_spec_validate_local_path(value, keys[i], true, &list_path, errors);
		if (role == CONTAINER_EPHEMERAL)
			fault_forbidden(errors, path, keys[i], "cannot be set for an Ephemeral Container");
	}
}

static void validate_mount(const struct json_object *mount, const struct map *volumes,
			   const struct map *device_names, const struct map *device_paths,
			   struct field_path *path, struct field_errors *errors)
{
	const char *name = json_str_or_empty(mount, "name"),
		   *mount_path = json_str_or_empty(mount, "mountPath");

	if (!*name)
		fault_required(errors, path, "name", "");
	if (!map_get(volumes, name))
		fault_not_found(errors, path, "name", name);
	if (!*mount_path)
		fault_required(errors, path, "mountPath", "");
	if (*name && map_get(device_names, name))
		fault_str(errors, path, "name", name, "must not already exist in volumeDevices");
	if (*mount_path && map_get(device_paths, mount_path))
		fault_str(errors, path, "mountPath", mount_path,
			  "must not already exist as a path in volumeDevices");
}

static void validate_devices(const struct json_object *devices, const struct map *volumes,
			     struct field_path *path, struct field_errors *errors)
{
	CLEANUP(map_close) struct map names = MAP_INIT, paths = MAP_INIT;
	size_t mark = field_push(path, "volumeDevices");

	for (size_t i = 0; i < json_len(devices); i++) {
		struct json_object *device = json_at(devices, i);
		const char *name = json_str_or_empty(device, "name"),
			   *at = json_str_or_empty(device, "devicePath");
		size_t item = field_push_index(path, i);

		if (!*name)
			fault_required(errors, path, "name", "");
		if (!*at)
			fault_required(errors, path, "devicePath", "");
		if (*at && seen(&paths, at, device))
			fault_str(errors, path, "devicePath", at, "must be unique");
		if (*name && seen(&names, name, device))
			fault_str(errors, path, "name", name, "must be unique");
		if (*name && !map_get(volumes, name))
			fault_not_found(errors, path, "name", name);
		if (pod_spec_has_backsteps(at))
			fault_str(errors, path, "devicePath", at, "must not contain '..'");
		field_pop(path, item);
	}
	field_pop(path, mark);
}

void pod_spec_validate_mounts(const struct json_object *container, const struct map *volumes,
			      enum container_role role, struct field_path *path, struct field_errors *errors)
{
	const struct json_object *mounts = json_get(container, "volumeMounts");
	const struct json_object *devices = json_get(container, "volumeDevices");
	CLEANUP(map_close) struct map device_names = set_of(devices, "name");
	CLEANUP(map_close) struct map device_paths = set_of(devices, "devicePath");
	CLEANUP(map_close) struct map mount_paths = MAP_INIT;
	size_t mark = field_push(path, "volumeMounts"), list_mark = path->len;

	for (size_t i = 0; i < json_len(mounts); i++) {
		struct json_object *mount = json_at(mounts, i);
		const char *mount_path = json_str_or_empty(mount, "mountPath");
		size_t item = field_push_index(path, i);

		validate_mount(mount, volumes, &device_names, &device_paths, path, errors);
		if (*mount_path && seen(&mount_paths, mount_path, mount))
			fault_str(errors, path, "mountPath", mount_path, "must be unique");
		validate_sub_path(mount, list_mark, role, path, errors);
		validate_propagation(mount, container, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
	validate_devices(devices, volumes, path, errors);
}
