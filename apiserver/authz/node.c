#include "apiserver/authz/node.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/authz/pod_uses.h"
#include "apiserver/core/follow.h"
#include "lib/map.h"

#define LEASE_NAMESPACE "kube-node-lease"

struct node_pods {
	char *name;
	struct object **pods; /* borrowed from the follower */
	size_t n;
};

struct node_authz {
	struct core *core;
	struct follow *follow;
	struct map nodes; /* struct node_pods */
	const struct resource *claims;
	struct authz_rules rules;
};

const char *node_of_identity(const struct identity *identity)
{
	size_t len = strlen(NODE_USER_PREFIX);

	if (strncmp(identity->user, NODE_USER_PREFIX, len) != 0 || !identity_in_group(identity, GROUP_NODES))
		return NULL;
	return identity->user + len;
}

/* --- pods by node --- */

static void remove_pod(struct node_authz *node, const char *node_name, const struct object *pod)
{
	struct node_pods *pods = map_get(&node->nodes, node_name);

	for (size_t i = 0; pods && i < pods->n; i++) {
		if (pods->pods[i] != pod)
			continue;
		pods->pods[i] = pods->pods[--pods->n];
		break;
	}
	if (!pods || pods->n)
		return;
	map_remove(&node->nodes, node_name);
	free(pods->pods);
	free(pods->name);
	free(pods);
}

static void add_pod(struct node_authz *node, const char *node_name, struct object *pod)
{
	struct node_pods *pods = map_get(&node->nodes, node_name);

	if (!pods) {
		pods = mem_zalloc(sizeof(*pods));
		pods->name = mem_dup(node_name);
		map_put(&node->nodes, pods->name, pods);
	}
	pods->pods = mem_realloc_array(pods->pods, pods->n + 1, sizeof(*pods->pods));
	pods->pods[pods->n++] = pod;
}

static const char *node_of_pod(const struct object *pod)
{
	const char *name = pod ? object_field(pod, "spec.nodeName") : NULL;

	return name && *name ? name : NULL;
}

static void on_change(const struct follow_change *change, void *arg)
{
	const char *before = node_of_pod(change->previous), *after = node_of_pod(change->object);

	if (before)
		remove_pod(arg, before, change->previous);
	if (after)
		add_pod(arg, after, change->object);
}

/* --- who uses what --- */

/* NAME as a JSON string stands somewhere in the object: what looks for it in the parsed object need not. */
static bool mentions(const struct object *object, const char *quoted)
{
	size_t len;
	const char *bytes = object_bytes(object, &len);

	return memmem(bytes, len, quoted, strlen(quoted)) != NULL;
}

struct use {
	struct node_authz *node;
	enum pod_use use;
	const char *namespace_, *name;
	bool volume; /* NAME is a volume's; which claims have it is asked of them */
};

/* The claim has the volume. */
static bool claim_has(const char *claim, void *arg)
{
	const struct use *use = arg;
	CLEANUP(object_unrefp) struct object *object = NULL;

	if (!use->node->claims ||
	    core_get(use->node->core, use->node->claims, use->namespace_, claim, &object, NULL) < 0)
		return false;

	CLEANUP(json_putp) struct json_object *obj = object_json(object);

	return strcmp(json_str_or_empty(json_get(obj, "spec"), "volumeName"), use->name) == 0;
}

/* Mirror pods are the agent's own, and give it nothing. */
static bool pod_gives(const struct object *pod, struct use *use)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(pod);

	if (json_path(obj, "metadata", "annotations", "kubernetes.io/config.mirror", NULL))
		return false;
	if (!use->volume)
		return pod_uses(obj, use->use, use->name);
	use->namespace_ = object_namespace(pod);
	return pod_each_claim(obj, claim_has, use);
}

static int node_uses(struct node_authz *node, const char *node_name, struct use *use, bool *ret,
		     struct err *err)
{
	CLEANUP(buf_close) struct buf quoted = BUF_INIT;
	/* The claim of an ephemeral volume has a name that is made of two. */
	bool spelled = !use->volume && use->use != POD_USES_CLAIM;

	buf_json_string(&quoted, use->name);
	if (follow_read(node->follow, err) < 0)
		return -1;
	*ret = false;

	const struct node_pods *pods = map_get(&node->nodes, node_name);

