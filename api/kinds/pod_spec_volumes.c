/* Volumes of a pod: each of one type out of the table below. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"
#include "lib/quantity.h"

#define MODE_TEXT "must be a number between 0 and 0777 (octal), both inclusive"

static void validate_mode(const struct json_object *obj, const char *key, struct field_path *path,
			  struct field_errors *errors)
{
	int64_t mode = json_int(obj, key, 0);

	if (mode < 0 || mode > 0777)
		fault_int(errors, path, key, mode, MODE_TEXT);
}

/* A file of a volume out of a key of a Secret or ConfigMap. */
static void validate_items(const struct json_object *items, struct field_path *path,
			   struct field_errors *errors)
{
	size_t mark = field_push(path, "items");

	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *item = json_at(items, i);
		const char *file = json_str_or_empty(item, "path");
		size_t inner = field_push_index(path, i);

		if (!*json_str_or_empty(item, "key"))
			fault_required(errors, path, "key", "");
		if (!*file)
			fault_required(errors, path, "path", "");
		pod_spec_validate_local_path(file, "path", false, path, errors);
		validate_mode(item, "mode", path, errors);
		field_pop(path, inner);
	}
	field_pop(path, mark);
}

static void validate_key_files(const struct json_object *source, struct field_path *path,
			       struct field_errors *errors)
{
	validate_mode(source, "defaultMode", path, errors);
	validate_items(json_get(source, "items"), path, errors);
}

static void validate_downward_file(const struct json_object *item, struct field_path *path,
				   struct field_errors *errors)
{
	const struct json_object *field = json_get(item, "fieldRef"),
				 *resource = json_get(item, "resourceFieldRef");
	const char *file = json_str_or_empty(item, "path");
	size_t mark;

	if (!*file)
		fault_required(errors, path, "path", "");
	pod_spec_validate_local_path(file, "path", false, path, errors);
	if (field) {
		mark = field_push(path, "fieldRef");
		pod_spec_validate_field_ref(field, true, path, errors);
		field_pop(path, mark);
		if (resource)
			field_error_invalid_str(
			    errors, path, "resource",
			    "fieldRef and resourceFieldRef can not be specified simultaneously");
	} else if (resource) {
		mark = field_push(path, "resourceFieldRef");
		pod_spec_validate_resource_field_ref(resource, true, path, errors);
		field_pop(path, mark);
	} else {
		field_error_required(errors, path, "one of fieldRef and resourceFieldRef is required");
	}
	validate_mode(item, "mode", path, errors);
}

