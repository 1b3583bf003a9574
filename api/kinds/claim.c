#include "api/kinds/claim.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"

#define ONLY_POD "ReadWriteOncePod"

/* As messages list them, and how they print, in which order. */
static const char *const access_modes[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", ONLY_POD,
					    NULL };
static const struct {
	const char *mode, *printed;
} printed_modes[] = {
	{ "ReadWriteOnce", "RWO" },
	{ "ReadOnlyMany", "ROX" },
	{ "ReadWriteMany", "RWX" },
	{ ONLY_POD, "RWOP" },
};

/* A source and the newer way to name it are one. */
static void default_source(struct json_object *spec)
{
	const struct json_object *source = json_get(spec, "dataSource"),
				 *ref = json_get(spec, "dataSourceRef");

	if (source && !ref)
		json_set(spec, "dataSourceRef", json_clone(source));
	else if (ref && !source && !json_get(ref, "namespace"))
		json_set(spec, "dataSource", json_clone(ref));
}

void claim_default(struct json_object *claim)
{
	static const char *const times[] = { "lastProbeTime", "lastTransitionTime", NULL };
	struct json_object *spec = json_ensure_object(claim, "spec"),
			   *status = json_ensure_object(claim, "status");

	json_ensure_object(spec, "resources");
	default_str(spec, "volumeMode", "Filesystem");
	default_source(spec);
	default_str(status, "phase", "Pending");
	default_null_each(json_get(status, "conditions"), times);
}

void claim_protect(struct json_object *obj, const char *finalizer)
{
	struct json_object *finalizers = json_ensure_array(json_ensure_object(obj, "metadata"), "finalizers");

	for (size_t i = 0; i < json_len(finalizers); i++)
		if (strcmp(json_object_get_string(json_at(finalizers, i)), finalizer) == 0)
			return;
	json_object_array_add(finalizers, json_object_new_string(finalizer));
}

static bool has_mode(const struct json_object *modes, const char *mode)
{
	for (size_t i = 0; i < json_len(modes); i++)
		if (strcmp(json_object_get_string(json_at(modes, i)), mode) == 0)
			return true;
	return false;
}

void claim_validate_access_modes(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *modes = json_get(spec, "accessModes");
	bool others = false;

	for (size_t i = 0; i < json_len(modes); i++) {
		const char *mode = json_object_get_string(json_at(modes, i));
		size_t k = 0;

		while (access_modes[k] && strcmp(access_modes[k], mode) != 0)
			k++;
		if (!access_modes[k])
			fault_not_supported(errors, path, "accessModes", mode, access_modes);
		others |= strcmp(mode, ONLY_POD) != 0;
	}
	if (others && has_mode(modes, ONLY_POD))
		fault_forbidden(errors, path, "accessModes",
				"may not use ReadWriteOncePod with other access modes");
}

void claim_validate_classes(const struct json_object *spec, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const volume_modes[] = { "Block", "Filesystem", NULL };

	fault_name(spec, "storageClassName", false, name_check_dns_subdomain, path, errors);
	validate_enum(spec, "volumeMode", volume_modes, false, path, errors);
	fault_name(spec, "volumeAttributesClassName", false, name_check_dns_subdomain, path, errors);
}

void cell_access_modes(struct json_object *cells, const struct json_object *modes)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(printed_modes); i++)
		if (has_mode(modes, printed_modes[i].mode))
			buf_printf(&b, "%s%s", b.len > 0 ? "," : "", printed_modes[i].printed);
	cell_buf(cells, &b);
}

void cell_storage_class(struct json_object *cells, const struct json_object *obj)
{
	const char *annotation = json_str(json_path(obj, "metadata", "annotations", NULL),
					  "volume.beta.kubernetes.io/storage-class");

	cell_str(cells, annotation ? annotation : json_str(json_get(obj, "spec"), "storageClassName"));
}

void cell_phase(struct json_object *cells, const struct json_object *obj)
{
	bool deleting = json_path(obj, "metadata", "deletionTimestamp", NULL) != NULL;

	cell_str(cells, deleting ? "Terminating" : json_str(json_get(obj, "status"), "phase"));
}
