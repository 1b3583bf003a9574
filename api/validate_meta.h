/* Rules of metadata, alike for all kinds. (k8s.io/apimachinery pkg/api/validation objectmeta) */
#pragma once

#include <stdbool.h>

#include "api/validate.h"

/* NAME_CHECK NULL: RFC 1123 subdomain. */
void validate_meta(const struct json_object *obj, bool namespaced,
		   void (*name_check)(const char *name, bool is_prefix, struct name_faults *faults),
		   struct field_errors *errors);
/* What must not change: name, namespace, uid, creation and deletion times; finalizers of an object that is
 * being deleted may only go. Members that OBJ leaves out count as unchanged where the server fills them in.
 */
void validate_meta_update(const struct json_object *obj, const struct json_object *old,
			  struct field_errors *errors);
/* Finalizers must be standard ones or have a domain and "/": a rule of the kinds of Kubernetes' own groups
 * (pkg/apis/core/validation). */
void validate_finalizer_domains(const struct json_object *obj, struct field_errors *errors);
/* Custom resources may have others: of those that OLD (NULL: none) has not CALL gets a Warning's text. */
void validate_finalizer_warnings(const struct json_object *obj, const struct json_object *old,
				 warning_fn call, void *arg);
