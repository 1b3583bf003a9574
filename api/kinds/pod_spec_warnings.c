/* What is allowed in a PodSpec and yet no good idea: texts for Warning headers. (pkg/api/pod/warnings.go) */
#include <inttypes.h>
#include <string.h>

#include "api/kinds/pod_spec.h"
#include "lib/buf.h"
#include "lib/map.h"
#include "lib/quantity.h"

struct warner {
	const char *path; /* of the pod or template; "" for a pod */
	warning_fn call;
	void *arg;
};

static void warn(const struct warner *w, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text behind the path of the pod, "spec." and the like. */
static void warn(const struct warner *w, const char *format, ...)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	va_list ap;

	buf_printf(&text, "%s%s", w->path, *w->path ? "." : "");
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	w->call(text.data, w->arg);
}

static const struct {
	const char *label, *text;
} old_labels[] = {
	{ "beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead" },
	{ "beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead" },
	{ "failure-domain.beta.kubernetes.io/region",
	  "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead" },
	{ "failure-domain.beta.kubernetes.io/zone",
	  "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead" },
	{ "beta.kubernetes.io/instance-type",
	  "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead" },
	{ "app.kubernetes.io/created-by", "deprecated since v1.9" },
	{ "scheduler.alpha.kubernetes.io/preferAvoidPods",
	  "deprecated since v1.22; use Taints and Tolerations instead" },
	{ "node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead" },
};

static const char *old_label(const char *label)
{
	for (size_t i = 0; i < ARRAY_SIZE(old_labels); i++)
		if (strcmp(old_labels[i].label, label) == 0)
			return old_labels[i].text;
	return NULL;
}

#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

static void warn_node_term(const struct warner *w, const struct json_object *term, const char *list, size_t n,
			   const char *below)
{
	const struct json_object *expressions = json_get(term, "matchExpressions");

	for (size_t i = 0; i < json_len(expressions); i++) {
		const char *key = json_str_or_empty(json_at(expressions, i), "key");

		if (old_label(key))
			warn(w, "spec.affinity.nodeAffinity.%s[%zu]%s.matchExpressions[%zu].key: %s is %s",
			     list, n, below, i, key, old_label(key));
	}
}

static void warn_placement(const struct warner *w, const struct json_object *spec)
{
	const struct json_object *nodes = json_path(spec, "affinity", "nodeAffinity", NULL);
	const struct json_object *terms = json_path(nodes, REQUIRED, "nodeSelectorTerms", NULL);
	const struct json_object *preferred = json_get(nodes, PREFERRED);
	const struct json_object *constraints = json_get(spec, "topologySpreadConstraints");
	struct json_object *selector = json_get(spec, "nodeSelector");

	for (size_t i = 0; selector && i < ARRAY_SIZE(old_labels); i++)
		if (json_get(selector, old_labels[i].label))
			warn(w, "spec.nodeSelector[%s]: %s", old_labels[i].label, old_labels[i].text);
	for (size_t i = 0; i < json_len(terms); i++)
		warn_node_term(w, json_at(terms, i), REQUIRED ".nodeSelectorTerms", i, "");
	for (size_t i = 0; i < json_len(preferred); i++)
		warn_node_term(w, json_get(json_at(preferred, i), "preference"), PREFERRED, i, ".preference");
	for (size_t i = 0; i < json_len(constraints); i++) {
		const char *key = json_str_or_empty(json_at(constraints, i), "topologyKey");

		if (old_label(key))
			warn(w, "spec.topologySpreadConstraints[%zu].topologyKey: %s is %s", i, key,
			     old_label(key));
		if (!json_get(json_at(constraints, i), "labelSelector"))
			warn(w,
			     "spec.topologySpreadConstraints[%zu].labelSelector: a null labelSelector "
			     "results in "
			     "matching no pod",
			     i);
	}
}