static void validate_downward(const struct json_object *source, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *items = json_get(source, "items");
	size_t mark;

	validate_mode(source, "defaultMode", path, errors);
	mark = field_push(path, "items");
	for (size_t i = 0; i < json_len(items); i++) {
		size_t item = field_push_index(path, i);

		validate_downward_file(json_at(items, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_token(const struct json_object *source, struct field_path *path,
			   struct field_errors *errors)
{
	int64_t seconds = json_int(source, "expirationSeconds", 3600);
	const char *file = json_str_or_empty(source, "path");

	if (seconds < 600)
		fault_int(errors, path, "expirationSeconds", seconds,
			  "may not specify a duration less than 10 minutes");
	else if (seconds > 1LL << 32)
		fault_int(errors, path, "expirationSeconds", seconds,
			  "may not specify a duration larger than 2^32 seconds");
	if (!*file)
		fault_required(errors, path, "path", "");
	pod_spec_validate_local_path(file, "path", false, path, errors);
}

static void validate_named_key_files(const struct json_object *source, struct field_path *path,
				     struct field_errors *errors)
{
	if (!*json_str_or_empty(source, "name"))
		fault_required(errors, path, "name", "");
	validate_key_files(source, path, errors);
}

static void validate_trust_bundle(const struct json_object *source, struct field_path *path,
				  struct field_errors *errors)
{
	bool by_name = *json_str_or_empty(source, "name"),
	     by_signer = *json_str_or_empty(source, "signerName");

	if (by_name && by_signer)
		field_error_invalid_str(errors, path, json_str(source, "name"),
					"only one of name and signerName may be used");
	else if (!by_name && !by_signer)
		field_error_required(errors, path, "either name or signerName must be specified");
	if (!*json_str_or_empty(source, "path"))
		fault_required(errors, path, "path", "");
}

static void validate_certificate(const struct json_object *source, struct field_path *path,
				 struct field_errors *errors)
{
	static const char *const key_types[] = { "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519",
						 "RSA3072",   "RSA4096",   NULL };

	if (!*json_str_or_empty(source, "signerName"))
		fault_required(errors, path, "signerName", "");
	validate_enum(source, "keyType", key_types, true, path, errors);
	if (!*json_str_or_empty(source, "credentialBundlePath") && !*json_str_or_empty(source, "keyPath") &&
	    !*json_str_or_empty(source, "certificateChainPath"))
		field_error_required(
		    errors, path,
		    "specify at least one of credentialBundlePath, keyPath, and certificateChainPath");
}

static const struct volume_source_type projections[] = {
	{ "secret", validate_named_key_files, { NULL } },
	{ "configMap", validate_named_key_files, { NULL } },
	{ "downwardAPI", validate_downward, { NULL } },
	{ "serviceAccountToken", validate_token, { NULL } },
	{ "clusterTrustBundle", validate_trust_bundle, { NULL } },
	{ "podCertificate", validate_certificate, { NULL } },
};

size_t pod_spec_validate_sources(const struct json_object *obj, const struct volume_source_type *types,
				 size_t n_types, struct field_path *path, struct field_errors *errors)
{
	/* Members besides the name: when all are found there is nothing more to look for. */
	size_t n = 0, n_max = 0;

	if (obj)
		n_max = (size_t)json_object_object_length(obj) - (json_get(obj, "name") != NULL);
	for (size_t i = 0; i < n_types && n < n_max; i++) {
		const struct json_object *source = json_get(obj, types[i].key);
		size_t mark;

		if (!source)
			continue;
		if (n++ > 0) {
			fault_forbidden(errors, path, types[i].key,
					"may not specify more than 1 volume type");
			continue;
		}
		mark = field_push(path, types[i].key);
		for (const char *const *key = types[i].required; *key; key++)
			if (!*json_str_or_empty(source, *key))
				fault_required(errors, path, *key, "");
		if (types[i].validate)
			types[i].validate(source, path, errors);
		field_pop(path, mark);
	}
	return n;
}

static void validate_projected(const struct json_object *source, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *sources = json_get(source, "sources");
	size_t mark;

	validate_mode(source, "defaultMode", path, errors);
	mark = field_push(path, "sources");
	for (size_t i = 0; i < json_len(sources); i++) {
		size_t item = field_push_index(path, i);

		if (pod_spec_validate_sources(json_at(sources, i), projections, ARRAY_SIZE(projections), path,
					      errors) == 0)
			field_error_required(errors, path, "must specify a volume type");
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_empty_dir(const struct json_object *source, struct field_path *path,
			       struct field_errors *errors)
{
	struct quantity q;

	if (json_get(source, "sizeLimit") &&
	    (!quantity_parse(json_object_get_string(json_get(source, "sizeLimit")), &q) || q.nano < 0))
		fault_forbidden(errors, path, "sizeLimit",
				"SizeLimit field must be a valid resource quantity");
}

void pod_spec_validate_host_path(const struct json_object *source, struct field_path *path,
				 struct field_errors *errors)
{
	static const char *const types[] = { "BlockDevice", "CharDevice",   "Directory", "DirectoryOrCreate",
					     "File",        "FileOrCreate", "Socket",    NULL };
	const char *host_path = json_str_or_empty(source, "path");

	if (pod_spec_has_backsteps(host_path))
		fault_str(errors, path, "path", host_path, "must not contain '..'");
	validate_enum(source, "type", types, false, path, errors);
}

static void validate_nfs(const struct json_object *source, struct field_path *path,
			 struct field_errors *errors)
{
	const char *exported = json_str_or_empty(source, "path");

	if (*exported && *exported != '/')
		fault_str(errors, path, "path", exported, "must be an absolute path");
}

static void validate_iscsi(const struct json_object *source, struct field_path *path,
			   struct field_errors *errors)
{
	int64_t lun = json_int(source, "lun", 0);

	if (lun < 0 || lun > 255)
		fault_int(errors, path, "lun", lun, "must be between 0 and 255, inclusive");
}

static void validate_monitors(const struct json_object *source, struct field_path *path,
			      struct field_errors *errors)
{
	if (json_len(json_get(source, "monitors")) == 0)
		fault_required(errors, path, "monitors", "");
}

static void validate_fc(const struct json_object *source, struct field_path *path,
			struct field_errors *errors)
{
	if (json_len(json_get(source, "targetWWNs")) == 0 && json_len(json_get(source, "wwids")) == 0)
		fault_required(errors, path, "targetWWNs",
			       "must specify either targetWWNs or wwids, but not both");
}

static void validate_ephemeral(const struct json_object *source, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *template = json_get(source, "volumeClaimTemplate");
	const struct json_object *spec = json_get(template, "spec");

	if (!template) {
		fault_required(errors, path, "volumeClaimTemplate", "");
		return;
	}
	size_t mark = field_push(path, "volumeClaimTemplate.spec");
	if (json_len(json_get(spec, "accessModes")) == 0)
		fault_required(errors, path, "accessModes", "at least 1 access mode is required");
	if (!json_path(spec, "resources", "requests", "storage", NULL))
		fault_required(errors, path, "resources[storage]", "");
	field_pop(path, mark);
}

static void validate_image_volume(const struct json_object *source, struct field_path *path,
				  struct field_errors *errors)
{
	static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };

	validate_enum(source, "pullPolicy", pull_policies, false, path, errors);
}

/* In the order in which Kubernetes looks: it is the second type found that is refused. */
static const struct volume_source_type volume_types[] = {
	{ "emptyDir", validate_empty_dir, { NULL } },
	{ "hostPath", pod_spec_validate_host_path, { "path" } },
	{ "gitRepo", NULL, { "repository" } },
	{ "gcePersistentDisk", NULL, { "pdName" } },
	{ "awsElasticBlockStore", NULL, { "volumeID" } },
	{ "secret", validate_key_files, { "secretName" } },
	{ "nfs", validate_nfs, { "server", "path" } },
	{ "iscsi", validate_iscsi, { "targetPortal", "iqn" } },
	{ "glusterfs", NULL, { "endpoints", "path" } },
	{ "flocker", NULL, { NULL } },
	{ "persistentVolumeClaim", NULL, { "claimName" } },
	{ "rbd", validate_monitors, { "image" } },
	{ "cinder", NULL, { "volumeID" } },
	{ "cephfs", validate_monitors, { NULL } },
	{ "quobyte", NULL, { "registry", "volume" } },
	{ "downwardAPI", validate_downward, { NULL } },
	{ "fc", validate_fc, { NULL } },
	{ "flexVolume", NULL, { "driver" } },
	{ "configMap", validate_named_key_files, { NULL } },
	{ "azureFile", NULL, { "secretName", "shareName" } },
	{ "vsphereVolume", NULL, { "volumePath" } },
	{ "photonPersistentDisk", NULL, { "pdID" } },
	{ "portworxVolume", NULL, { "volumeID" } },
	{ "azureDisk", NULL, { "diskName", "diskURI" } },
	{ "storageos", NULL, { NULL } },
	{ "scaleIO", NULL, { "gateway", "system", "volumeName" } },
	{ "projected", validate_projected, { NULL } },
	{ "csi", NULL, { "driver" } },
	{ "ephemeral", validate_ephemeral, { NULL } },
	{ "image", validate_image_volume, { "reference" } },
};

void pod_spec_validate_volumes(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *volumes = json_get(spec, "volumes");
	CLEANUP(map_close) struct map names = MAP_INIT;
	size_t mark = field_push(path, "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		struct json_object *volume = json_at(volumes, i);
		const char *name = json_str_or_empty(volume, "name");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		if (pod_spec_validate_sources(volume, volume_types, ARRAY_SIZE(volume_types), path, errors) ==
		    0)
			field_error_required(errors, path, "must specify a volume type");
		if (!*name)
			fault_required(errors, path, "name", "");
		else
			name_check_dns_label(name, false, &faults);
		fault_names(errors, path, "name", name, &faults);
		if (faults.n == 0 && *name && map_put(&names, name, volume))
			fault_duplicate(errors, path, "name", name);
		field_pop(path, item);
	}
	field_pop(path, mark);
}
