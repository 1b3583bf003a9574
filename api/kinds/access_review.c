/* SubjectAccessReview and its kin (authorization.k8s.io/v1): asked and answered, never stored.
 * (pkg/apis/authorization/validation)
 */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

#define API_VERSION "authorization.k8s.io/v1"

static void validate_attributes(const struct json_object *spec, struct field_path *path,
				struct field_errors *errors)
{
	const struct json_object *resource = json_get(spec, "resourceAttributes"),
				 *other = json_get(spec, "nonResourceAttributes");

	if (resource && other)
		fault_json(errors, path, "nonResourceAttributes", other,
			   "cannot be specified in combination with resourceAttributes");
	if (!resource && !other)
		fault_json(errors, path, "resourceAttributes", NULL,
			   "exactly one of nonResourceAttributes or resourceAttributes must be specified");
}

static void validate_metadata(const struct json_object *obj, bool namespaced, struct field_errors *errors)
{
	const struct json_object *metadata = json_get(obj, "metadata");
	struct field_path path;

	if (!metadata)
		return;
	json_object_object_foreach((struct json_object *)metadata, key, value)
	{
		if (strcmp(key, "managedFields") == 0 || (namespaced && strcmp(key, "namespace") == 0))
			continue;
		(void)value;
		field_path_init(&path, "metadata");
		field_error_add(errors, FIELD_INVALID, &path, metadata, "must be empty");
		return;
	}
}

static void validate_subject(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	field_path_init(&path, "spec");
	validate_attributes(spec, &path, errors);
	if (!default_has_str(spec, "user") && !json_len(json_get(spec, "groups")))
		fault_str(errors, &path, "user", json_str_or_empty(spec, "user"),
			  "at least one of user or group must be specified");
}

static void validate_sar(const struct json_object *obj, struct field_errors *errors)
{
	validate_subject(obj, errors);
	validate_metadata(obj, false, errors);
}

static void validate_local(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"),
				 *resource = json_get(spec, "resourceAttributes"),
				 *other = json_get(spec, "nonResourceAttributes");
	const char *namespace_ = json_str_or_empty(json_get(obj, "metadata"), "namespace");
	struct field_path path;

	validate_subject(obj, errors);
	validate_metadata(obj, true, errors);
	field_path_init(&path, "spec");
	if (resource && strcmp(json_str_or_empty(resource, "namespace"), namespace_) != 0) {
		size_t mark = field_push(&path, "resourceAttributes");

		fault_str(errors, &path, "namespace", json_str_or_empty(resource, "namespace"),
			  "must match metadata.namespace");
		field_pop(&path, mark);
	}
	if (other)
		fault_json(errors, &path, "nonResourceAttributes", other,
			   "disallowed on this kind of request");
}

static void validate_self(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	validate_attributes(json_get(obj, "spec"), &path, errors);
	validate_metadata(obj, false, errors);
}

const struct kind kind_subject_access_review = {
	.api_version = API_VERSION,
	.kind = "SubjectAccessReview",
	.definition = "authorization.v1.SubjectAccessReview",
	.validate = validate_sar,
};

const struct kind kind_local_subject_access_review = {
	.api_version = API_VERSION,
	.kind = "LocalSubjectAccessReview",
	.definition = "authorization.v1.LocalSubjectAccessReview",
	.validate = validate_local,
};

const struct kind kind_self_subject_access_review = {
	.api_version = API_VERSION,
	.kind = "SelfSubjectAccessReview",
	.definition = "authorization.v1.SelfSubjectAccessReview",
	.validate = validate_self,
};

const struct kind kind_self_subject_rules_review = {
	.api_version = API_VERSION,
	.kind = "SelfSubjectRulesReview",
	.definition = "authorization.v1.SelfSubjectRulesReview",
};