static void warn_volumes(const struct warner *w, const struct json_object *volumes)
{
	static const struct {
		const char *type, *text;
	} types[] = {
		{ "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+" },
		{ "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+" },
		{ "scaleIO", "deprecated in v1.16, non-functional in v1.22+" },
		{ "flocker", "deprecated in v1.22, non-functional in v1.25+" },
		{ "storageos", "deprecated in v1.22, non-functional in v1.25+" },
		{ "quobyte", "deprecated in v1.22, non-functional in v1.25+" },
		{ "glusterfs", "deprecated in v1.25, non-functional in v1.26+" },
		{ "cephfs", "deprecated in v1.28, non-functional in v1.31+" },
		{ "rbd", "deprecated in v1.28, non-functional in v1.31+" },
	};

	for (size_t i = 0; i < json_len(volumes); i++)
		for (size_t t = 0; t < ARRAY_SIZE(types); t++)
			if (json_get(json_at(volumes, i), types[t].type))
				warn(w, "spec.volumes[%zu].%s: %s", i, types[t].type, types[t].text);
}

/* A variable set twice is fine when the second builds on the first. */
static bool builds_on(const struct json_object *variable, const char *name)
{
	const char *value = json_str_or_empty(variable, "value");
	CLEANUP(mem_freep) char *reference = mem_printf("$(%s)", name);

	return !json_get(variable, "valueFrom") && strcmp(value, reference) != 0 && strstr(value, reference);
}

static void warn_env(const struct warner *w, const char *list, size_t container,
		     const struct json_object *env)
{
	struct map seen = MAP_INIT;

	for (size_t i = 0; json_len(env) > 1 && i < json_len(env); i++) {
		const char *name = json_str_or_empty(json_at(env, i), "name");

		if (!map_get(&seen, name))
			map_put(&seen, name, (void *)(uintptr_t)name);
		else if (!builds_on(json_at(env, i), name))
			warn(w,
			     "spec.%s[%zu].env[%zu]: hides previous definition of \"%s\", which may be "
			     "dropped "
			     "when using apply",
			     list, container, i, name);
	}
	map_close(&seen);
}

/* Resources that are counted in bytes. */
static const char *const bytes[] = { "memory", "ephemeral-storage" };

/* Half a byte: its text, or NULL. */
static const char *fraction(const struct json_object *amounts, const char *resource)
{
	const char *text = json_str(amounts, resource);
	struct quantity q;

	return text && quantity_parse(text, &q) && !quantity_is_whole(&q) ? text : NULL;
}

static void warn_overhead(const struct warner *w, const struct json_object *overhead)
{
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (fraction(overhead, bytes[i]))
			warn(w,
			     "spec.overhead[%s]: fractional byte value \"%s\" is invalid, must be an integer",
			     bytes[i], fraction(overhead, bytes[i]));
}

static void warn_resources(const struct warner *w, const char *list, size_t container,
			   const struct json_object *resources)
{
	static const char *const kinds[] = { "limits", "requests" };

	for (size_t n = 0; n < ARRAY_SIZE(bytes); n++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			const char *text = fraction(json_get(resources, kinds[k]), bytes[n]);

			if (text)
				warn(
				    w,
				    "spec.%s[%zu].resources.%s[%s]: fractional byte value \"%s\" is invalid, "
				    "must be an integer",
				    list, container, kinds[k], bytes[n], text);
		}
}

/* Items of spec.LIST whose KEY an earlier one has. */
static void warn_repeated(const struct warner *w, const struct json_object *spec, const char *list,
			  const char *key, const char *what)
{
	const struct json_object *items = json_get(spec, list);
	struct map seen = MAP_INIT;

	for (size_t i = 0; json_len(items) > 1 && i < json_len(items); i++) {
		const char *value = json_str_or_empty(json_at(items, i), key);

		if (map_get(&seen, value))
			warn(w, "spec.%s[%zu].%s: duplicate %s \"%s\"", list, i, key, what, value);
		else
			map_put(&seen, value, (void *)(uintptr_t)value);
	}
	map_close(&seen);
}

