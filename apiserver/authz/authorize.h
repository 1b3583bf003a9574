/* The step after authentication: whether who asks may do what is asked.
 */
#pragma once

#include "apiserver/authz/attributes.h"
#include "apiserver/edge/request.h"

/* What R asks to do, as rules name it: "list", "watch"; of a path "get". */
const char *authorize_verb(const struct request *r);
/* Fails as Forbidden, in Kubernetes' words. */
enum step_result authorize(struct request *r);
/* The same of a write that turns out to make its object, for which its own verb does not suffice. */
enum step_result authorize_creation(struct request *r);
/* The same of something else that the request needs, such as to be somebody else. A's group and resource are
 * static or the route's. */
enum step_result authorize_attributes(struct request *r, const struct authz_attributes *a);
/* Whether the request's identity may do something else besides: VERB on what A says (its identity and verb
 * are set here). STEP_FAIL only when that cannot be known. */
enum step_result authorize_also(struct request *r, struct authz_attributes *a, const char *verb,
				bool *ret_allowed);
