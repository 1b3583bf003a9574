/* PersistentVolume (core/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/claim.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"
#include "lib/quantity.h"
#include "lib/timefmt.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	pod_spec_default_sources(spec);
	default_str(spec, "persistentVolumeReclaimPolicy", "Retain");
	default_str(spec, "volumeMode", "Filesystem");
	default_str(json_ensure_object(obj, "status"), "phase", "Pending");
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();
	char now[TIMEFMT_SIZE];

	json_set_str(status, "phase", "Pending");
	json_set_str(status, "lastPhaseTransitionTime", time_format(time_now_us(), now));
	json_set(obj, "status", status);
	claim_protect(obj, "kubernetes.io/pv-protection");
}

static void validate_local(const struct json_object *source, struct field_path *path,
			   struct field_errors *errors)
{
	const char *local = json_str_or_empty(source, "path");

	if (pod_spec_has_backsteps(local))
		fault_str(errors, path, "path", local, "must not contain '..'");
}

static void validate_csi(const struct json_object *source, struct field_path *path,
			 struct field_errors *errors)
{
	fault_name(source, "driver", false, name_check_dns_subdomain, path, errors);
}

/* In Kubernetes' order. */
static const struct volume_source_type sources[] = {
	{ "hostPath", pod_spec_validate_host_path, { "path" } },
	{ "gcePersistentDisk", NULL, { "pdName" } },
	{ "awsElasticBlockStore", NULL, { "volumeID" } },
	{ "glusterfs", NULL, { "endpoints", "path" } },
	{ "flocker", NULL, { NULL } },
	{ "nfs", NULL, { "server", "path" } },
	{ "rbd", NULL, { "image" } },
	{ "quobyte", NULL, { "registry", "volume" } },
	{ "cephfs", NULL, { NULL } },
	{ "iscsi", NULL, { "targetPortal", "iqn" } },
	{ "cinder", NULL, { "volumeID" } },
	{ "fc", NULL, { NULL } },
	{ "flexVolume", NULL, { "driver" } },
	{ "azureFile", NULL, { "secretName", "shareName" } },
	{ "vsphereVolume", NULL, { "volumePath" } },
	{ "photonPersistentDisk", NULL, { "pdID" } },
	{ "portworxVolume", NULL, { "volumeID" } },
	{ "azureDisk", NULL, { "diskName", "diskURI" } },
	{ "scaleIO", NULL, { "gateway", "system", "volumeName" } },
	{ "local", validate_local, { "path" } },
	{ "storageos", NULL, { NULL } },
	{ "csi", validate_csi, { "driver", "volumeHandle" } },
};

static void validate_capacity(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	struct json_object *capacity = json_get(spec, "capacity");
	int n = capacity ? json_object_object_length(capacity) : 0;
	size_t mark = field_push(path, "capacity");

	if (n == 0)
		field_error_required(errors, path, "");
	if (!json_get(capacity, "storage") || n > 1)
		field_error_add(errors, FIELD_NOT_SUPPORTED, path, capacity, "supported values: \"storage\"");
	if (capacity) {
		json_object_object_foreach(capacity, name, value)
		{
			size_t item = field_push_key(path, name);
			const char *text = json_object_get_string(value);
			struct quantity q;

			if (quantity_parse(text, &q) && q.nano <= 0)
				field_error_invalid_str(errors, path, text, "must be greater than zero");
			field_pop(path, item);
		}
	}
	field_pop(path, mark);
}

