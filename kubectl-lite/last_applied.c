#include "kubectl-lite/last_applied.h"

#include "api/patch.h"
#include "kubectl-lite/types.h"

void last_applied_drop(struct json_object *obj)
{
	json_object_object_del(json_ensure_object(json_ensure_object(obj, "metadata"), "annotations"),
			       LAST_APPLIED);
}

const char *last_applied_text(const struct json_object *obj)
{
	return json_str(json_path(obj, "metadata", "annotations", NULL), LAST_APPLIED);
}

int last_applied_patch(const struct resource *resource, const struct json_object *before,
		       const struct json_object *wanted, const struct json_object *current,
		       struct json_object **ret_patch, const char **ret_content_type, struct err *err)
{
	if (type_is_custom(resource)) {
		*ret_content_type = "application/merge-patch+json";
		return patch_three_way_merge(before, wanted, current, ret_patch, err);
	}
	*ret_content_type = "application/strategic-merge-patch+json";
	return patch_three_way(resource->def, before, wanted, current, ret_patch, err);
}
