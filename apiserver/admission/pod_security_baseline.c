/* The baseline standard: what is known to lead out of a container. */
#include <limits.h>
#include <string.h>

#include "apiserver/admission/pod_security_find.h"

static const char *app_armor_type(const struct json_object *owner)
{
	return json_str_or_empty(json_get(find_context(owner), "appArmorProfile"), "type");
}

static bool app_armor_wrong(const struct json_object *owner)
{
	return strcmp(app_armor_type(owner), "Unconfined") == 0;
}

static void add_detail(struct buf *detail, const char *text)
{
	buf_printf(detail, "%s%s", detail->len ? ", " : "", text);
}

static void check_app_armor(const struct pod *pod, struct finding *finding)
{
#define APP_ARMOR_ANNOTATION "container.apparmor.security.beta.kubernetes.io/"
	struct json_object *annotations = json_get(pod->metadata, "annotations");
	struct selection selection = { .wrong = app_armor_wrong };
	size_t n = 0;

	if (app_armor_wrong(pod->spec)) {
		add_detail(&finding->detail, "pod must not set AppArmor profile type to \"Unconfined\"");
		n++;
	}
	find_selection(pod, &selection);
	if (selection.names.n) {
		CLEANUP(mem_freep)
		char *text = mem_printf("%s %s must not set AppArmor profile type to \"Unconfined\"",
					names_plural("container", "containers", selection.names.n),
					selection.names.text.data);
		add_detail(&finding->detail, text);
		n++;
	}
	names_close(&selection.names);
	if (annotations) {
		json_object_object_foreach(annotations, key, value)
		{
			const char *profile = json_str_or_empty(annotations, key);
			(void)value;
			if (strncmp(key, APP_ARMOR_ANNOTATION, strlen(APP_ARMOR_ANNOTATION)) != 0 ||
			    !*profile || strcmp(profile, "runtime/default") == 0 ||
			    strncmp(profile, "localhost/", 10) == 0)
				continue;
			CLEANUP(mem_freep) char *text = mem_printf("%s=\"%s\"", key, profile);
			add_detail(&finding->detail, text);
			n++;
		}
	}
	if (n)
		buf_str(&finding->reason,
			names_plural("forbidden AppArmor profile", "forbidden AppArmor profiles", n));
}

static const char *const default_capabilities[] = {
	"AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",       "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT", NULL
};

static void check_capabilities(const struct pod *pod, struct finding *finding)
{
	CLEANUP(capability_findings_close)
	struct capability_findings found = { .allowed = default_capabilities };

	find_capabilities(pod, &found);
	if (found.containers.n) {
		buf_str(&finding->reason, "non-default capabilities");
		buf_printf(&finding->detail, "%s %s must not include %s in securityContext.capabilities.add",
			   names_plural("container", "containers", found.containers.n),
			   found.containers.text.data, found.capabilities.text.data);
	}
}

static void check_host_namespaces(const struct pod *pod, struct finding *finding)
{
	static const char *const namespaces[] = { "hostNetwork", "hostPID", "hostIPC" };

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (json_boolean(pod->spec, namespaces[i], false))
			buf_printf(&finding->detail, "%s%s=true", finding->detail.len ? ", " : "",
				   namespaces[i]);
	if (finding->detail.len)
		buf_str(&finding->reason, "host namespaces");
}

static void check_host_path(const struct pod *pod, struct finding *finding)
{
	const struct json_object *volumes = json_get(pod->spec, "volumes");
	CLEANUP(names_close) struct names names = { 0 };

	for (size_t i = 0; i < json_len(volumes); i++)
		if (json_get(json_at(volumes, i), "hostPath"))
			names_add(&names, json_str_or_empty(json_at(volumes, i), "name"));
	if (names.n) {
		buf_str(&finding->reason, "hostPath volumes");
		buf_printf(&finding->detail, "%s %s", names_plural("volume", "volumes", names.n),
			   names.text.data);
	}
}