static void validate_affinity(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *affinity = json_get(spec, "nodeAffinity"),
				 *required = json_get(affinity, "required");
	size_t mark = field_push(path, "nodeAffinity");

	if (affinity && !required)
		fault_required(errors, path, "required", "must specify required node constraints");
	field_push(path, "required");
	if (required)
		pod_spec_validate_node_selector(required, path, errors);
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const policies[] = { "Delete", "Recycle", "Retain", NULL };
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	field_path_init(&path, "spec");
	if (json_len(json_get(spec, "accessModes")) == 0)
		fault_required(errors, &path, "accessModes", "");
	claim_validate_access_modes(spec, &path, errors);
	validate_capacity(spec, &path, errors);
	validate_enum(spec, "persistentVolumeReclaimPolicy", policies, false, &path, errors);
	validate_affinity(spec, &path, errors);
	if (pod_spec_validate_sources(spec, sources, ARRAY_SIZE(sources), &path, errors) == 0)
		field_error_required(errors, &path, "must specify a volume type");
	if (json_get(spec, "local") && !json_get(spec, "nodeAffinity"))
		fault_required(errors, &path, "nodeAffinity", "Local volume requires node affinity");
	if (strcmp(json_str_or_empty(json_get(spec, "hostPath"), "path"), "/") == 0 &&
	    strcmp(json_str_or_empty(spec, "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		fault_forbidden(errors, &path, "persistentVolumeReclaimPolicy",
				"may not be 'recycle' for a hostPath mount of '/'");
	claim_validate_classes(spec, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	bool same = true;
	struct field_path path;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		same &= json_equal(json_get(spec, sources[i].key), json_get(old_spec, sources[i].key));
	field_path_init(&path, "spec");
	if (!same)
		fault_forbidden(errors, &path, "persistentvolumesource",
				"spec.persistentvolumesource is immutable after creation");
	field_path_init(&path, "");
	validate_immutable(spec, old_spec, "volumeMode", &path, errors);
	if (json_get(old_spec, "nodeAffinity"))
		validate_immutable(spec, old_spec, "nodeAffinity", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Capacity", "string", "", "Its size.", 0 },
	{ "Access Modes", "string", "", "How it may be mounted.", 0 },
	{ "Reclaim Policy", "string", "", "What becomes of it when its claim is gone.", 0 },
	{ "Status", "string", "", "Available, Bound, Released or Failed.", 0 },
	{ "Claim", "string", "", "The claim it is bound to.", 0 },
	{ "StorageClass", "string", "", "Class of storage that it belongs to.", 0 },
	{ "VolumeAttributesClass", "string", "", "Class of attributes that it has.", 0 },
	{ "Reason", "string", "", "Why it is in its state.", 0 },
	CELL_COLUMN_AGE,
	{ "VolumeMode", "string", "", "Filesystem or Block.", 1 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec"), *claim = json_get(spec, "claimRef");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (claim)
		buf_printf(&b, "%s/%s", json_str_or_empty(claim, "namespace"),
			   json_str_or_empty(claim, "name"));
	cell_name(ret, obj);
	cell_quantity(ret, json_get(spec, "capacity"), "storage", "0");
	cell_access_modes(ret, json_get(spec, "accessModes"));
	cell_str(ret, json_str(spec, "persistentVolumeReclaimPolicy"));
	cell_phase(ret, obj);
	cell_buf(ret, &b);
	cell_storage_class(ret, obj);
	cell_str_or(ret, json_str(spec, "volumeAttributesClassName"), "<unset>");
	cell_str(ret, json_str(json_get(obj, "status"), "reason"));
	cell_age(ret, obj, now_us);
	cell_str_or(ret, json_str(spec, "volumeMode"), "<unset>");
}

/* What no longer works, or will not. (pkg/api/persistentvolume) */
static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	static const struct {
		const char *source, *text;
	} gone[] = {
		{ "photonPersistentDisk",
		  "spec.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+" },
		{ "scaleIO", "spec.scaleIO: deprecated in v1.16, non-functional in v1.22+" },
		{ "storageos", "spec.storageOS: deprecated in v1.22, non-functional in v1.25+" },
		{ "glusterfs", "spec.glusterfs: deprecated in v1.25, non-functional in v1.26+" },
		{ "cephfs", "spec.cephfs: deprecated in v1.28, non-functional in v1.31+" },
		{ "rbd", "spec.rbd: deprecated in v1.28, non-functional in v1.31+" },
	};
	const struct json_object *spec = json_get(obj, "spec");

	(void)old;
	if (json_get(json_path(obj, "metadata", "annotations", NULL),
		     "volume.beta.kubernetes.io/storage-class"))
		call("metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; "
		     "use "
		     "\"storageClassName\" attribute instead",
		     arg);
	if (strcmp(json_str_or_empty(spec, "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		call("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
		     "the "
		     "recommended approach is to use dynamic provisioning.",
		     arg);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (json_get(spec, gone[i].source))
			call(gone[i].text, arg);
}

const struct kind kind_persistent_volume = {
	.api_version = "v1",
	.kind = "PersistentVolume",
	.definition = "core.v1.PersistentVolume",
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = validate_update,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
