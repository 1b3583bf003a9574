/* IP addresses and networks in objects. */
#pragma once

#include <stdbool.h>

#include "api/field_error.h"

/* inet_pton(3) of either family; *ret_v6, when not NULL, says which. */
bool ip_valid(const char *s, bool *ret_v6);
/* "10.0.0.0/8", "fd00::/64". */
bool ip_cidr_valid(const char *s);
void ip_validate(const char *s, struct field_path *path, struct field_errors *errors);
/* Also not loopback, link-local or unspecified: what an endpoint may have. */
void ip_validate_not_special(const char *s, struct field_path *path, struct field_errors *errors);
#define IP_CIDR_TEXT "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
/* True when valid network PART is a smaller part of valid network WHOLE. */
bool ip_cidr_inside(const char *part, const char *whole);
/* True when valid address S is written as inet_ntop(3) does. */
bool ip_canonical(const char *s);
