/* Which IP families a Service is of: its ipFamilies and ipFamilyPolicy, filled in from each other, from its
 * addresses and from what the cluster has. Pure. (registry/core/service/storage/alloc.go)
 */
#pragma once

#include <stdbool.h>

#include "api/field_error.h"
#include "apiserver/service/networks.h"

/* "IPv4", "IPv6". */
const char *ip_family_name(bool v6);
bool ip_family_is_v6(const char *name);

/* SPEC, which is valid, is of no ExternalName; OLD_SPEC is what it replaces, or NULL. What cannot be is in
 * ERRORS then. */
void ip_families_complete(struct json_object *spec, const struct json_object *old_spec,
			  const struct service_networks *networks, struct field_errors *errors);