static void warn_pull_secrets(const struct warner *w, const struct json_object *secrets)
{
	for (size_t i = 0; i < json_len(secrets); i++)
		if (!*json_str_or_empty(json_at(secrets, i), "name"))
			warn(w, "spec.imagePullSecrets[%zu].name: invalid empty name \"\"", i);
}

/* --- annotations that have become fields --- */

static void warn_annotations(const struct warner *w, const struct json_object *annotations)
{
	static const struct {
		const char *key, *text;
	} old[] = {
		{ "scheduler.alpha.kubernetes.io/critical-pod",
		  "non-functional in v1.16+; use the \"priorityClassName\" field instead" },
		{ "security.alpha.kubernetes.io/sysctls",
		  "non-functional in v1.11+; use the \"sysctls\" field instead" },
		{ "security.alpha.kubernetes.io/unsafe-sysctls",
		  "non-functional in v1.11+; use the \"sysctls\" field instead" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (json_get(annotations, old[i].key))
			warn(w, "metadata.annotations[%s]: %s", old[i].key, old[i].text);
}

/* The annotation of PREFIX and a container's NAME, if it is there. */
static void warn_profile(const struct warner *w, const struct json_object *annotations, const char *prefix,
			 const char *name, const char *text)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s%s", prefix, name);

	if (json_get(annotations, key))
		warn(w, "metadata.annotations[%s]: %s", key, text);
}

static void warn_container_profiles(const struct warner *w, const struct json_object *annotations,
				    const struct json_object *pod_context,
				    const struct json_object *container)
{
	const struct json_object *context = json_get(container, "securityContext");
	const char *name = json_str_or_empty(container, "name");

	if (!json_get(context, "seccompProfile"))
		warn_profile(w, annotations, "container.seccomp.security.alpha.kubernetes.io/", name,
			     "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	if (!json_get(context, "appArmorProfile") && !json_get(pod_context, "appArmorProfile"))
		warn_profile(w, annotations, "container.apparmor.security.beta.kubernetes.io/", name,
			     "deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

/* --- ports --- */

struct port {
	const char *list;
	size_t container, i;
	const struct json_object *value;
};

/* How PORT gets in the way of OTHER, which has the same number and protocol; NULL: it does not. */
static const char *clash(const struct json_object *port, const struct json_object *other)
{
	const char *ip = json_str_or_empty(port, "hostIP"), *other_ip = json_str_or_empty(other, "hostIP");
	int64_t host = json_int(port, "hostPort", 0), other_host = json_int(other, "hostPort", 0);

	if (host == other_host && strcmp(ip, other_ip) == 0)
		return "duplicate";
	if (host == 0 || other_host == 0)
		return "overlapping";
	return host == other_host && !*ip != !*other_ip ? "dangerously ambiguous" : NULL;
}

static bool same_port(const struct json_object *a, const struct json_object *b)
{
	return json_int(a, "containerPort", 0) == json_int(b, "containerPort", 0) &&
	       strcmp(json_str_or_empty(a, "protocol"), json_str_or_empty(b, "protocol")) == 0;
}

/* A client chooses how many ports there are: no more than these are compared. */
#define PORTS_MAX 200

struct ports {
	size_t n;
	struct port items[PORTS_MAX];
};

static void warn_port(const struct warner *w, struct ports *ports, const struct port *port)
{
	const struct json_object *value = port->value;
	const char *ip = json_str_or_empty(value, "hostIP");

	if (*ip && json_int(value, "hostPort", 0) == 0)
		warn(w,
		     "spec.%s[%zu].ports[%zu]: hostIP set without hostPort: {Name:%s HostPort:0 "
		     "ContainerPort:%" PRId64 " Protocol:%s HostIP:%s}",
		     port->list, port->container, port->i, json_str_or_empty(value, "name"),
		     json_int(value, "containerPort", 0), json_str_or_empty(value, "protocol"), ip);
	for (size_t i = 0; i < ports->n; i++) {
		const struct port *other = &ports->items[i];
		const char *how = same_port(value, other->value) ? clash(value, other->value) : NULL;

		if (how)
			warn(w,
			     "spec.%s[%zu].ports[%zu]: %s port definition with %s%sspec.%s[%zu].ports[%zu]",
			     port->list, port->container, port->i, how, w->path, *w->path ? "." : "",
			     other->list, other->container, other->i);
	}
	if (ports->n < PORTS_MAX)
		ports->items[ports->n++] = *port;
}

/* --- the whole --- */

static void warn_pods_terms(const struct warner *w, const struct json_object *affinity, const char *which)
{
	const struct json_object *pods = json_get(affinity, which);
	const struct json_object *required = json_get(pods, REQUIRED), *preferred = json_get(pods, PREFERRED);

	for (size_t i = 0; i < json_len(required); i++)
		if (!json_get(json_at(required, i), "labelSelector"))
			warn(w,
			     "spec.affinity.%s." REQUIRED
			     "[%zu].labelSelector: a null labelSelector results in matching no pod",
			     which, i);
	for (size_t i = 0; i < json_len(preferred); i++)
		if (!json_path(json_at(preferred, i), "podAffinityTerm", "labelSelector", NULL))
			warn(w,
			     "spec.affinity.%s." PREFERRED "[%zu].podAffinityTerm.labelSelector: a null "
			     "labelSelector results in matching no pod",
			     which, i);
}

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static void warn_containers(const struct warner *w, const struct json_object *spec,
			    const struct json_object *annotations)
{
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);

		for (size_t i = 0; i < json_len(list); i++) {
			const struct json_object *container = json_at(list, i);

			if (annotations)
				warn_container_profiles(w, annotations, json_get(spec, "securityContext"),
							container);
			warn_resources(w, lists[l], i, json_get(container, "resources"));
			warn_env(w, lists[l], i, json_get(container, "env"));
		}
	}
}

static void warn_ports(const struct warner *w, const struct json_object *spec)
{
	struct ports seen = { .n = 0 };

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);

		for (size_t i = 0; i < json_len(list); i++) {
			const struct json_object *ports = json_get(json_at(list, i), "ports");

			for (size_t k = 0; k < json_len(ports) && k < PORTS_MAX; k++)
				warn_port(w, &seen, &(struct port){ lists[l], i, k, json_at(ports, k) });
		}
	}
}

