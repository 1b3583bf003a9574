/* ClusterRole (rbac.authorization.k8s.io/v1). The rules of one with an aggregationRule are a controller's. */
#include "api/fault.h"
#include "api/kinds/kinds.h"
#include "api/kinds/rbac.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *aggregation = json_get(obj, "aggregationRule");
	const struct json_object *selectors = json_get(aggregation, "clusterRoleSelectors");
	struct field_path path;

	rbac_validate_rules(obj, false, errors);
	if (!aggregation)
		return;
	field_path_init(&path, "aggregationRule");
	if (!json_len(selectors))
		fault_required(errors, &path, "clusterRoleSelectors",
			       "at least one clusterRoleSelector required if aggregationRule is non-nil");
	field_push(&path, "clusterRoleSelectors");
	for (size_t i = 0; i < json_len(selectors); i++) {
		size_t mark = field_push_index(&path, i);

		validate_label_selector(json_at(selectors, i), &path, errors);
		field_pop(&path, mark);
	}
}

const struct kind kind_cluster_role = {
	.api_version = "rbac.authorization.k8s.io/v1",
	.kind = "ClusterRole",
	.definition = "rbac.v1.ClusterRole",
	.name_check = name_check_path_segment,
	.unconditional_update = true,
	.create_on_update = true,
	.set_defaults = rbac_default_rules,
	.validate = validate,
};
