/* Security contexts of pods and containers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

#define ID_MAX 2147483647

static void validate_id(const struct json_object *context, const char *key, struct field_path *path,
			struct field_errors *errors)
{
	int64_t id = json_int(context, key, 0);

	if (id < 0 || id > ID_MAX)
		fault_int(errors, path, key, id, "must be between 0 and 2147483647, inclusive");
}

/* seccompProfile and appArmorProfile are alike. NAME: as messages call it. */
static void validate_profile(const struct json_object *context, const char *key, const char *name,
			     struct field_path *path, struct field_errors *errors)
{
	static const char *const types[] = { "Localhost", "RuntimeDefault", "Unconfined", NULL };
	const struct json_object *profile = json_get(context, key);
	const char *type = json_str_or_empty(profile, "type"), *local = json_str(profile, "localhostProfile");
	char text[96];

	if (!profile)
		return;
	size_t mark = field_push(path, key);
	if (!*type) {
		snprintf(text, sizeof(text), "type is required when %s is set", key);
		fault_required(errors, path, "type", text);
	} else {
		validate_enum(profile, "type", types, true, path, errors);
	}
	if (strcmp(type, "Localhost") == 0) {
		snprintf(text, sizeof(text), "must be set when %s type is Localhost", name);
		if (!local || !*local)
			fault_required(errors, path, "localhostProfile", text);
		else
			pod_spec_validate_local_path(local, "localhostProfile", true, path, errors);
	} else if (local) {
		snprintf(text, sizeof(text), "can only be set when %s type is Localhost", name);
		fault_str(errors, path, "localhostProfile", local, text);
	}
	field_pop(path, mark);
}

/* ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$ */
static bool sysctl_name_valid(const char *name)
{
	size_t len = strlen(name), start = 0;

	if (len > 253)
		return false;
	for (size_t i = 0; i <= len; i++) {
		char c = name[i];

		if (c == '.' || c == '/' || c == '\0') {
			if (i == start || strchr("-_", name[start]) || strchr("-_", name[i - 1]))
				return false;
			start = i + 1;
		} else if (!islower((unsigned char)c) && !isdigit((unsigned char)c) && c != '-' && c != '_') {
			return false;
		}
	}
	return true;
}

/* A sysctl of a namespace that the pod shares with the host would change the host. */
static const char *host_namespace_of(const char *name, const struct json_object *spec)
{
	static const char *const of_ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };

	if (json_boolean(spec, "hostNetwork", false) && strncmp(name, "net.", 4) == 0)
		return "may not be specified when 'hostNetwork' is true";
	for (size_t i = 0; i < ARRAY_SIZE(of_ipc) && json_boolean(spec, "hostIPC", false); i++)
		if (strncmp(name, of_ipc[i], strlen(of_ipc[i])) == 0)
			return "may not be specified when 'hostIPC' is true";
	return NULL;
}

static void validate_sysctls(const struct json_object *sysctls, const struct json_object *spec,
			     struct field_path *path, struct field_errors *errors)
{
	size_t mark = field_push(path, "sysctls");
	bool fits = fault_list_fits(errors, path, sysctls);

	for (size_t i = 0; fits && i < json_len(sysctls); i++) {
		const char *name = json_str_or_empty(json_at(sysctls, i), "name");
		const char *shared = host_namespace_of(name, spec);
		size_t item = field_push_index(path, i);

		if (!*name)
			fault_required(errors, path, "name", "");
		else if (!sysctl_name_valid(name))
			fault_str(errors, path, "name", name,
				  "must have at most 253 characters and match regex "
				  "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
		else if (shared)
			fault_str(errors, path, "name", name, shared);
		for (size_t j = 0; *name && j < i; j++) {
			if (strcmp(json_str_or_empty(json_at(sysctls, j), "name"), name) != 0)
				continue;
			fault_duplicate(errors, path, "name", name);
			break;
		}
		field_pop(path, item);
	}
	field_pop(path, mark);
}

void pod_spec_validate_pod_security(const struct json_object *context, const struct json_object *spec,
				    struct field_path *path, struct field_errors *errors)
{
	static const char *const group_policies[] = { "Always", "OnRootMismatch", NULL };
	static const char *const supplemental_policies[] = { "Merge", "Strict", NULL };
	static const char *const selinux_policies[] = { "MountOption", "Recursive", NULL };
	const struct json_object *groups = json_get(context, "supplementalGroups");

