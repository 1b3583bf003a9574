#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_template.h"

static const char *yes_no(const struct json_object *obj, const char *key)
{
	return json_boolean(obj, key, false) ? "true" : "false";
}

static void config_map(struct buf *b, const struct json_object *v)
{
	buf_printf(
	    b, "    Type:\tConfigMap (a volume populated by a ConfigMap)\n    Name:\t%s\n    Optional:\t%s\n",
	    json_str_or_empty(v, "name"), yes_no(v, "optional"));
}

static void secret(struct buf *b, const struct json_object *v)
{
	buf_printf(
	    b, "    Type:\tSecret (a volume populated by a Secret)\n    SecretName:\t%s\n    Optional:\t%s\n",
	    json_str_or_empty(v, "secretName"), yes_no(v, "optional"));
}

static void empty_dir(struct buf *b, const struct json_object *v)
{
	struct json_object *limit = json_get(v, "sizeLimit");

	buf_printf(b,
		   "    Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)\n    "
		   "Medium:\t%s\n    SizeLimit:\t%s\n",
		   json_str_or_empty(v, "medium"), limit ? json_object_get_string(limit) : "<unset>");
}

static void host_path(struct buf *b, const struct json_object *v)
{
	buf_printf(b,
		   "    Type:\tHostPath (bare host directory volume)\n    Path:\t%s\n    HostPathType:\t%s\n",
		   json_str_or_empty(v, "path"), json_str_or_empty(v, "type"));
}

static void claim(struct buf *b, const struct json_object *v)
{
	buf_printf(b,
		   "    Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same "
		   "namespace)\n"
		   "    ClaimName:\t%s\n    ReadOnly:\t%s\n",
		   json_str_or_empty(v, "claimName"), yes_no(v, "readOnly"));
}

static void nfs(struct buf *b, const struct json_object *v)
{
	buf_printf(b,
		   "    Type:\tNFS (an NFS mount that lasts the lifetime of a pod)\n    Server:\t%s\n    "
		   "Path:\t%s\n    ReadOnly:\t%s\n",
		   json_str_or_empty(v, "server"), json_str_or_empty(v, "path"), yes_no(v, "readOnly"));
}

static void downward_api(struct buf *b, const struct json_object *v)
{
	const struct json_object *items = json_get(v, "items");

	buf_str(b, "    Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n");
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *item = json_at(items, i);
		const char *field = json_str(json_get(item, "fieldRef"), "fieldPath");
		const char *resource = json_str(json_get(item, "resourceFieldRef"), "resource");
		if (field || resource)
			buf_printf(b, "      %s -> %s\n", field ? field : resource,
				   json_str_or_empty(item, "path"));
	}
}

static const char *optional(const struct json_object *obj)
{
	return json_get(obj, "optional") ? yes_no(obj, "optional") : "<nil>";
}

static void projected(struct buf *b, const struct json_object *v)
{
	const struct json_object *sources = json_get(v, "sources");

	buf_str(b, "    Type:\tProjected (a volume that contains injected data from multiple sources)\n");
	for (size_t i = 0; i < json_len(sources); i++) {
		const struct json_object *source = json_at(sources, i), *s;
		if ((s = json_get(source, "secret")))
			buf_printf(b, "    SecretName:\t%s\n    SecretOptionalName:\t%s\n",
				   json_str_or_empty(s, "name"), optional(s));
		else if (json_get(source, "downwardAPI"))
			buf_str(b, "    DownwardAPI:\ttrue\n");
		else if ((s = json_get(source, "configMap")))
			buf_printf(b, "    ConfigMapName:\t%s\n    ConfigMapOptional:\t%s\n",
				   json_str_or_empty(s, "name"), optional(s));
		else if ((s = json_get(source, "serviceAccountToken")))
			buf_printf(b, "    TokenExpirationSeconds:\t%lld\n",
				   (long long)json_int(s, "expirationSeconds", 3600));
	}
}

static const struct {
	const char *key;
	void (*write)(struct buf *b, const struct json_object *volume);
} types[] = {
	{ "configMap", config_map },
	{ "secret", secret },
	{ "emptyDir", empty_dir },
	{ "hostPath", host_path },
	{ "nfs", nfs },
	{ "persistentVolumeClaim", claim },
	{ "downwardAPI", downward_api },
	{ "projected", projected },
};

void describe_volumes(struct buf *b, const struct json_object *volumes, const char *space)
{
	buf_printf(b, "%sVolumes:%s", space, json_len(volumes) ? "\n" : "\t<none>\n");
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *volume = json_at(volumes, i);
		size_t t = 0;
		buf_printf(b, "  %s%s:\n", *space ? " " : "", json_str_or_empty(volume, "name"));
		while (t < ARRAY_SIZE(types) && !json_get(volume, types[t].key))
			t++;
		if (t < ARRAY_SIZE(types))
			types[t].write(b, json_get(volume, types[t].key));
		else
			buf_str(b, "    <unknown>\n");
	}
}
