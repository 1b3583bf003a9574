/* RoleBinding (rbac.authorization.k8s.io/v1): a Role or ClusterRole, given in one namespace. */
#include "api/kinds/kinds.h"
#include "api/kinds/rbac.h"
#include "api/validate.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const kinds[] = { "Role", "ClusterRole", NULL };

	rbac_validate_binding(obj, kinds, true, errors);
}

const struct kind kind_role_binding = {
	.api_version = "rbac.authorization.k8s.io/v1",
	.kind = "RoleBinding",
	.definition = "rbac.v1.RoleBinding",
	.name_check = name_check_path_segment,
	.unconditional_update = true,
	.create_on_update = true,
	.set_defaults = rbac_default_binding,
	.validate = validate,
	.validate_update = rbac_validate_binding_update,
	.columns = rbac_binding_columns,
	.n_columns = RBAC_BINDING_COLUMNS,
	.cells = rbac_binding_cells,
};
