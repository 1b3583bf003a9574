/* NodeRestriction: what a node agent may write, beyond what the Node authoriser can tell from the path: its
 * own Node but for taints and labels that are not its own, the status of pods bound to it, mirror pods, its
 * lease. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 * (plugin/pkg/admission/noderestriction)
 */
#include <stdlib.h>
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/authz/node.h"
#include "apiserver/authz/node_restriction.h"
#include "apiserver/authz/pod_uses.h"
#include "apiserver/edge/server.h"

#define MIRROR_KEY      "kubernetes.io/config.mirror"
#define LEASE_NAMESPACE "kube-node-lease"

static const char *const concerned[] = {
	"pods", "nodes", "leases.coordination.k8s.io", "csinodes.storage.k8s.io", "persistentvolumeclaims",
	NULL
};

static const char *spec_node(const struct json_object *pod)
{
	return json_str_or_empty(json_get(pod, "spec"), "nodeName");
}

/* --- pods --- */

static enum step_result check_owner(struct request *r, const char *node)
{
	const struct json_object *owners = json_path(r->obj, "metadata", "ownerReferences", NULL),
				 *owner = json_at(owners, 0);
	CLEANUP(object_unrefp) struct object *object = NULL;

	if (json_len(owners) > 1)
		return admission_forbid(
		    r, "node \"%s\" can only create pods with a single owner reference set to itself", node);
	if (!owner || strcmp(json_str_or_empty(owner, "apiVersion"), "v1") != 0 ||
	    strcmp(json_str_or_empty(owner, "kind"), "Node") != 0 ||
	    strcmp(json_str_or_empty(owner, "name"), node) != 0)
		return admission_forbid(
		    r, "node \"%s\" can only create pods with an owner reference set to itself", node);
	if (!json_boolean(owner, "controller", false))
		return admission_forbid(
		    r, "node \"%s\" can only create pods with a controller owner reference set to itself",
		    node);
	if (json_boolean(owner, "blockOwnerDeletion", false))
		return admission_forbid(
		    r, "node \"%s\" must not set blockOwnerDeletion on an owner reference", node);
	if (core_get(r->server->core, resource_find("", "v1", "nodes"), "", node, &object, NULL) == 0 &&
	    strcmp(object_uid(object), json_str_or_empty(owner, "uid")) != 0)
		return admission_forbid(r, "node %s UID mismatch: expected %s got %s", node,
					object_uid(object), json_str_or_empty(owner, "uid"));
	return STEP_NEXT;
}

