/* Defaults of a PodSpec. (k8s.io/kubernetes pkg/apis/core/v1 defaults) */
#include <string.h>

#include "api/kinds/defaults.h"
#include "api/kinds/pod_spec.h"

/* An image without tag, or tagged latest, may change behind its name: it is pulled each time. A digest never
 * does. */
static const char *pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/'), *last = slash ? slash + 1 : image;
	const char *tag = strchr(last, ':');

	if (strchr(image, '@'))
		return "IfNotPresent";
	return !tag || strcmp(tag + 1, "latest") == 0 ? "Always" : "IfNotPresent";
}

static void default_http_get(struct json_object *handler)
{
	struct json_object *http = json_get(handler, "httpGet");

	if (!http)
		return;
	default_str(http, "path", "/");
	default_str(http, "scheme", "HTTP");
}

static void default_int_nonzero(struct json_object *obj, const char *key, int64_t value)
{
	if (json_int(obj, key, 0) == 0)
		json_set_int(obj, key, value);
}

static void default_probe(struct json_object *container, const char *key)
{
	struct json_object *probe = json_get(container, key), *grpc = json_get(probe, "grpc");

	if (!probe)
		return;
	default_http_get(probe);
	if (grpc)
		default_empty_str(grpc, "service");
	default_int_nonzero(probe, "timeoutSeconds", 1);
	default_int_nonzero(probe, "periodSeconds", 10);
	default_int_nonzero(probe, "successThreshold", 1);
	default_int_nonzero(probe, "failureThreshold", 3);
}

static void default_field_ref(struct json_object *holder)
{
	struct json_object *ref = json_get(holder, "fieldRef");

	if (ref)
		default_str(ref, "apiVersion", "v1");
}

static void default_env(struct json_object *env)
{
	for (size_t i = 0; i < json_len(env); i++) {
		struct json_object *from = json_get(json_at(env, i), "valueFrom"), *file;

		if (!from)
			continue;
		default_field_ref(from);
		file = json_get(from, "fileKeyRef");
		if (file)
			default_bool(file, "optional", false);
	}
}

static void default_container(struct json_object *container)
{
	struct json_object *ports = json_get(container, "ports"),
			   *lifecycle = json_get(container, "lifecycle");

	json_ensure_object(container, "resources");
	default_str(container, "terminationMessagePath", "/dev/termination-log");
	default_str(container, "terminationMessagePolicy", "File");
	default_str(container, "imagePullPolicy", pull_policy(json_str_or_empty(container, "image")));
	for (size_t i = 0; i < json_len(ports); i++)
		default_str(json_at(ports, i), "protocol", "TCP");
	default_env(json_get(container, "env"));
	default_probe(container, "livenessProbe");
	default_probe(container, "readinessProbe");
	default_probe(container, "startupProbe");
	if (lifecycle) {
		default_http_get(json_get(lifecycle, "postStart"));
		default_http_get(json_get(lifecycle, "preStop"));
	}
}

static void default_downward_items(struct json_object *items)
{
	for (size_t i = 0; i < json_len(items); i++)
		default_field_ref(json_at(items, i));
}

static void default_projected(struct json_object *projected)
{
	struct json_object *sources = json_get(projected, "sources");

	default_int(projected, "defaultMode", 0644);
	for (size_t i = 0; i < json_len(sources); i++) {
		struct json_object *source = json_at(sources, i),
				   *token = json_get(source, "serviceAccountToken");

		if (token)
			default_int(token, "expirationSeconds", 3600);
		default_downward_items(json_path(source, "downwardAPI", "items", NULL));
	}
}

/* Defaults of volume types that are plain values: one row each. */
static const struct volume_default {
	const char *type, *key;
	const char *text; /* NULL: the number, or for BOOLEAN false */
	enum { TEXT, NUMBER, BOOLEAN } kind;
	int64_t number;
} volume_defaults[] = {
	{ "secret", "defaultMode", NULL, NUMBER, 0644 },
	{ "configMap", "defaultMode", NULL, NUMBER, 0644 },
	{ "downwardAPI", "defaultMode", NULL, NUMBER, 0644 },
	{ "iscsi", "iscsiInterface", "default", TEXT, 0 },
	{ "rbd", "pool", "rbd", TEXT, 0 },
	{ "rbd", "user", "admin", TEXT, 0 },
	{ "rbd", "keyring", "/etc/ceph/keyring", TEXT, 0 },
	{ "azureDisk", "cachingMode", "ReadWrite", TEXT, 0 },
	{ "azureDisk", "kind", "Shared", TEXT, 0 },
	{ "azureDisk", "fsType", "ext4", TEXT, 0 },
	{ "azureDisk", "readOnly", NULL, BOOLEAN, 0 },
	{ "scaleIO", "storageMode", "ThinProvisioned", TEXT, 0 },
	{ "scaleIO", "fsType", "xfs", TEXT, 0 },
};

