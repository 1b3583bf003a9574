/* What client-side apply remembers in an object: the configuration that was applied last, in an annotation,
 * which write_save_config (write.h) makes.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
 */
#pragma once

#include "api/resource.h"
#include "lib/err.h"
#include "lib/json.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* Takes the annotation out of OBJ, which has metadata.annotations then, as the configuration that is kept. */
void last_applied_drop(struct json_object *obj);
/* The text in OBJ's annotation, or NULL. */
const char *last_applied_text(const struct json_object *obj);
/* The patch that takes CURRENT to WANTED and removes what BEFORE (or NULL) has and WANTED has not, and the
 * content type it is sent with: strategic merge, or merge where no schema is known. An empty object: nothing
 * to do. */
int last_applied_patch(const struct resource *resource, const struct json_object *before,
		       const struct json_object *wanted, const struct json_object *current,
		       struct json_object **ret_patch, const char **ret_content_type, struct err *err);
