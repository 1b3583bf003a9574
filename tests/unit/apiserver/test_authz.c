#include "apiserver/authz/authz.h"

#include "apiserver/authz/bootstrap_rbac.h"
#include "apiserver/authz/pod_uses.h"
#include "tests/unit/apiserver/core_fixture.h"

#define RBAC "rbac.authorization.k8s.io"

static char *dir;
static struct core *server;
static struct authz *authz;

static int setup(void **state)
{
	(void)state;
	dir = make_folder();
	server = start(dir);
	authz = authz_new(server);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	authz_free(authz);
	core_stop_and_free(server);
	remove_folder(dir);
	return 0;
}

static const struct resource *rbac(const char *plural)
{
	return resource_find(RBAC, "v1", plural);
}

static void put(enum core_op op, const char *plural, const char *members)
{
	assert_true(put_object(server, op, make(rbac(plural), "%s", members), 0) > 0);
}

static void put_pod(const char *name, const char *node, const char *spec)
{
	assert_true(
	    put_object(server, CORE_CREATE,
		       make(pods(), "\"name\":\"%s\",\"namespace\":\"d\"},\"spec\":{\"nodeName\":\"%s\"%s}",
			    name, node, spec),
		       0) > 0);
}

/* A question: user, groups (commas), verb, group/resource/subresource, namespace, name. */
struct ask {
	const char *user, *groups, *verb, *group, *resource, *subresource, *namespace_, *name, *node_name;
};

static bool allowed(const struct ask *ask, struct buf *reason)
{
	CLEANUP(identity_unrefp) struct identity *identity = identity_new(ask->user, "");
	CLEANUP(mem_freep) char *groups = mem_dup(ask->groups ? ask->groups : "");
	CLEANUP(buf_close) struct buf said = BUF_INIT;
	struct authz_attributes a = { .identity = identity,
				      .is_resource = true,
				      .group = ask->group ? ask->group : "",
				      .version = "v1",
				      .resource = ask->resource,
				      .subresource = ask->subresource ? ask->subresource : "",
				      .namespace_ = ask->namespace_ ? ask->namespace_ : "",
				      .name = ask->name ? ask->name : "",
				      .node_name = ask->node_name,
				      .explain = reason != NULL };
	struct err err = ERR_INIT;
	bool result;

	for (char *rest = groups, *group; (group = strsep(&rest, ",")) != NULL;)
		identity_add_group(identity, group, strlen(group));
	attributes_set_verb(&a, ask->verb);
	if (authz_decide(authz, &a, &result, &said, &err) < 0)
		fail_msg("%s", err.msg);
	if (reason) {
		buf_reset(reason);
		buf_str(reason, said.data ? said.data : "");
	}
	return result;
}

#define ALLOWED(...) allowed(&(struct ask){ __VA_ARGS__ }, NULL)

static void assert_reason(const struct ask *ask, bool expected, const char *text)
{
	CLEANUP(buf_close) struct buf reason = BUF_INIT;

	assert_int_equal(allowed(ask, &reason), expected);
	assert_string_equal(reason.data, text);
}

/* --- RBAC --- */

#define READ_PODS                 "\"rules\":[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]"
#define TO(kind, role)            "\"roleRef\":{\"apiGroup\":\"" RBAC "\",\"kind\":\"" kind "\",\"name\":\"" role "\"}"
#define SUBJECT(kind, name, more) "{\"kind\":\"" kind "\",\"name\":\"" name "\"" more "}"

