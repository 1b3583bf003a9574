/* What else of NodeRestriction is asked from outside of admission's table.
 */
#pragma once

#include "apiserver/edge/request.h"

/* A token that a node asks for is bound to a pod (REF of the request; POD is that pod, or NULL) that runs
 * there. */
enum step_result node_restriction_token(struct request *r, const struct json_object *ref,
					const struct json_object *pod);
