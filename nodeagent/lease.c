#include "nodeagent/lease.h"

#include <stdlib.h>

#include "lib/log.h"
#include "lib/timefmt.h"

#define LEASES         "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define RETRY_FIRST_MS 200

struct lease {
	struct loop *loop;
	struct api_client *api;
	char *node_name;
	struct loop_timer timer;
	struct http_call *call;
	int64_t retry_ms;
	bool creating;
	bool complained;
};

static void renew(struct lease *lease);

static void again(struct lease *lease, const struct api_response *response)
{
	lease->retry_ms = lease->retry_ms ? lease->retry_ms * 2 : RETRY_FIRST_MS;
	if (lease->retry_ms > LEASE_RENEW_MS)
		lease->retry_ms = LEASE_RENEW_MS;
	/* Once: a server that is away would fill the log. */
	if (!lease->complained)
		log_warn("lease not renewed", "node", lease->node_name, "error", response->err.msg, NULL);
	lease->complained = true;
	loop_timer_arm(&lease->timer, lease->retry_ms);
}

static void on_answer(const struct api_response *response, void *arg)
{
	struct lease *lease = arg;
	bool was_creating = lease->creating;

	lease->call = NULL;
	lease->creating = false;
	if (response->err.kind == ERR_NONE) {
		lease->retry_ms = 0;
		lease->complained = false;
		loop_timer_arm(&lease->timer, LEASE_RENEW_MS);
	} else if (response->err.kind == ERR_NOT_FOUND && !was_creating) {
		lease->creating = true;
		renew(lease);
	} else if (response->err.kind == ERR_ALREADY_EXISTS && was_creating) {
		renew(lease);
	} else {
		again(lease, response);
	}
}

static void renew(struct lease *lease)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", LEASES, lease->node_name);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	char now[TIMEFMT_SIZE];

	buf_str(&body, "{");
	if (lease->creating)
		buf_printf(&body,
			   "\"apiVersion\":\"coordination.k8s.io/"
			   "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"%s\","
			   "\"namespace\":\"kube-node-lease\"},",
			   lease->node_name);
	buf_printf(&body,
		   "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d,\"renewTime\":\"%s\"}}",
		   lease->node_name, LEASE_DURATION_S, time_format_micro(time_now_us(), now));
	lease->call = api_client_call(
	    lease->api, lease->creating ? "POST" : "PATCH", lease->creating ? LEASES : path,
	    lease->creating ? NULL : "application/merge-patch+json", body.data, body.len, on_answer, lease);
}

static void on_due(struct loop_timer *timer, void *arg)
{
	(void)timer;
	renew(arg);
}

struct lease *lease_new(struct loop *loop, struct api_client *api, const char *node_name)
{
	struct lease *lease = mem_zalloc(sizeof(*lease));

	lease->loop = loop;
	lease->api = api;
	lease->node_name = mem_dup(node_name);
	loop_timer_init(&lease->timer, loop, on_due, lease);
	renew(lease);
	return lease;
}

void lease_free(struct lease *lease)
{
	if (!lease)
		return;
	loop_timer_disarm(&lease->timer);
	if (lease->call)
		http_call_cancel(lease->call);
	free(lease->node_name);
	free(lease);
}