/* Containers and the values they should not use. */
struct use_findings {
	struct names containers;
	struct buf values;
	size_t n;
};

static void use_add(struct use_findings *found, const struct json_object *container, const char *value)
{
	names_add(&found->containers, json_str_or_empty(container, "name"));
	buf_printf(&found->values, "%s%s", found->n++ ? ", " : "", value);
}

static void use_report(struct use_findings *found, const char *reason, const char *one, const char *many,
		       struct finding *finding)
{
	if (found->n) {
		buf_str(&finding->reason, reason);
		buf_printf(&finding->detail, "%s %s %s %s %s",
			   names_plural("container", "containers", found->containers.n),
			   found->containers.text.data, names_plural("uses", "use", found->containers.n),
			   names_plural(one, many, found->n), found->values.data);
	}
	names_close(&found->containers);
	buf_close(&found->values);
}

static void select_host_ports(const struct json_object *container, void *arg)
{
	const struct json_object *ports = json_get(container, "ports");

	for (size_t i = 0; i < json_len(ports); i++) {
		int64_t port = json_int(json_at(ports, i), "hostPort", 0);
		CLEANUP(mem_freep) char *text = mem_printf("%lld", (long long)port);
		if (port)
			use_add(arg, container, text);
	}
}

static void check_host_ports(const struct pod *pod, struct finding *finding)
{
	struct use_findings found = { 0 };

	find_each_container(pod, select_host_ports, &found);
	use_report(&found, "hostPort", "hostPort", "hostPorts", finding);
}

static void add_hosts(struct use_findings *found, const struct json_object *container,
		      const struct json_object *handler)
{
	static const char *const actions[] = { "httpGet", "tcpSocket" };

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const char *host = json_str_or_empty(json_get(handler, actions[i]), "host");
		if (*host) {
			CLEANUP(mem_freep) char *quoted = mem_printf("\"%s\"", host);
			use_add(found, container, quoted);
		}
	}
}

