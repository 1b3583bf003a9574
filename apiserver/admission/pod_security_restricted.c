/* The restricted standard: what a pod must do to be hardened, on top of the baseline. */
#include <string.h>

#include "apiserver/admission/pod_security_find.h"

static bool is_windows(const struct pod *pod)
{
	return pod->minor >= 25 &&
	       strcmp(json_str_or_empty(json_get(pod->spec, "os"), "name"), "windows") == 0;
}

static bool escalation_wrong(const struct json_object *container)
{
	return json_boolean(find_context(container), "allowPrivilegeEscalation", true);
}

static void check_escalation(const struct pod *pod, struct finding *finding)
{
	if (!is_windows(pod))
		find_containers(pod, escalation_wrong, "allowPrivilegeEscalation != false",
				"must set securityContext.allowPrivilegeEscalation=false", finding);
}

static bool drop_wrong(const struct json_object *container)
{
	const struct json_object *drop = json_path(find_context(container), "capabilities", "drop", NULL);

	for (size_t i = 0; i < json_len(drop); i++)
		if (strcmp(json_object_get_string(json_at(drop, i)), "ALL") == 0)
			return false;
	return true;
}

static void check_capabilities(const struct pod *pod, struct finding *finding)
{
	static const char *const allowed[] = { "NET_BIND_SERVICE", NULL };
	CLEANUP(capability_findings_close) struct capability_findings found = { .allowed = allowed };

	if (is_windows(pod))
		return;
	find_containers(pod, drop_wrong, "unrestricted capabilities",
			"must set securityContext.capabilities.drop=[\"ALL\"]", finding);
	find_capabilities(pod, &found);
	if (found.containers.n) {
		if (!finding->reason.len)
			buf_str(&finding->reason, "unrestricted capabilities");
		buf_printf(&finding->detail,
			   "%s%s %s must not include %s in securityContext.capabilities.add",
			   finding->detail.len ? "; " : "",
			   names_plural("container", "containers", found.containers.n),
			   found.containers.text.data, found.capabilities.text.data);
	}
}

static void check_volumes(const struct pod *pod, struct finding *finding)
{
	static const char *const allowed[] = { "configMap",
					       "csi",
					       "downwardAPI",
					       "emptyDir",
					       "ephemeral",
					       "image",
					       "persistentVolumeClaim",
					       "projected",
					       "secret",
					       "name",
					       NULL };
	const struct json_object *volumes = json_get(pod->spec, "volumes");
	CLEANUP(names_close) struct names names = { 0 }, types = { 0 };

	for (size_t i = 0; i < json_len(volumes); i++) {
		struct json_object *volume = json_at(volumes, i);
		json_object_object_foreach(volume, member, value)
		{
			if (!value || find_among(member, allowed))
				continue;
			names_add(&names, json_str_or_empty(volume, "name"));
			names_add(&types, member);
		}
	}
	if (names.n) {
		buf_str(&finding->reason, "restricted volume types");
		buf_printf(&finding->detail, "%s %s %s %s %s", names_plural("volume", "volumes", names.n),
			   names.text.data, names_plural("uses", "use", names.n),
			   names_plural("restricted volume type", "restricted volume types", types.n),
			   types.text.data);
	}
}

static bool non_root_false(const struct json_object *owner, void *arg)
{
	(void)arg;
	return !json_boolean(find_context(owner), "runAsNonRoot", true);
}

static bool non_root_unset(const struct json_object *container)
{
	return !json_get(find_context(container), "runAsNonRoot");
}

static void check_non_root(const struct pod *pod, struct finding *finding)
{
	CLEANUP(buf_close) struct buf who = BUF_INIT;
	struct selection unset = { .wrong = non_root_unset };

	if (find_setters(pod, non_root_false, NULL, &who)) {
		buf_printf(&finding->detail, "%s must not set securityContext.runAsNonRoot=false", who.data);
		buf_str(&finding->reason, "runAsNonRoot != true");
		return;
	}
	if (json_boolean(find_context(pod->spec), "runAsNonRoot", false))
		return;
	find_selection(pod, &unset);
	if (unset.names.n) {
		buf_str(&finding->reason, "runAsNonRoot != true");
		buf_printf(&finding->detail, "pod or %s %s must set securityContext.runAsNonRoot=true",
			   names_plural("container", "containers", unset.names.n), unset.names.text.data);
	}
	names_close(&unset.names);
}

static bool root_user(const struct json_object *owner, void *arg)
{
	(void)arg;
	return json_int(find_context(owner), "runAsUser", 1) == 0;
}

static void check_run_as_user(const struct pod *pod, struct finding *finding)
{
	CLEANUP(buf_close) struct buf who = BUF_INIT;

	if (!is_windows(pod) && find_setters(pod, root_user, NULL, &who)) {
		buf_str(&finding->reason, "runAsUser=0");
		buf_printf(&finding->detail, "%s must not set runAsUser=0", who.data);
	}
}

static bool seccomp_unset(const struct json_object *container)
{
	return !find_seccomp_type(container);
}

static void check_seccomp(const struct pod *pod, struct finding *finding)
{
	struct selection unset = { .wrong = seccomp_unset };

	if (is_windows(pod) || find_seccomp(pod, finding) || find_seccomp_type(pod->spec))
		return;
	find_selection(pod, &unset);
	if (unset.names.n) {
		buf_str(&finding->reason, "seccompProfile");
		buf_printf(
		    &finding->detail,
		    "pod or %s %s must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
		    "\"Localhost\"",
		    names_plural("container", "containers", unset.names.n), unset.names.text.data);
	}
	names_close(&unset.names);
}

const struct pod_security_check pod_security_restricted[] = {
	{ check_escalation, 8, 0 },
	{ check_capabilities, 22, 0 },
	{ check_volumes, 0, 0 },
	{ check_non_root, 0, 0 },
	{ check_run_as_user, 23, 0 },
	{ check_seccomp, 19, 0 },
	{ NULL, 0, 0 },
};