	for (size_t i = 0; pods && i < pods->n && !*ret; i++) {
		const struct object *pod = pods->pods[i];

		if (use->volume || strcmp(object_namespace(pod), use->namespace_) == 0)
			*ret = (!spelled || mentions(pod, quoted.data)) && pod_gives(pod, use);
	}
	follow_done(node->follow);
	return 0;
}

/* --- decisions --- */

struct question {
	struct node_authz *node;
	const char *node_name;
	const struct authz_attributes *a;
	bool allowed;
	struct buf *reason;
	struct err *err;
};

static int refuse(struct question *q, const char *format, ...) PRINTF_LIKE(2, 3);
static int refuse(struct question *q, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(q->reason, format, ap);
	va_end(ap);
	return 0;
}

static bool verb_is(const struct question *q, unsigned verbs)
{
	return (q->a->verb_bit & verbs) != 0;
}

static int allow(struct question *q)
{
	q->allowed = true;
	return 0;
}

/* Through a pod of the node. */
static int by_pod(struct question *q, enum pod_use sort, bool volume)
{
	struct use use = { .node = q->node,
			   .use = sort,
			   .namespace_ = q->a->namespace_,
			   .name = q->a->name,
			   .volume = volume };

	if (!*q->a->name)
		return refuse(q, "No Object name found");
	if (node_uses(q->node, q->node_name, &use, &q->allowed, q->err) < 0)
		return -1;
	if (!q->allowed)
		refuse(q, "no relationship found between node '%s' and this object", q->node_name);
	return 0;
}

static int read_by_pod(struct question *q, enum pod_use sort)
{
	if (!verb_is(q, VERB_GET | VERB_LIST | VERB_WATCH))
		return refuse(q, "can only read resources of this type");
	if (*q->a->subresource)
		return refuse(q, "cannot read subresource");
	if (!*q->a->namespace_)
		return refuse(q, "can only read namespaced object of this type");
	return by_pod(q, sort, false);
}

static int decide_secret(struct question *q)
{
	return read_by_pod(q, POD_USES_SECRET);
}

static int decide_config_map(struct question *q)
{
	return read_by_pod(q, POD_USES_CONFIG_MAP);
}

static int get_by_pod(struct question *q, bool volume)
{
	if (!verb_is(q, VERB_GET))
		return refuse(q, "can only get individual resources of this type");
	if (*q->a->subresource)
		return refuse(q, "cannot get subresource");
	return by_pod(q, POD_USES_CLAIM, volume);
}

static int decide_claim(struct question *q)
{
	if (strcmp(q->a->subresource, "status") != 0)
		return get_by_pod(q, false);
	if (!verb_is(q, VERB_UPDATE | VERB_PATCH))
		return refuse(q, "can only get/update/patch this type");
	return by_pod(q, POD_USES_CLAIM, false);
}

static int decide_volume(struct question *q)
{
	return get_by_pod(q, true);
}

static int decide_account(struct question *q)
{
	if (verb_is(q, VERB_GET) && !*q->a->subresource)
		return by_pod(q, POD_USES_SERVICE_ACCOUNT, false);
	if (!verb_is(q, VERB_CREATE) || !*q->a->name)
		return refuse(q, "can only create tokens for individual service accounts");
	if (strcmp(q->a->subresource, "token") != 0)
		return refuse(q, "can only create token subresource of serviceaccount");
	return by_pod(q, POD_USES_SERVICE_ACCOUNT, false);
}

static int decide_own(struct question *q, const char *what, const char *what_short)
{
	if (!verb_is(q, VERB_GET | VERB_CREATE | VERB_UPDATE | VERB_PATCH | VERB_DELETE))
		return refuse(q, "can only get, create, update, patch, or delete a %s", what);
	/* Of a creation the name may be in the body alone: admission looks at that. */
	if (!verb_is(q, VERB_CREATE) && strcmp(q->a->name, q->node_name) != 0)
		return refuse(q, "can only access %s with the same name as the requesting node", what_short);
	return allow(q);
}

static int decide_lease(struct question *q)
{
	if (strcmp(q->a->namespace_, LEASE_NAMESPACE) != 0)
		return refuse(q, "can only access leases in the \"%s\" system namespace", LEASE_NAMESPACE);
	return decide_own(q, "node lease", "node lease");
}

static int decide_csi_node(struct question *q)
{
	if (*q->a->subresource)
		return refuse(q, "cannot authorize CSINode subresources");
	return decide_own(q, "CSINode", "CSINode");
}