static void default_volume_member(struct json_object *source, const struct volume_default *d)
{
	if (d->kind == TEXT)
		default_str(source, d->key, d->text);
	else if (d->kind == NUMBER)
		default_int(source, d->key, d->number);
	else
		default_bool(source, d->key, false);
}

void pod_spec_default_sources(struct json_object *volume)
{
	struct json_object *host_path = json_get(volume, "hostPath");

	json_object_object_foreach(volume, type, source)
	{
		for (size_t i = 0; i < ARRAY_SIZE(volume_defaults); i++)
			if (strcmp(volume_defaults[i].type, type) == 0)
				default_volume_member(source, &volume_defaults[i]);
	}
	if (host_path)
		default_empty_str(host_path, "type");
}

static void default_volume(struct json_object *volume)
{
	struct json_object *image = json_get(volume, "image");
	struct json_object *claim = json_path(volume, "ephemeral", "volumeClaimTemplate", NULL);

	/* Only a name: an emptyDir. */
	if (json_object_object_length(volume) == (json_get(volume, "name") ? 1 : 0))
		json_ensure_object(volume, "emptyDir");
	pod_spec_default_sources(volume);
	default_downward_items(json_path(volume, "downwardAPI", "items", NULL));
	if (json_get(volume, "projected"))
		default_projected(json_get(volume, "projected"));
	if (default_has_str(image, "reference"))
		default_str(image, "pullPolicy", pull_policy(json_str(image, "reference")));
	if (claim)
		default_str(json_ensure_object(claim, "spec"), "volumeMode", "Filesystem");
}

static void default_each(struct json_object *list, void (*fn)(struct json_object *))
{
	for (size_t i = 0; i < json_len(list); i++)
		fn(json_at(list, i));
}

void default_pod_spec(struct json_object *spec)
{
	default_each(json_get(spec, "volumes"), default_volume);
	default_each(json_get(spec, "initContainers"), default_container);
	default_each(json_get(spec, "containers"), default_container);
	default_each(json_get(spec, "ephemeralContainers"), default_container);
	default_str(spec, "restartPolicy", "Always");
	default_int(spec, "terminationGracePeriodSeconds", 30);
	default_str(spec, "dnsPolicy", "ClusterFirst");
	json_ensure_object(spec, "securityContext");
	default_str(spec, "schedulerName", "default-scheduler");
	/* The deprecated name of the field is kept in step with the new one. */
	if (default_has_str(spec, "serviceAccountName"))
		json_set_str(spec, "serviceAccount", json_str(spec, "serviceAccountName"));
	else if (default_has_str(spec, "serviceAccount"))
		json_set_str(spec, "serviceAccountName", json_str(spec, "serviceAccount"));
}

static void default_requests(struct json_object *container)
{
	struct json_object *resources = json_get(container, "resources"),
			   *limits = json_get(resources, "limits");

	if (!limits || json_object_object_length(limits) == 0)
		return;
	struct json_object *requests = json_ensure_object(resources, "requests");
	json_object_object_foreach(limits, key, value)
	{
		if (!json_get(requests, key))
			json_set(requests, key, json_clone(value));
	}
}

static void default_host_ports(struct json_object *container)
{
	struct json_object *ports = json_get(container, "ports");

	for (size_t i = 0; i < json_len(ports); i++)
		default_int_nonzero(json_at(ports, i), "hostPort",
				    json_int(json_at(ports, i), "containerPort", 0));
}

void pod_spec_default_of_pod(struct json_object *spec)
{
	default_each(json_get(spec, "containers"), default_requests);
	default_each(json_get(spec, "initContainers"), default_requests);
	if (json_boolean(spec, "hostNetwork", false)) {
		default_each(json_get(spec, "containers"), default_host_ports);
		default_each(json_get(spec, "initContainers"), default_host_ports);
	}
	default_bool(spec, "enableServiceLinks", true);
}
