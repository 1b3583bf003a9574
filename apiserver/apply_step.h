/* Server-side apply's own steps, for objects and for their scale. (application/apply-patch+yaml)
 */
#pragma once

#include "apiserver/edge/request.h"

/* The body as a value: *ret is an object of no schema. STEP_FAIL otherwise. */
enum step_result apply_decode(struct request *r, struct json_object **ret);
/* Fails when CONFIG is of another kind. */
enum step_result apply_check_kind(struct request *r, const struct json_object *config,
				  const char *group_version, const char *kind_name);
