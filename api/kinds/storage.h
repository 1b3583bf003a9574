/* What kinds of storage.k8s.io share. */
#pragma once

#include "api/field_error.h"

/* Member KEY, the name of a storage driver: required, up to 63 bytes, a DNS name in any case. */
void storage_validate_driver(const struct json_object *obj, const char *key, struct field_path *path,
			     struct field_errors *errors);
/* Member KEY, a provisioner: required, a qualified name in any case. */
void storage_validate_provisioner(const struct json_object *obj, const char *key, struct field_path *path,
				  struct field_errors *errors);
/* obj.parameters: how many, how large. */
void storage_validate_parameters(const struct json_object *obj, bool required, struct field_path *path,
				 struct field_errors *errors);
/* "updates to KEY are forbidden." when it changed. */
void storage_validate_fixed(const struct json_object *obj, const struct json_object *old, const char *key,
			    struct field_errors *errors);
