/* Role (rbac.authorization.k8s.io/v1). */
#include "api/kinds/kinds.h"
#include "api/kinds/rbac.h"
#include "api/validate.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	rbac_validate_rules(obj, true, errors);
}

const struct kind kind_role = {
	.api_version = "rbac.authorization.k8s.io/v1",
	.kind = "Role",
	.definition = "rbac.v1.Role",
	.name_check = name_check_path_segment,
	.unconditional_update = true,
	.create_on_update = true,
	.set_defaults = rbac_default_rules,
	.validate = validate,
};
