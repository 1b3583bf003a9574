/* Impersonate-User, -Group, -Uid and -Extra-*: a request as somebody else, by who may do that.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
#pragma once

#include "apiserver/edge/request.h"

/* Without such headers: nothing. Else r->identity becomes who was asked for and r->impersonator who asks, or
 * the request fails as Forbidden (BadRequest when a user is missing). */
enum step_result impersonate(struct request *r);
