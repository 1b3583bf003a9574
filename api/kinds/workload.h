/* What kinds that keep pods of one template share: selector and template, rolling numbers, their columns. */
#pragma once

#include "api/kind.h"
#include "api/validate.h"
#include "lib/selector.h"

/* Defaults of spec.template, when there is one. */
void workload_default_template(struct json_object *spec);
/* spec.selector: required, valid and not empty; spec.template: matched by it, valid, restartPolicy Always.
 * PATH: of the spec. KIND and LASTING_OF: "deployment" and "ReplicaSet", as messages name it. */
void workload_validate_selector_and_template(const struct json_object *spec, const char *kind,
					     const char *lasting_of, struct field_path *path,
					     struct field_errors *errors);
/* Labels of the template at PATH match SELECTOR, and it is valid; restartPolicy Always when LASTING_OF (see
 * validate_pod_template). */
void workload_validate_template(const struct json_object *template, const struct selector *selector,
				const char *lasting_of, struct field_path *path, struct field_errors *errors);
/* Members KEYS (to a NULL) of OBJ must not be negative. */
void workload_validate_counts(const struct json_object *obj, const char *const *keys, struct field_path *path,
			      struct field_errors *errors);
/* Counts PARTS (to a NULL) of STATUS are parts of its replicas, and pods that are available are ready. */
void workload_validate_parts(const struct json_object *status, const char *const *parts,
			     struct field_path *path, struct field_errors *errors);
/* What a ReplicaSet and a ReplicationController count in their status; as kind.validate_status. */
void workload_validate_replicas_status(const struct json_object *obj, const struct json_object *old,
				       struct field_errors *errors);
/* A count or percentage that is at most 100%. */
void workload_validate_at_most_all(const struct json_object *obj, const char *key, struct field_path *path,
				   struct field_errors *errors);
/* metadata.generation of OBJ is one more than that of OLD. */
void workload_count_generation(struct json_object *obj, const struct json_object *old);
/* A warning when the name is no DNS label: it is USED "in Pod names and hostnames". */
void workload_warn_name(const struct json_object *obj, const char *used, warning_fn call, void *arg);
/* The name of a new one, and what is in spec.template, when it is new or changed. */
void workload_warn(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg);
/* The selector is for life. */
void workload_validate_update(const struct json_object *obj, const struct json_object *old,
			      struct field_errors *errors);
/* An int-or-string that is a count or a percentage ("25%"). */
void workload_validate_int_or_percent(const struct json_object *obj, const char *key, struct field_path *path,
				      struct field_errors *errors);
/* The number, or the percentage: then true. 0 for NULL and for text that is no percentage. */
bool workload_int_or_percent(const struct json_object *value, int64_t *ret_value);

#define WORKLOAD_WIDE_COLUMNS                                                                                \
	{ "Containers", "string", "", "Names of the containers in the template.", 1 },                       \
	    { "Images", "string", "", "Images of the containers in the template.", 1 },                      \
	{                                                                                                    \
		"Selector", "string", "", "Labels of the pods that belong to it.", 1                         \
	}
/* The first two, and all three cells of WORKLOAD_WIDE_COLUMNS. */
void workload_template_cells(const struct json_object *template, struct json_object *cells);
void workload_wide_cells(const struct json_object *obj, struct json_object *cells);
