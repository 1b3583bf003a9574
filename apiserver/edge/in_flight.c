#include "apiserver/edge/in_flight.h"

#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/server.h"

/* That nodes live and who leads is told in time however busy the server is, else an overload would pass for
 * the death of nodes: for this there are as many places again, which the cluster's own programs alone can
 * take. (Kubernetes' flow schemas system-node-high and system-leader-election.)
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#suggested-configuration-objects */
static bool keeps_alive(const struct request *r)
{
	const struct identity *who = r->identity;
	if (!who || r->route.kind != ROUTE_OBJECT || !r->route.resource)
		return false;
	const char *resource = r->route.resource->qualified;
	bool lease = strcmp(resource, "leases.coordination.k8s.io") == 0;
	if (identity_in_group(who, "system:nodes"))
		return lease || strcmp(resource, "nodes") == 0;
	return lease && (strcmp(who->user, "system:kube-scheduler") == 0 ||
			 strcmp(who->user, "system:kube-controller-manager") == 0 ||
			 identity_in_group(who, "system:serviceaccounts:kube-system"));
}

enum step_result in_flight_take(struct request *r)
{
	bool stream = r->route.kind == ROUTE_OBJECT &&
		      (r->route.verb == VERB_WATCH || (r->route.subresource && r->query.follow));
	if (stream || dispatch_is_open(&r->route))
		return STEP_NEXT;
	bool reads = r->method == METHOD_GET || r->method == METHOD_HEAD;
	_Atomic int64_t *count = reads ? &r->server->reads : &r->server->writes;
	int64_t max = reads ? r->server->max_reads : r->server->max_writes;
	if (++*count > max && !(keeps_alive(r) && *count <= 2 * max)) {
		--*count;
		r->retry_after_s = 1;
		return request_fail(
		    r, DETAILS_EMPTY, ERR_TOO_MANY_REQUESTS,
		    "The server has received too many requests and has asked us to try again later");
	}
	r->counted_read = reads;
	r->counted_write = !reads;
	return STEP_NEXT;
}

void in_flight_release(struct request *r)
{
	if (r->counted_read)
		r->server->reads--;
	if (r->counted_write)
		r->server->writes--;
	r->counted_read = r->counted_write = false;
}
