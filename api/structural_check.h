/* Inside of structural_check: its later parts. */
#pragma once

#include "api/field_error.h"

/* Whether SCHEMA is structural. */
void structural_check_shape(const struct json_object *schema, struct field_path *path,
			    struct field_errors *errors);
/* What the rules of one schema (x-kubernetes-validations) must have; then, for a structural one with all that
 * is below it, whether they compile. */
void structural_check_rule_texts(const struct json_object *schema, struct field_path *path,
				 struct field_errors *errors);
void structural_check_rules(const struct json_object *schema, struct field_path *path,
			    struct field_errors *errors);
/* Whether its defaults are values that it allows. */
void structural_check_defaults(const struct json_object *schema, struct field_path *path,
			       struct field_errors *errors);
