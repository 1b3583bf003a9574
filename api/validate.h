/* Validation that kinds share: object metadata, names, labels, selectors, ports, quantities, pod templates.
 * (k8s.io/apimachinery pkg/api/validation, util/validation.)
 */
#pragma once

#include "api/kind.h"
#include "api/resource.h"

/* Runs everything for RESOURCE: metadata, then the kind's own. OLD NULL: create; SUBRESOURCE "status": status
 * update. OBJ is what is stored, also where RESOURCE is a view. */
void validate_object(const struct resource *resource, const struct json_object *obj,
		     const struct json_object *old, const char *subresource, struct field_errors *errors);

/* Names. What is wrong with one, in Kubernetes' words: no faults, it is valid. The texts are static. A prefix
 * (generateName) may end in "-". (k8s.io/apimachinery util/validation) */
#define NAME_FAULTS_MAX 6
struct name_faults {
	const char *text[NAME_FAULTS_MAX];
	size_t n;
};
void name_check_dns_subdomain(const char *name, bool is_prefix, struct name_faults *faults);
void name_check_wildcard_subdomain(const char *name, struct name_faults *faults); /* "*.example.com" */
void name_check_dns_label(const char *name, bool is_prefix, struct name_faults *faults);
void name_check_dns1035_label(const char *name, bool is_prefix, struct name_faults *faults);
void name_check_path_segment(const char *name, bool is_prefix, struct name_faults *faults);
void name_check_qualified(const char *name, struct name_faults *faults); /* label and annotation keys */
void name_check_label_value(const char *value, struct name_faults *faults);
void name_check_config_key(const char *key, struct name_faults *faults); /* keys of ConfigMaps and Secrets */
void name_check_port_name(const char *name, struct name_faults *faults); /* IANA service name */
void name_check_env_var(const char *name, struct name_faults *faults);   /* printable ASCII but '=' */
void name_check_http_header(const char *name, struct name_faults *faults);
/* The same as a question; RET_MESSAGE, when not NULL, gets the first fault. */
bool name_is_dns_subdomain(const char *name, bool is_prefix, struct buf *ret_message);
bool name_is_dns_label(const char *name, bool is_prefix, struct buf *ret_message);
bool name_is_dns1035_label(const char *name, bool is_prefix, struct buf *ret_message);
bool name_is_path_segment(const char *name, bool is_prefix, struct buf *ret_message);
bool name_is_qualified(const char *name, struct buf *ret_message);
bool name_is_label_value(const char *value, struct buf *ret_message);

/* Values of metadata and of members that many kinds have. What is absent is fine, unless REQUIRED; FIELD is a
 * member of OBJ, and PATH is OBJ's. VALUES are NULL-terminated. */
void validate_labels(const struct json_object *labels, struct field_path *path, struct field_errors *errors);
void validate_annotations(const struct json_object *annotations, struct field_path *path,
			  struct field_errors *errors);
void validate_label_selector(const struct json_object *selector, struct field_path *path,
			     struct field_errors *errors);
void validate_non_negative(const struct json_object *obj, const char *field, struct field_path *path,
			   struct field_errors *errors);
void validate_enum(const struct json_object *obj, const char *field, const char *const *values, bool required,
		   struct field_path *path, struct field_errors *errors);
/* 1 to 65535. KEY NULL: at the path itself. */
void validate_port_number(int64_t port, const char *key, struct field_path *path,
			  struct field_errors *errors);
/* Fields of OBJ and OLD at KEY must be equal: "field is immutable". */
void validate_immutable(const struct json_object *obj, const struct json_object *old, const char *key,
			struct field_path *path, struct field_errors *errors);
/* PodSpec and PodTemplateSpec (kinds/pod_spec.c). LASTING_OF: the kind as messages name it ("ReplicaSet")
 * when its pods are there to stay: restartPolicy Always, no deadline; else NULL. */
void validate_pod_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors);
void validate_pod_template(const struct json_object *template, struct field_path *path,
			   const char *lasting_of, struct field_errors *errors);
/* Defaults of a PodSpec. */
void default_pod_spec(struct json_object *spec);
