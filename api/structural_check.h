/* Inside of structural_check: its later parts. */
#pragma once

#include "api/field_error.h"

/* Whether SCHEMA is structural. */
void structural_check_shape(const struct json_object *schema, struct field_path *path,
			    struct field_errors *errors);
/* Whether its defaults are values that it allows. */
void structural_check_defaults(const struct json_object *schema, struct field_path *path,
			       struct field_errors *errors);
