/* What is allowed in a PodSpec and yet no good idea: texts for Warning headers. (pkg/api/pod/warnings.go) */
#include <string.h>

#include "api/kinds/pod_spec.h"
#include "lib/buf.h"
#include "lib/map.h"
#include "lib/quantity.h"

struct warner {
	const char *path; /* of the spec */
	warning_fn call;
	void *arg;
};

static void warn(const struct warner *w, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text behind the path of the spec and a dot. */
static void warn(const struct warner *w, const char *format, ...)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	va_list ap;

	buf_printf(&text, "%s.", w->path);
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
};

static const char *old_label(const char *label)
{
	for (size_t i = 0; i < ARRAY_SIZE(old_labels); i++)
		if (strcmp(old_labels[i].label, label) == 0)
			return old_labels[i].text;
	return NULL;
}

static void warn_placement(const struct warner *w, const struct json_object *spec)
{
	const struct json_object *constraints = json_get(spec, "topologySpreadConstraints");
	struct json_object *selector = json_get(spec, "nodeSelector");

	for (size_t i = 0; selector && i < ARRAY_SIZE(old_labels); i++)
		if (json_get(selector, old_labels[i].label))
			warn(w, "nodeSelector[%s]: %s", old_labels[i].label, old_labels[i].text);
	for (size_t i = 0; i < json_len(constraints); i++) {
		const char *key = json_str_or_empty(json_at(constraints, i), "topologyKey");

		if (old_label(key))
			warn(w, "topologySpreadConstraints[%zu].topologyKey: %s is %s", i, key,
			     old_label(key));
		if (!json_get(json_at(constraints, i), "labelSelector"))
			warn(w,
			     "topologySpreadConstraints[%zu].labelSelector: a null labelSelector results in "
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
				warn(w, "volumes[%zu].%s: %s", i, types[t].type, types[t].text);
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
			     "%s[%zu].env[%zu]: hides previous definition of \"%s\", which may be dropped "
			     "when using apply",
			     list, container, i, name);
	}
	map_close(&seen);
}

/* Half a byte. */
static void warn_resources(const struct warner *w, const char *list, size_t container,
			   const struct json_object *resources)
{
	static const char *const kinds[] = { "requests", "limits" };
	static const char *const names[] = { "memory", "ephemeral-storage" };

	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			const char *text = json_str(json_get(resources, kinds[k]), names[n]);
			struct quantity q;

			if (text && quantity_parse(text, &q) && q.nano % 1000000000 != 0)
				warn(w,
				     "%s[%zu].resources.%s[%s]: fractional byte value \"%s\" is invalid, "
				     "must be an integer",
				     list, container, kinds[k], names[n], text);
		}
}

void pod_spec_warn(const struct json_object *spec, const char *path, warning_fn call, void *arg)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
	const struct warner w = { path, call, arg };

	warn_placement(&w, spec);
	warn_volumes(&w, json_get(spec, "volumes"));
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);

		for (size_t i = 0; i < json_len(list); i++) {
			warn_env(&w, lists[l], i, json_get(json_at(list, i), "env"));
			warn_resources(&w, lists[l], i, json_get(json_at(list, i), "resources"));
		}
	}
}