static void test_bindings(void **state)
{
	(void)state;
	assert_false(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_true(ALLOWED("root", "system:masters", "get", .resource = "pods", .namespace_ = "d"));
	put(CORE_CREATE, "roles", "\"name\":\"r\",\"namespace\":\"d\"}," READ_PODS);
	put(CORE_CREATE, "rolebindings",
	    "\"name\":\"b\",\"namespace\":\"d\"}," TO("Role", "r") ",\"subjects\":[" SUBJECT(
		"User", "jane",
		"") "," SUBJECT("Group", "dev",
				"") "," SUBJECT("ServiceAccount", "bot",
						"") "," SUBJECT("ServiceAccount", "far",
								",\"namespace\":\"other\"") "]");
	assert_true(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_true(ALLOWED("joe", "a,dev", "list", .resource = "pods", .namespace_ = "d"));
	assert_true(
	    ALLOWED("system:serviceaccount:d:bot", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_true(
	    ALLOWED("system:serviceaccount:other:far", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_false(
	    ALLOWED("system:serviceaccount:other:bot", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_false(ALLOWED("dev", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_false(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "e"));
	assert_false(ALLOWED("jane", .verb = "get", .resource = "pods"));
	/* Another role, another set of subjects, none. */
	put(CORE_UPDATE, "roles", "\"name\":\"r\",\"namespace\":\"d\"},\"rules\":[]");
	assert_false(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "d"));
	put(CORE_UPDATE, "roles", "\"name\":\"r\",\"namespace\":\"d\"}," READ_PODS);
	put(CORE_UPDATE, "rolebindings",
	    "\"name\":\"b\",\"namespace\":\"d\"}," TO("Role", "r") ",\"subjects\":[" SUBJECT(
		"User", "joe", "") "," SUBJECT("User", "joe", "") "]");
	assert_false(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_true(ALLOWED("joe", .verb = "get", .resource = "pods", .namespace_ = "d"));
	remove_object(server, rbac("rolebindings"), "d", "b");
	assert_false(ALLOWED("joe", .verb = "get", .resource = "pods", .namespace_ = "d"));
}

static void test_cluster_roles(void **state)
{
	(void)state;
	/* The binding first: it counts when its role is there. */
	put(CORE_CREATE, "clusterrolebindings",
	    "\"name\":\"b\"}," TO("ClusterRole", "r") ",\"subjects\":[" SUBJECT("User", "jane", "") "]");
	put(CORE_CREATE, "rolebindings",
	    "\"name\":\"b\",\"namespace\":\"d\"}," TO("ClusterRole",
						      "r") ",\"subjects\":[" SUBJECT("Group", "dev", "") "]");
	put(CORE_CREATE, "rolebindings",
	    "\"name\":\"c\",\"namespace\":\"d\"}," TO("Role", "gone") ",\"subjects\":[" SUBJECT(
		"User", "jane", "") "]");
	assert_reason(&(struct ask){ "jane", .verb = "get", .resource = "pods", .namespace_ = "d" }, false,
		      "RBAC: [clusterrole." RBAC " \"r\" not found, role." RBAC " \"gone\" not found]");
	assert_reason(&(struct ask){ "jane", .verb = "get", .resource = "pods" }, false,
		      "RBAC: clusterrole." RBAC " \"r\" not found");
	put(CORE_CREATE, "clusterroles", "\"name\":\"r\"}," READ_PODS);
	assert_true(ALLOWED("jane", .verb = "get", .resource = "pods", .namespace_ = "e"));
	assert_true(ALLOWED("jane", .verb = "list", .resource = "pods"));
	assert_true(ALLOWED("joe", "dev", "get", .resource = "pods", .namespace_ = "d"));
	assert_false(ALLOWED("joe", "dev", "get", .resource = "pods", .namespace_ = "e"));
	assert_false(ALLOWED("joe", "dev", "list", .resource = "pods"));
	assert_reason(&(struct ask){ "jane", .verb = "get", .resource = "pods", .namespace_ = "e" }, true,
		      "RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to User \"jane\"");
	assert_reason(&(struct ask){ "joe", "dev", "get", .resource = "pods", .namespace_ = "d" }, true,
		      "RBAC: allowed by RoleBinding \"b/d\" of ClusterRole \"r\" to Group \"dev\"");
	remove_object(server, rbac("clusterroles"), "", "r");
	assert_false(ALLOWED("jane", .verb = "list", .resource = "pods"));
}

/* Names that are longer than any key in place, and as long. */
static void test_long_names(void **state)
{
	(void)state;
	for (size_t len = 600; len < 700; len++) {
		CLEANUP(mem_freep) char *user = mem_alloc(len + 1);

		memset(user, 'u', len);
		user[len] = '\0';
		CLEANUP(mem_freep)
		char *members = mem_printf("\"name\":\"b%zu\",\"namespace\":\"d\"}," TO(
					       "ClusterRole", "r") ",\"subjects\":["
								   "{\"kind\":\"User\",\"name\":\"%s\"}]",
					   len, user);

		if (len == 600)
			put(CORE_CREATE, "clusterroles", "\"name\":\"r\"}," READ_PODS);
		assert_false(ALLOWED(user, .verb = "get", .resource = "pods", .namespace_ = "d"));
		put(CORE_CREATE, "rolebindings", members);
		assert_true(ALLOWED(user, .verb = "get", .resource = "pods", .namespace_ = "d"));
	}
}

/* --- bootstrap --- */

static void test_reconcile(void **state)
{
	(void)state;
	CLEANUP(json_putp)
	struct json_object *role =
	    parse("{\"metadata\":{\"name\":\"r\"},\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],"
		  "\"resources\":[\"pods\"]},"
		  "{\"verbs\":[\"get\"],\"apiGroups\":[\"own\"],\"resources\":[\"x\"]}]}");
	CLEANUP(json_putp)
	struct json_object *wanted = parse("{\"metadata\":{\"name\":\"r\",\"labels\":{\"a\":\"b\"}},"
					   "\"rules\":[{\"verbs\":[\"get\",\"list\"],\"apiGroups\":"
					   "[\"\"],\"resources\":[\"pods\"]}]}");
	CLEANUP(json_putp)
	struct json_object *expected = parse("{\"metadata\":{\"name\":\"r\",\"labels\":{\"a\":\"b\"}},"
					     "\"rules\":[{\"verbs\":[\"get\"],\"apiGroups\":[\"\"],"
					     "\"resources\":[\"pods\"]},{\"verbs\":[\"get\"],\"apiGroups\":["
					     "\"own\"],\"resources\":[\"x\"]},{\"verbs\":"
					     "[\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}]}");
	CLEANUP(json_putp)
	struct json_object *binding =
	    parse("{\"metadata\":{},\"subjects\":[{\"kind\":\"User\",\"name\":\"mine\"}]}");
	CLEANUP(json_putp)
	struct json_object *subjects =
	    parse("{\"metadata\":{},\"subjects\":[{\"kind\":\"User\",\"name\":\"x\"}]}");
	CLEANUP(json_putp)
	struct json_object *aggregated =
	    parse("{\"metadata\":{},\"rules\":[],\"aggregationRule\":{\"clusterRoleSelectors\":[{}]}}");
	CLEANUP(json_putp)
	struct json_object *selectors =
	    parse("{\"metadata\":{},\"rules\":[{\"verbs\":[\"x\"]}],\"aggregationRule\":{"
		  "\"clusterRoleSelectors\":[{\"a\":\"b\"}]}}");

	assert_true(bootstrap_rbac_reconcile(role, wanted));
	assert_true(json_equal(role, expected));
	assert_false(bootstrap_rbac_reconcile(role, wanted));
	assert_true(bootstrap_rbac_reconcile(binding, subjects));
	assert_int_equal(json_len(json_get(binding, "subjects")), 2);
	assert_false(bootstrap_rbac_reconcile(binding, subjects));
	assert_true(bootstrap_rbac_reconcile(aggregated, selectors));
	assert_int_equal(json_len(json_path(aggregated, "aggregationRule", "clusterRoleSelectors", NULL)), 2);
	assert_int_equal(json_len(json_get(aggregated, "rules")), 0);
}

/* Of the stored objects what was taken away comes back at the next start, unless it says that it is not to.
 */
static void test_bootstrap(void **state)
{
	(void)state;
	static const char *const plurals[] = { "clusterroles", "roles", "clusterrolebindings",
					       "rolebindings" };
	struct err err = ERR_INIT;
	uint64_t n = 0, revision;

	assert_int_equal(bootstrap_rbac(server, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(plurals); i++)
		n += core_count(server, rbac(plurals[i]));
	assert_true(n >= 135);
	revision = core_revision(server);
	assert_int_equal(bootstrap_rbac(server, &err), 0);
	assert_int_equal(core_revision(server), revision);
	assert_true(ALLOWED("system:kube-scheduler", .verb = "create", .resource = "pods",
			    .subresource = "binding", .namespace_ = "d"));
	remove_object(server, rbac("clusterrolebindings"), "", "system:kube-scheduler");
	put(CORE_UPDATE, "clusterroles", "\"name\":\"system:kube-scheduler\"},\"rules\":[]");
	put(CORE_UPDATE, "clusterroles",
	    "\"name\":\"view\",\"annotations\":{\"rbac.authorization.kubernetes.io/autoupdate\":"
	    "\"false\"}},\"rules\":[]");
	/* One that was bound to another role in between. */
	put(CORE_UPDATE, "clusterrolebindings",
	    "\"name\":\"system:basic-user\"}," TO("ClusterRole", "cluster-admin") ",\"subjects\":[]");
	assert_false(ALLOWED("system:kube-scheduler", .verb = "list", .resource = "nodes"));
	assert_int_equal(bootstrap_rbac(server, &err), 0);
	assert_true(ALLOWED("system:kube-scheduler", .verb = "list", .resource = "nodes"));
	assert_true(ALLOWED("jane", "system:authenticated", "create", .group = "authorization.k8s.io",
			    "selfsubjectaccessreviews"));
	assert_false(
	    ALLOWED("jane", "system:authenticated", "get", .resource = "secrets", .namespace_ = "d"));

	CLEANUP(object_unrefp) struct object *view = NULL;

	assert_int_equal(core_get(server, rbac("clusterroles"), "", "view", &view, &err), 0);
	CLEANUP(json_putp) struct json_object *obj = object_json(view);
	assert_int_equal(json_len(json_get(obj, "rules")), 0);
	revision = core_revision(server);
	assert_int_equal(bootstrap_rbac(server, &err), 0);
	assert_int_equal(core_revision(server), revision);
}

/* The programs: what each may, and what it may not. */
static void test_programs(void **state)
{
	(void)state;
	struct err err = ERR_INIT;

	assert_int_equal(bootstrap_rbac(server, &err), 0);
	assert_true(ALLOWED("system:kube-scheduler", .verb = "watch", .resource = "pods"));
	assert_true(ALLOWED("system:kube-scheduler", .verb = "patch", .resource = "pods",
			    .subresource = "status", .namespace_ = "d"));
	assert_false(
	    ALLOWED("system:kube-scheduler", .verb = "get", .resource = "secrets", .namespace_ = "d"));
	assert_false(ALLOWED("system:kube-scheduler", .verb = "list", .resource = "secrets"));
	assert_false(
	    ALLOWED("system:kube-scheduler", .verb = "create", .resource = "pods", .namespace_ = "d"));
	assert_true(ALLOWED("system:kube-controller-manager", .verb = "delete", .resource = "pods",
			    .namespace_ = "d"));
	assert_true(ALLOWED("system:kube-controller-manager", .verb = "update", .resource = "namespaces",
			    .subresource = "finalize"));
	assert_true(ALLOWED("system:kube-controller-manager", .verb = "patch", .resource = "nodes",
			    .subresource = "status"));
	assert_false(ALLOWED("system:kube-controller-manager", .verb = "create", .resource = "pods",
			     .subresource = "exec"));
	assert_false(ALLOWED("system:kube-controller-manager", .verb = "create", .group = RBAC,
			     .resource = "clusterrolebindings"));
	assert_true(ALLOWED("kube-apiserver-kubelet-client", .verb = "get", .resource = "nodes",
			    .subresource = "proxy"));
	assert_false(
	    ALLOWED("kube-apiserver-kubelet-client", .verb = "get", .resource = "pods", .namespace_ = "d"));
	assert_true(ALLOWED("admin", "kubeadm:cluster-admins", "delete", .resource = "nodes", .name = "n"));
}

/* --- nodes --- */

#define NODE(name) "system:node:" name, "system:nodes"

static void test_nodes(void **state)
{
	(void)state;
	put_pod("p", "a",
		",\"serviceAccountName\":\"bot\",\"volumes\":[{\"secret\":{\"secretName\":\"s\"}},{\"name\":"
		"\"v\","
		"\"persistentVolumeClaim\":{\"claimName\":\"c\"}}]");
	put_pod("q", "b", ",\"containers\":[{\"envFrom\":[{\"configMapRef\":{\"name\":\"m\"}}]}]");
	assert_true(ALLOWED(NODE("a"), "get", .resource = "secrets", .namespace_ = "d", .name = "s"));
	assert_true(ALLOWED(NODE("a"), "watch", .resource = "secrets", .namespace_ = "d", .name = "s"));
	assert_false(ALLOWED(NODE("a"), "update", .resource = "secrets", .namespace_ = "d", .name = "s"));
	assert_false(ALLOWED(NODE("a"), "get", .resource = "secrets", .namespace_ = "e", .name = "s"));
	assert_false(ALLOWED(NODE("a"), "get", .resource = "secrets", .namespace_ = "d", .name = "c"));
	assert_false(ALLOWED(NODE("a"), "list", .resource = "secrets", .namespace_ = "d"));
	assert_false(ALLOWED(NODE("a"), "get", .resource = "configmaps", .namespace_ = "d", .name = "m"));
	assert_true(ALLOWED(NODE("b"), "get", .resource = "configmaps", .namespace_ = "d", .name = "m"));
	assert_false(
	    ALLOWED("system:node:a", .verb = "get", .resource = "secrets", .namespace_ = "d", .name = "s"));
	assert_true(
	    ALLOWED(NODE("a"), "get", .resource = "persistentvolumeclaims", .namespace_ = "d", .name = "c"));
	assert_true(ALLOWED(NODE("a"), "create", .resource = "serviceaccounts", .subresource = "token",
			    .namespace_ = "d", .name = "bot"));
	assert_false(ALLOWED(NODE("b"), "create", .resource = "serviceaccounts", .subresource = "token",
			     .namespace_ = "d", .name = "bot"));
	assert_reason(
	    &(struct ask){ NODE("b"), "get", .resource = "secrets", .namespace_ = "d", .name = "s" }, false,
	    "no relationship found between node 'b' and this object");
	/* Pods: its own, and lists of its own. */
	assert_true(ALLOWED(NODE("a"), "get", .resource = "pods", .namespace_ = "d", .name = "p"));
	assert_false(ALLOWED(NODE("a"), "get", .resource = "pods", .namespace_ = "d", .name = "q"));
	assert_true(ALLOWED(NODE("a"), "watch", .resource = "pods", .node_name = "a"));
	assert_false(ALLOWED(NODE("a"), "watch", .resource = "pods", .node_name = "b"));
	assert_reason(&(struct ask){ NODE("a"), "list", .resource = "pods" }, false,
		      "can only list/watch pods with spec.nodeName field selector");
	/* Itself, and its lease. */
	assert_true(ALLOWED(NODE("a"), "get", .resource = "nodes", .name = "a"));
	assert_false(ALLOWED(NODE("a"), "delete", .resource = "nodes", .name = "a"));
	assert_reason(&(struct ask){ NODE("a"), "get", .resource = "nodes", .name = "b" }, false,
		      "node 'a' cannot read 'b', only its own Node object");
	assert_true(ALLOWED(NODE("a"), "update", .group = "coordination.k8s.io", .resource = "leases",
			    .namespace_ = "kube-node-lease", .name = "a"));
	assert_false(ALLOWED(NODE("a"), "update", .group = "coordination.k8s.io", .resource = "leases",
			     .namespace_ = "kube-node-lease", .name = "b"));
	assert_false(ALLOWED(NODE("a"), "get", .group = "coordination.k8s.io", .resource = "leases",
			     .namespace_ = "d", .name = "a"));
	assert_true(ALLOWED(NODE("a"), "list", .resource = "services"));
	/* What a pod gave goes with it. */
	remove_object(server, pods(), "d", "p");
	assert_false(ALLOWED(NODE("a"), "get", .resource = "secrets", .namespace_ = "d", .name = "s"));
}

struct use {
	enum pod_use use;
	const char *spec;
};

static void test_pod_uses(void **state)
{
	(void)state;
	static const struct use uses[] = {
		{ POD_USES_SECRET, "{\"imagePullSecrets\":[{\"name\":\"o\"},{\"name\":\"x\"}]}" },
		{ POD_USES_SECRET, "{\"volumes\":[{\"secret\":{\"secretName\":\"x\"}}]}" },
		{ POD_USES_SECRET, "{\"volumes\":[{\"projected\":{\"sources\":[{\"configMap\":{\"name\":"
				   "\"o\"}},{\"secret\":{\"name\":\"x\"}}]}}]}" },
		{ POD_USES_SECRET, "{\"volumes\":[{\"csi\":{\"nodePublishSecretRef\":{\"name\":\"x\"}}}]}" },
		{ POD_USES_SECRET, "{\"containers\":[{},{\"env\":[{\"name\":\"A\"},{\"valueFrom\":{"
				   "\"secretKeyRef\":{\"name\":\"x\"}}}]}]}" },
		{ POD_USES_SECRET,
		  "{\"initContainers\":[{\"envFrom\":[{\"secretRef\":{\"name\":\"x\"}}]}]}" },
		{ POD_USES_CONFIG_MAP, "{\"volumes\":[{\"configMap\":{\"name\":\"x\"}}]}" },
		{ POD_USES_CONFIG_MAP,
		  "{\"volumes\":[{\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"x\"}}]}}]}" },
		{ POD_USES_CONFIG_MAP, "{\"ephemeralContainers\":[{\"env\":[{\"valueFrom\":{"
				       "\"configMapKeyRef\":{\"name\":\"x\"}}}]}]}" },
		{ POD_USES_CLAIM, "{\"volumes\":[{\"persistentVolumeClaim\":{\"claimName\":\"x\"}}]}" },
		{ POD_USES_SERVICE_ACCOUNT, "{\"serviceAccountName\":\"x\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		CLEANUP(mem_freep)
		char *text = mem_printf("{\"metadata\":{\"name\":\"p\"},\"spec\":%s}", uses[i].spec);
		CLEANUP(json_putp) struct json_object *pod = parse(text);

		for (enum pod_use use = POD_USES_SECRET; use <= POD_USES_SERVICE_ACCOUNT; use++) {
			bool other = strstr(uses[i].spec, "\"o\"") && use != uses[i].use;

			if (pod_uses(pod, use, "x") != (use == uses[i].use))
				fail_msg("%s: use %d", uses[i].spec, (int)use);
			if (!other && pod_uses(pod, use, NULL) != (use == uses[i].use))
				fail_msg("%s: any use %d", uses[i].spec, (int)use);
		}
		assert_false(pod_uses(pod, uses[i].use, "y"));
	}

	CLEANUP(json_putp)
	struct json_object *ephemeral = parse(
	    "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"volumes\":[{\"name\":\"v\",\"ephemeral\":{}}]}}");

	assert_true(pod_uses(ephemeral, POD_USES_CLAIM, "p-v"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bindings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cluster_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bootstrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_programs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown),
		cmocka_unit_test(test_reconcile),
		cmocka_unit_test(test_pod_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
