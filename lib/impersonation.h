/* The headers that make a request somebody else's, for who may impersonate them.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
#pragma once

#include "lib/buf.h"
#include "lib/kubeconfig.h"

/* Appends header lines with their ends: of the entry USER of a kubeconfig, which has NAME (both may be NULL),
 * where OVERRIDES do not name others; nothing when nobody is impersonated. ERR_BAD_REQUEST, in kubectl's
 * words, for groups, an uid or extra fields without a user; and for what is no list of strings or would be
 * more than a line. */
int impersonation_write(const struct json_object *user, const char *name,
			const struct kubeconfig_overrides *overrides, struct buf *b, struct err *err);
