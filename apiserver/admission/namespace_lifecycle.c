/* NamespaceLifecycle: nothing is created in a namespace that is not there or on its way out. The core looks
 * again within the transaction; here the answer comes before that of other plugins and of validation. That
 * some namespaces may not be deleted is a matter of their deletion (delete_step.c).
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
 */
#include "apiserver/admission/admission.h"
#include "apiserver/edge/server.h"

static enum step_result change(struct request *r)
{
	const char *namespace_ = r->route.namespace_;
	CLEANUP(object_unrefp) struct object *object = NULL;
	if (r->old || !r->route.resource->namespaced)
		return STEP_NEXT;
	if (core_get(r->server->core, resource_find("", "v1", "namespaces"), "", namespace_, &object,
		     &r->err) < 0 &&
	    r->err.kind != ERR_NOT_FOUND)
		return request_fail_as(r, DETAILS_NONE);
	if (core_check_namespace(object, r->route.resource, namespace_, r->name, &r->err) < 0)
		return request_fail_namespace(r);
	return STEP_NEXT;
}

const struct admission_plugin admission_namespace_lifecycle = { .name = "NamespaceLifecycle",
								.change = change };
