/* PATCH's own steps, for objects and for their scale.
 */
#pragma once

#include "api/schema.h"
#include "apiserver/edge/request.h"

/* A step: refuses media types that are no patch. The next step is where a conflict starts over. */
enum step_result patch_begin(struct request *r);
/* The body applied to DOC (of definition DEF) gives *ret; STEP_FAIL otherwise. What strict decoding says of
 * the body goes to ISSUES (or NULL), see patch_fault.h. */
enum step_result patch_apply(struct request *r, const struct schema_def *def, const struct json_object *doc,
			     struct buf *issues, struct json_object **ret);
