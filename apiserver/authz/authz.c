#include "apiserver/authz/authz.h"

#include <stdlib.h>

#include "apiserver/authz/bootstrap_rbac.h"
#include "apiserver/authz/node.h"

struct authz {
	struct rbac *rbac;
	struct node_authz *node;
};

int authz_decide(struct authz *authz, const struct authz_attributes *a, bool *ret_allowed, struct buf *reason,
		 struct err *err)
{
	const char *node_name;

	*ret_allowed = identity_in_group(a->identity, GROUP_MASTERS);
	if (*ret_allowed)
		return 0;
	node_name = node_of_identity(a->identity);
	if (node_name) {
		if (node_authz_decide(authz->node, node_name, a, ret_allowed, reason, err) < 0)
			return -1;
		if (*ret_allowed)
			return 0;
	}

	CLEANUP(buf_close) struct buf said = BUF_INIT;

	if (rbac_decide(authz->rbac, a, ret_allowed, &said, err) < 0)
		return -1;
	/* Of what is allowed only who allowed it counts. */
	if (*ret_allowed)
		buf_reset(reason);
	if (said.len)
		buf_printf(reason, "%s%s", reason->len ? "\n" : "", said.data);
	return 0;
}

struct rbac *authz_rbac(struct authz *authz)
{
	return authz->rbac;
}

struct authz *authz_new(struct core *core)
{
	CLEANUP(json_putp) struct json_object *node_role = bootstrap_rbac_find("ClusterRole", "system:node");
	struct authz *authz = mem_zalloc(sizeof(*authz));

	authz->rbac = rbac_new(core);
	authz->node = node_authz_new(core, json_get(node_role, "rules"));
	return authz;
}

void authz_free(struct authz *authz)
{
	if (!authz)
		return;
	rbac_free(authz->rbac);
	node_authz_free(authz->node);
	free(authz);
}
