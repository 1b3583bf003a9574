/* Names that are a domain and a path: "acme.io/foo". (k8s.io/apimachinery IsDomainPrefixedPath) */
#pragma once

#include "api/field_error.h"

/* VALUE is that of member KEY; empty is "Required value". */
void path_name_validate(const char *value, const char *key, struct field_path *path,
			struct field_errors *errors);
