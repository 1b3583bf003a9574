/* componentstatuses: how what the server stands on is doing, asked at the moment. Kubernetes deprecates the
 * kind and names its etcd servers in it; here the one component is the store.
 */
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/list.h"

static struct object *store_status(struct request *r)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	struct json_object *condition = json_object_new_object();
	bool healthy = core_healthy(r->server->core);

	json_set_str(json_ensure_object(obj, "metadata"), "name", "store");
	json_set(json_get(obj, "metadata"), "creationTimestamp", NULL);
	json_set_str(condition, "type", "Healthy");
	json_set_str(condition, "status", healthy ? "True" : "False");
	json_set_str(condition, "message", healthy ? "ok" : "");
	if (!healthy)
		json_set_str(condition, "error", "the last commit failed");
	json_object_array_add(json_ensure_array(obj, "conditions"), condition);
	return object_new(r->route.resource, obj, NULL, 0);
}

static enum step_result get_status(struct request *r)
{
	if (strcmp(r->name, "store") != 0) {
		status_not_found(&r->err, r->route.resource, r->name);
		return request_fail_as(r, DETAILS_OBJECT);
	}
	return respond_object(r, 200, store_status(r));
}

static enum step_result list_statuses(struct request *r)
{
	CLEANUP(object_unrefp) struct object *store = store_status(r);

	return list_respond(r, &store, 1, core_revision(r->server->core), NULL, 0);
}

const struct request_step component_status_get_steps[] = { { "get", get_status }, { NULL, NULL } };
const struct request_step component_status_list_steps[] = { { "list", list_statuses }, { NULL, NULL } };
