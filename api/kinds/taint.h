/* Taints of nodes and what they share with tolerations of pods. */
#pragma once

#include "api/field_error.h"

/* key, value and effect of one taint. PATH: of the taint. */
void taint_validate(const struct json_object *taint, struct field_path *path, struct field_errors *errors);
/* Member "effect". MAY_BE_EMPTY: tolerations match all effects then. */
void taint_validate_effect(const struct json_object *obj, bool may_be_empty, struct field_path *path,
			   struct field_errors *errors);