static void select_probe_hosts(const struct json_object *container, void *arg)
{
	static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };
	static const char *const hooks[] = { "postStart", "preStop" };

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		add_hosts(arg, container, json_get(container, probes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		add_hosts(arg, container, json_path(container, "lifecycle", hooks[i], NULL));
}

static void check_probe_hosts(const struct pod *pod, struct finding *finding)
{
	struct use_findings found = { 0 };

	find_each_container(pod, select_probe_hosts, &found);
	use_report(&found, "probe or lifecycle host", "probe or lifecycle host", "probe or lifecycle hosts",
		   finding);
}

static bool privileged_wrong(const struct json_object *container)
{
	return json_boolean(find_context(container), "privileged", false);
}

static void check_privileged(const struct pod *pod, struct finding *finding)
{
	find_containers(pod, privileged_wrong, "privileged", "must not set securityContext.privileged=true",
			finding);
}

static bool proc_mount_wrong(const struct json_object *container)
{
	const char *mount = json_str(find_context(container), "procMount");

	return mount && strcmp(mount, "Default") != 0;
}

static void check_proc_mount(const struct pod *pod, struct finding *finding)
{
	find_containers(pod, proc_mount_wrong, "procMount",
			"must not set securityContext.procMount to \"Unmasked\"", finding);
}

struct selinux_findings {
	struct names types;
	bool user, role;
	unsigned minor;
};

static bool selinux_wrong(const struct json_object *owner, void *arg)
{
	static const char *const types[] = { "", "container_t", "container_init_t", "container_kvm_t", NULL };
	const struct json_object *options = json_get(find_context(owner), "seLinuxOptions");
	struct selinux_findings *found = arg;
	const char *type = json_str_or_empty(options, "type");
	bool user = *json_str_or_empty(options, "user"), role = *json_str_or_empty(options, "role");
	bool bad_type =
	    !find_among(type, types) && !(found->minor >= 31 && strcmp(type, "container_engine_t") == 0);

	if (bad_type)
		names_add(&found->types, type);
	found->user |= user;
	found->role |= role;
	return bad_type || user || role;
}

static void check_selinux(const struct pod *pod, struct finding *finding)
{
	struct selinux_findings found = { .minor = pod->minor };
	CLEANUP(buf_close) struct buf who = BUF_INIT;

	if (find_setters(pod, selinux_wrong, &found, &who)) {
		CLEANUP(buf_close) struct buf what = BUF_INIT;
		if (found.types.n)
			buf_printf(&what, "%s %s", names_plural("type", "types", found.types.n),
				   found.types.text.data);
		if (found.user)
			add_detail(&what, "user may not be set");
		if (found.role)
			add_detail(&what, "role may not be set");
		buf_str(&finding->reason, "seLinuxOptions");
		buf_printf(&finding->detail, "%s set forbidden securityContext.seLinuxOptions: %s", who.data,
			   what.data);
	}
	names_close(&found.types);
}

static void check_seccomp(const struct pod *pod, struct finding *finding)
{
	find_seccomp(pod, finding);
}

static void check_sysctls(const struct pod *pod, struct finding *finding)
{
	static const struct {
		const char *name;
		unsigned since;
	} allowed[] = {
		{ "kernel.shm_rmid_forced", 0 },
		{ "net.ipv4.ip_local_port_range", 0 },
		{ "net.ipv4.tcp_syncookies", 0 },
		{ "net.ipv4.ping_group_range", 0 },
		{ "net.ipv4.ip_unprivileged_port_start", 0 },
		{ "net.ipv4.ip_local_reserved_ports", 27 },
		{ "net.ipv4.tcp_keepalive_time", 29 },
		{ "net.ipv4.tcp_fin_timeout", 29 },
		{ "net.ipv4.tcp_keepalive_intvl", 29 },
		{ "net.ipv4.tcp_keepalive_probes", 29 },
		{ "net.ipv4.tcp_rmem", 32 },
		{ "net.ipv4.tcp_wmem", 32 },
	};
	const struct json_object *sysctls = json_get(find_context(pod->spec), "sysctls");

	for (size_t i = 0; i < json_len(sysctls); i++) {
		const char *name = json_str_or_empty(json_at(sysctls, i), "name");
		bool fine = false;
		for (size_t k = 0; k < ARRAY_SIZE(allowed); k++)
			fine |= pod->minor >= allowed[k].since && strcmp(allowed[k].name, name) == 0;
		if (!fine)
			add_detail(&finding->detail, name);
	}
	if (finding->detail.len)
		buf_str(&finding->reason, "forbidden sysctls");
}

static bool host_process_wrong(const struct json_object *owner, void *arg)
{
	(void)arg;
	return json_boolean(json_get(find_context(owner), "windowsOptions"), "hostProcess", false);
}

static void check_host_process(const struct pod *pod, struct finding *finding)
{
	CLEANUP(buf_close) struct buf who = BUF_INIT;

	if (find_setters(pod, host_process_wrong, NULL, &who)) {
		buf_str(&finding->reason, "hostProcess");
		buf_printf(&finding->detail,
			   "%s must not set securityContext.windowsOptions.hostProcess=true", who.data);
	}
}

const struct pod_security_check pod_security_baseline[] = {
	{ check_app_armor, 0, UINT_MAX },
	{ check_capabilities, 0, 22 },
	{ check_host_namespaces, 0, UINT_MAX },
	{ check_host_path, 0, 0 },
	{ check_host_ports, 0, UINT_MAX },
	{ check_probe_hosts, 34, UINT_MAX },
	{ check_privileged, 0, UINT_MAX },
	{ check_proc_mount, 0, UINT_MAX },
	{ check_selinux, 0, UINT_MAX },
	{ check_seccomp, 0, 19 },
	{ check_sysctls, 0, UINT_MAX },
	{ check_host_process, 0, UINT_MAX },
	{ NULL, 0, 0 },
};