static int decide_node(struct question *q)
{
	if (strcmp(q->a->subresource, "status") == 0 && verb_is(q, VERB_UPDATE | VERB_PATCH))
		return allow(q);
	if (*q->a->subresource)
		return 0;
	/* Which node it is, is admission's question. */
	if (verb_is(q, VERB_CREATE | VERB_UPDATE | VERB_PATCH))
		return allow(q);
	if (!verb_is(q, VERB_GET | VERB_LIST | VERB_WATCH))
		return 0;
	if (!*q->a->name)
		return refuse(q, "node '%s' cannot read all nodes, only its own Node object", q->node_name);
	if (strcmp(q->a->name, q->node_name) != 0)
		return refuse(q, "node '%s' cannot read '%s', only its own Node object", q->node_name,
			      q->a->name);
	return allow(q);
}

/* A pod of the node, itself. */
static int decide_own_pod(struct question *q)
{
	CLEANUP(object_unrefp) struct object *pod = NULL;
	const char *at;

	if (*q->a->name && core_get(q->node->core, resource_find("", "v1", "pods"), q->a->namespace_,
				    q->a->name, &pod, NULL) == 0) {
		at = node_of_pod(pod);
		if (at && strcmp(at, q->node_name) == 0)
			return allow(q);
	}
	return refuse(q, "no relationship found between node '%s' and this object", q->node_name);
}

static int decide_pod(struct question *q)
{
	const char *sub = q->a->subresource;

	if (strcmp(sub, "status") == 0 && verb_is(q, VERB_UPDATE | VERB_PATCH))
		return allow(q);
	if (strcmp(sub, "eviction") == 0 && verb_is(q, VERB_CREATE))
		return decide_own_pod(q);
	if (*sub)
		return 0;
	/* Mirror pods: admission looks at them. */
	if (verb_is(q, VERB_CREATE | VERB_DELETE))
		return allow(q);
	if (verb_is(q, VERB_GET))
		return decide_own_pod(q);
	if (!verb_is(q, VERB_LIST | VERB_WATCH))
		return 0;
	if (q->a->node_name && strcmp(q->a->node_name, q->node_name) == 0)
		return allow(q);
	if (*q->a->name)
		return decide_own_pod(q);
	return refuse(q, "can only list/watch pods with spec.nodeName field selector");
}

static const struct {
	const char *group, *resource;
	int (*decide)(struct question *q);
} narrowed[] = {
	{ "", "pods", decide_pod },
	{ "", "nodes", decide_node },
	{ "", "secrets", decide_secret },
	{ "", "configmaps", decide_config_map },
	{ "", "serviceaccounts", decide_account },
	{ "", "persistentvolumeclaims", decide_claim },
	{ "", "persistentvolumes", decide_volume },
	{ "coordination.k8s.io", "leases", decide_lease },
	{ "storage.k8s.io", "csinodes", decide_csi_node },
};

int node_authz_decide(struct node_authz *node, const char *node_name, const struct authz_attributes *a,
		      bool *ret_allowed, struct buf *reason, struct err *err)
{
	struct question q = { .node = node, .node_name = node_name, .a = a, .reason = reason, .err = err };

	for (size_t i = 0; a->is_resource && i < ARRAY_SIZE(narrowed); i++) {
		if (strcmp(a->resource, narrowed[i].resource) != 0 ||
		    strcmp(a->group, narrowed[i].group) != 0)
			continue;
		if (narrowed[i].decide(&q) < 0)
			return -1;
		*ret_allowed = q.allowed;
		return 0;
	}
	*ret_allowed = rules_allow(&node->rules, a);
	return 0;
}

/* --- life --- */

struct node_authz *node_authz_new(struct core *core, const struct json_object *rules)
{
	const struct resource *const followed[] = { resource_find("", "v1", "pods") };
	struct node_authz *node = mem_zalloc(sizeof(*node));

	node->core = core;
	node->claims = resource_find("", "v1", "persistentvolumeclaims");
	rules_parse(rules, &node->rules);
	node->follow = follow_new(core, followed, ARRAY_SIZE(followed), on_change, node);
	return node;
}

void node_authz_free(struct node_authz *node)
{
	const char *key;
	void *value;

	if (!node)
		return;
	for (size_t i = 0; map_next(&node->nodes, &i, &key, &value);) {
		struct node_pods *pods = value;

		free(pods->pods);
		free(pods->name);
		free(pods);
	}
	map_close(&node->nodes);
	follow_free(node->follow);
	rules_close(&node->rules);
	free(node);
}
