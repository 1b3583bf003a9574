/* What the kinds of rbac.authorization.k8s.io/v1 share. (pkg/apis/rbac/validation)
 */
#pragma once

#include "api/kind.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* rules of a Role (NAMESPACED) or ClusterRole. */
void rbac_default_rules(struct json_object *role);
void rbac_validate_rules(const struct json_object *role, bool namespaced, struct field_errors *errors);

/* Bindings: roleRef and subjects. KINDS: what roleRef may name, NULL-terminated. */
void rbac_default_binding(struct json_object *binding);
void rbac_validate_binding(const struct json_object *binding, const char *const *kinds, bool namespaced,
			   struct field_errors *errors);
void rbac_validate_binding_update(const struct json_object *binding, const struct json_object *old,
				  struct field_errors *errors);
/* Columns of bindings, and their cells. */
#define RBAC_BINDING_COLUMNS 6
extern const struct kind_column rbac_binding_columns[RBAC_BINDING_COLUMNS];
void rbac_binding_cells(const struct json_object *obj, int64_t now_us, struct json_object *ret);