void pod_spec_warn(const struct json_object *pod, const char *path, warning_fn call, void *arg)
{
	const struct json_object *spec = json_get(pod, "spec"), *affinity = json_get(spec, "affinity");
	const struct json_object *annotations = json_path(pod, "metadata", "annotations", NULL);
	const struct warner w = { path, call, arg };

	warn_placement(&w, spec);
	if (annotations)
		warn_annotations(&w, annotations);
	warn_volumes(&w, json_get(spec, "volumes"));
	warn_repeated(&w, spec, "hostAliases", "ip", "ip");
	warn_repeated(&w, spec, "imagePullSecrets", "name", "name");
	warn_pull_secrets(&w, json_get(spec, "imagePullSecrets"));
	warn_overhead(&w, json_get(spec, "overhead"));
	if (annotations && !json_path(spec, "securityContext", "seccompProfile", NULL))
		warn_profile(&w, annotations, "seccomp.security.alpha.kubernetes.io/pod", "",
			     "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	warn_containers(&w, spec, annotations);
	warn_ports(&w, spec);
	if (json_int(spec, "terminationGracePeriodSeconds", 0) < 0)
		warn(&w, "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
			 "will be treated as 1");
	if (affinity) {
		warn_pods_terms(&w, affinity, "podAffinity");
		warn_pods_terms(&w, affinity, "podAntiAffinity");
	}
}
