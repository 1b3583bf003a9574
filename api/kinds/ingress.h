/* What Ingress and IngressClass share. */
#pragma once

#include "api/field_error.h"

/* A typed reference at PATH: apiGroup, kind, name. */
void ingress_validate_reference(const struct json_object *ref, struct field_path *path,
				struct field_errors *errors);
