/* Validation of a CustomResourceDefinition's spec, apart from its schemas. */
#pragma once

#include "api/field_error.h"

void crd_validate_spec(const struct json_object *spec, struct field_path *path, struct field_errors *errors);
/* One of spec.versions. */
void crd_validate_version(const struct json_object *version, struct field_path *path,
			  struct field_errors *errors);