/* What a mirror pod referred to, its node could read. */
static enum step_result check_references(struct request *r, const char *node)
{
	static const struct {
		enum pod_use use;
		const char *what;
	} uses[] = {
		{ POD_USES_SERVICE_ACCOUNT, "a service account" },
		{ POD_USES_SECRET, "secrets" },
		{ POD_USES_CONFIG_MAP, "configmaps" },
		{ POD_USES_CLAIM, "persistentvolumeclaims" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		if (pod_uses(r->obj, uses[i].use, NULL))
			return admission_forbid(r, "node \"%s\" can not create pods that reference %s", node,
						uses[i].what);
	return STEP_NEXT;
}

static enum step_result check_new_pod(struct request *r, const char *node)
{
	if (!json_path(r->obj, "metadata", "annotations", MIRROR_KEY, NULL))
		return admission_forbid(
		    r, "pod does not have \"%s\" annotation, node \"%s\" can only create mirror pods",
		    MIRROR_KEY, node);
	if (strcmp(spec_node(r->obj), node) != 0)
		return admission_forbid(
		    r, "node \"%s\" can only create pods with spec.nodeName set to itself", node);
	if (check_owner(r, node) == STEP_FAIL)
		return STEP_FAIL;
	return check_references(r, node);
}

static enum step_result check_pod(struct request *r, const char *node, const char *subresource)
{
	if (!r->old)
		return check_new_pod(r, node);
	if (strcmp(subresource, "status") != 0)
		return admission_forbid(
		    r, "unexpected operation \"UPDATE\", node \"%s\" can only create and delete mirror pods",
		    node);
	if (strcmp(spec_node(r->old), node) != 0)
		return admission_forbid(
		    r, "node \"%s\" can only update pod status for pods with spec.nodeName set to itself",
		    node);
	if (!json_equal(json_path(r->obj, "metadata", "labels", NULL),
			json_path(r->old, "metadata", "labels", NULL)))
		return admission_forbid(r, "node \"%s\" cannot update labels through pod status", node);
	return STEP_NEXT;
}

/* --- nodes --- */

static bool in_domain(const char *name, size_t len, const char *domain)
{
	size_t tail = strlen(domain);

	if (len < tail || strncmp(name + len - tail, domain, tail) != 0)
		return false;
	return len == tail || name[len - tail - 1] == '.';
}

/* Labels in Kubernetes' own domains are the cluster's, but for those that say what a node is. */
static bool is_label_of_others(const char *key)
{
	static const char *const own[] = {
		"kubernetes.io/hostname",
		"kubernetes.io/os",
		"kubernetes.io/arch",
		"beta.kubernetes.io/os",
		"beta.kubernetes.io/arch",
		"beta.kubernetes.io/instance-type",
		"node.kubernetes.io/instance-type",
		"topology.kubernetes.io/zone",
		"topology.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone",
		"failure-domain.beta.kubernetes.io/region",
	};
	const char *slash = strchr(key, '/');
	size_t len = slash ? (size_t)(slash - key) : 0;

	if (in_domain(key, len, "node-restriction.kubernetes.io"))
		return true;
	if (!in_domain(key, len, "kubernetes.io") && !in_domain(key, len, "k8s.io"))
		return false;
	if (in_domain(key, len, "kubelet.kubernetes.io") || in_domain(key, len, "node.kubernetes.io"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(key, own[i]) == 0)
			return false;
	return true;
}

struct foreign {
	const char **keys; /* borrowed */
	size_t n;
};

/* Keys of LABELS that are not the node's to set and differ in OTHER, or, ABSENT_ONLY, are not there. */
static void add_foreign(struct foreign *foreign, const struct json_object *labels,
			const struct json_object *other, bool absent_only)
{
	if (!labels)
		return;
	json_object_object_foreach((struct json_object *)labels, key, value)
	{
		const struct json_object *counterpart = json_get(other, key);

		if (!is_label_of_others(key) ||
		    (absent_only ? counterpart != NULL : json_equal(value, counterpart)))
			continue;
		foreign->keys = mem_realloc_array(foreign->keys, foreign->n + 1, sizeof(*foreign->keys));
		foreign->keys[foreign->n++] = key;
	}
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum step_result check_labels(struct request *r, const char *node)
{
	const struct json_object *labels = json_path(r->obj, "metadata", "labels", NULL),
				 *before = json_path(r->old, "metadata", "labels", NULL);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct foreign foreign = { 0 };

	add_foreign(&foreign, labels, before, false);
	add_foreign(&foreign, before, labels, true);
	if (!foreign.n)
		return STEP_NEXT;
	qsort(foreign.keys, foreign.n, sizeof(*foreign.keys), compare_keys);
	for (size_t i = 0; i < foreign.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", foreign.keys[i]);
	free(foreign.keys);
	if (r->old)
		return admission_forbid(r, "is not allowed to modify labels: %s", text.data);
	return admission_forbid(r, "node \"%s\" is not allowed to set the following labels: %s", node,
				text.data);
}

static enum step_result check_node(struct request *r, const char *node)
{
	if (strcmp(r->name, node) != 0)
		return admission_forbid(r, "node \"%s\" is not allowed to modify node \"%s\"", node, r->name);
	if (r->old &&
	    !json_equal(json_path(r->obj, "spec", "taints", NULL), json_path(r->old, "spec", "taints", NULL)))
		return admission_forbid(r, "node \"%s\" is not allowed to modify taints", node);
	if (!json_equal(json_path(r->obj, "metadata", "ownerReferences", NULL),
			json_path(r->old, "metadata", "ownerReferences", NULL)))
		return admission_forbid(r, "node \"%s\" is not allowed to modify ownerReferences", node);
	return check_labels(r, node);
}

/* --- the rest --- */

static enum step_result check_lease(struct request *r, const char *node)
{
	if (strcmp(r->route.namespace_, LEASE_NAMESPACE) != 0)
		return admission_forbid(r, "can only access leases in the \"%s\" system namespace",
					LEASE_NAMESPACE);
	if (strcmp(r->name, node) != 0)
		return admission_forbid(
		    r, "can only access node lease with the same name as the requesting node");
	return STEP_NEXT;
}

static enum step_result check(struct request *r)
{
	const char *node = node_of_identity(r->identity), *plural = r->route.resource->plural;
	const char *subresource = r->route.subresource ? r->route.subresource->name : "";

	if (!node)
		return STEP_NEXT;
	if (strcmp(plural, "pods") == 0)
		return check_pod(r, node, subresource);
	if (strcmp(plural, "nodes") == 0)
		return check_node(r, node);
	if (strcmp(plural, "leases") == 0)
		return check_lease(r, node);
	if (strcmp(plural, "persistentvolumeclaims") == 0)
		return strcmp(subresource, "status") == 0 ? STEP_NEXT
							  : admission_forbid(r, "may only update PVC status");
	if (strcmp(r->name, node) != 0)
		return admission_forbid(r,
					"can only access CSINode with the same name as the requesting node");
	return STEP_NEXT;
}

static enum step_result check_removal(struct request *r)
{
	const char *node = node_of_identity(r->identity);

	if (!node || strcmp(r->route.resource->plural, "pods") != 0 || strcmp(spec_node(r->old), node) == 0)
		return STEP_NEXT;
	return admission_forbid(r, "node \"%s\" can only delete pods with spec.nodeName set to itself", node);
}

enum step_result node_restriction_token(struct request *r, const struct json_object *ref,
					const struct json_object *pod)
{
	const char *node = node_of_identity(r->identity);

	if (!node)
		return STEP_NEXT;
	if (strcmp(json_str_or_empty(ref, "apiVersion"), "v1") != 0 ||
	    strcmp(json_str_or_empty(ref, "kind"), "Pod") != 0 || !*json_str_or_empty(ref, "name"))
		return admission_forbid(r, "node requested token not bound to a pod");
	if (!*json_str_or_empty(ref, "uid"))
		return admission_forbid(r, "node requested token with a pod binding without a uid");
	if (strcmp(spec_node(pod), node) != 0)
		return admission_forbid(r,
					"node requested token bound to a pod scheduled on a different node");
	return STEP_NEXT;
}

const struct admission_plugin admission_node_restriction = {
	.name = "NodeRestriction",
	.resources = concerned,
	.subresources = true,
	.check = check,
	.remove = check_removal,
};