	validate_id(context, "fsGroup", path, errors);
	validate_id(context, "runAsUser", path, errors);
	validate_id(context, "runAsGroup", path, errors);
	size_t mark = field_push(path, "supplementalGroups");
	for (size_t i = 0; i < json_len(groups); i++) {
		int64_t id = json_object_get_int64(json_at(groups, i));
		size_t item = field_push_index(path, i);

		if (id < 0 || id > ID_MAX)
			field_error_invalid_int(errors, path, id,
						"must be between 0 and 2147483647, inclusive");
		field_pop(path, item);
	}
	field_pop(path, mark);
	if (json_boolean(spec, "shareProcessNamespace", false) && json_boolean(spec, "hostPID", false))
		fault_json(errors, path, "shareProcessNamespace", json_get(spec, "shareProcessNamespace"),
			   "ShareProcessNamespace and HostPID cannot both be enabled");
	validate_sysctls(json_get(context, "sysctls"), spec, path, errors);
	validate_enum(context, "fsGroupChangePolicy", group_policies, false, path, errors);
	validate_enum(context, "supplementalGroupsPolicy", supplemental_policies, false, path, errors);
	validate_enum(context, "seLinuxChangePolicy", selinux_policies, false, path, errors);
	validate_profile(context, "seccompProfile", "seccomp", path, errors);
	validate_profile(context, "appArmorProfile", "AppArmor", path, errors);
}

/* The value with its members named as in Go: the first letter large. */
static struct json_object *go_view(struct json_object *value)
{
	struct json_object *view;

	if (!json_object_is_type(value, json_type_object))
		return json_clone(value);
	view = json_object_new_object();
	json_object_object_foreach(value, key, member)
	{
		CLEANUP(mem_freep) char *name = mem_dup(key);

		name[0] = (char)toupper((unsigned char)name[0]);
		json_object_object_add(view, name, go_view(member));
	}
	return view;
}

/* Kubernetes shows the whole security context in this error, as Go prints it. */
static void add_contradiction(const struct json_object *context, const char *detail, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const members[][2] = {
		{ "capabilities", "Capabilities" },
		{ "privileged", "Privileged" },
		{ "seLinuxOptions", "SELinuxOptions" },
		{ "windowsOptions", "WindowsOptions" },
		{ "runAsUser", "RunAsUser" },
		{ "runAsGroup", "RunAsGroup" },
		{ "runAsNonRoot", "RunAsNonRoot" },
		{ "readOnlyRootFilesystem", "ReadOnlyRootFilesystem" },
		{ "allowPrivilegeEscalation", "AllowPrivilegeEscalation" },
		{ "procMount", "ProcMount" },
		{ "seccompProfile", "SeccompProfile" },
		{ "appArmorProfile", "AppArmorProfile" },
	};
	CLEANUP(json_putp) struct json_object *shown = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(shown, members[i][1], go_view(json_get(context, members[i][0])));
	field_error_add(errors, FIELD_INVALID, path, shown, "%s", detail);
}

static void validate_escalation(const struct json_object *context, struct field_path *path,
				struct field_errors *errors)
{
	const struct json_object *added = json_path(context, "capabilities", "add", NULL);

	if (json_boolean(context, "allowPrivilegeEscalation", true))
		return;
	if (json_boolean(context, "privileged", false))
		add_contradiction(context,
				  "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
				  path, errors);
	for (size_t i = 0; i < json_len(added); i++)
		if (strcmp(json_object_get_string(json_at(added, i)), "CAP_SYS_ADMIN") == 0)
			add_contradiction(
			    context,
			    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
			    "CAP_SYS_ADMIN",
			    path, errors);
}

void pod_spec_validate_container_security(const struct json_object *context, bool host_users,
					  struct field_path *path, struct field_errors *errors)
{
	static const char *const proc_mounts[] = { "Default", "Unmasked", NULL };

	if (!context)
		return;
	validate_id(context, "runAsUser", path, errors);
	validate_id(context, "runAsGroup", path, errors);
	validate_enum(context, "procMount", proc_mounts, false, path, errors);
	if (host_users && strcmp(json_str_or_empty(context, "procMount"), "Unmasked") == 0)
		fault_str(errors, path, "procMount", "Unmasked",
			  "`hostUsers` must be false to use `Unmasked`");
	validate_escalation(context, path, errors);
	validate_profile(context, "seccompProfile", "seccomp", path, errors);
	validate_profile(context, "appArmorProfile", "AppArmor", path, errors);
}
