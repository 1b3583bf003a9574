#include "nodeagent/node_status.h"

#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"
#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/image_store.h"
#include "nodeagent/node_info.h"

#define HEARTBEAT_MS   (5 * 60 * 1000)
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS   10000

struct node_item {
	struct informer_item item;
	char *pod_cidr;
};

struct node_status {
	struct agent *agent;
	struct node_status_opts opts;
	struct informer_type type;
	char *query, *path;
	struct informer *informer;
	struct json_object *status; /* sent last */
	struct http_call *call;
	struct loop_timer timer;
	int64_t retry_ms;
	bool ready, ready_told, registered, dirty;
};

static void send(struct node_status *node);

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct node_item *node = item;

	(void)arg;
	node->pod_cidr = mem_dup(json_str(json_get(obj, "spec"), "podCIDR"));
	return true;
}

static void close_item(void *item)
{
	free(((struct node_item *)item)->pod_cidr);
}

static void on_added(void *item, void *arg)
{
	struct node_status *node = arg;
	const struct node_item *n = item;

	if (n->pod_cidr)
		node->opts.pod_cidr(n->pod_cidr, node->opts.arg);
}

static void on_updated(void *old, void *new_, void *arg)
{
	(void)old;
	on_added(new_, arg);
}

/* Somebody deleted the Node while its agent lives: it comes back. */
static void on_deleted(void *item, void *arg)
{
	struct node_status *node = arg;

	(void)item;
	node->registered = false;
	node->dirty = true;
	send(node);
}

static void node_event(struct node_status *node, const char *type, const char *reason, const char *message)
{
	const struct event_object about = {
		.api_version = "v1",
		.kind = "Node",
		.name = node->agent->node_name,
		.uid = node->agent->node_name,
	};

	event_record(node->agent->events, &about, type, reason, "%s", message);
}

static void tell_ready(struct node_status *node)
{
	static const struct {
		const char *reason, *what;
	} told[] = {
		{ "NodeHasSufficientMemory", "NodeHasSufficientMemory" },
		{ "NodeHasNoDiskPressure", "NodeHasNoDiskPressure" },
		{ "NodeHasSufficientPID", "NodeHasSufficientPID" },
		{ "NodeReady", "NodeReady" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		CLEANUP(mem_freep)
		char *message = mem_printf("Node %s status is now: %s", node->agent->node_name, told[i].what);
		node_event(node, "Normal", told[i].reason, message);
	}
	node->ready_told = true;
}

static void again_later(struct node_status *node, const struct api_response *response, const char *what)
{
	node->retry_ms = node->retry_ms ? node->retry_ms * 2 : RETRY_FIRST_MS;
	if (node->retry_ms > RETRY_MAX_MS)
		node->retry_ms = RETRY_MAX_MS;
	log_warn(what, "node", node->agent->node_name, "error", response->err.msg, NULL);
	loop_timer_arm(&node->timer, node->retry_ms);
}

static void on_status_sent(const struct api_response *response, void *arg)
{
	struct node_status *node = arg;

	node->call = NULL;
	if (response->err.kind != ERR_NONE) {
		node->dirty = true;
		if (response->err.kind == ERR_NOT_FOUND)
			node->registered = false;
		again_later(node, response, "node status not written");
		return;
	}
	node->retry_ms = 0;
	loop_timer_arm(&node->timer, HEARTBEAT_MS);
	if (node->ready && !node->ready_told)
		tell_ready(node);
	if (node->dirty)
		send(node);
}

static void send_status(struct node_status *node)
{
	CLEANUP(json_putp) struct json_object *images = NULL;
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	image_store_list(node->agent->images, &images, NULL);
	struct node_info_opts opts = {
		.node_name = node->agent->node_name,
		.node_ip = node->agent->node_ip,
		.data_dir = node->agent->data_dir,
		.runtime_version = node->opts.runtime_version,
		.max_pods = node->opts.max_pods,
		.port = node->opts.port,
		.images = images,
		.previous = node->status,
		.ready = node->ready,
		.not_ready_message = "container runtime network not ready: the node has no pod CIDR yet",
		.now_us = time_now_us(),
	};
	struct json_object *status = node_info_status(&opts);
	json_object_put(node->status);
	node->status = status;
	node->dirty = false;
	buf_str(&body, "{\"status\":");
	json_write(&body, status);
	buf_char(&body, '}');
	CLEANUP(mem_freep) char *path = mem_printf("%s/status", node->path);
	node->call = api_client_call(node->agent->api, "PATCH", path, "application/merge-patch+json",
				     body.data, body.len, on_status_sent, node);
}

static void on_registered(const struct api_response *response, void *arg)
{
	struct node_status *node = arg;

	node->call = NULL;
	if (response->err.kind != ERR_NONE && response->err.kind != ERR_ALREADY_EXISTS) {
		again_later(node, response, "node not registered");
		return;
	}
	if (response->err.kind == ERR_NONE)
		log_info("node registered", "node", node->agent->node_name, NULL);
	node->registered = true;
	node->retry_ms = 0;
	send_status(node);
}

static void register_node(struct node_status *node)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	struct json_object *meta = json_ensure_object(obj, "metadata"),
			   *labels = json_ensure_object(meta, "labels");
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	json_set_str(obj, "apiVersion", "v1");
	json_set_str(obj, "kind", "Node");
	json_set_str(meta, "name", node->agent->node_name);
	json_set_str(labels, "beta.kubernetes.io/arch", node_info_architecture());
	json_set_str(labels, "beta.kubernetes.io/os", "linux");
	json_set_str(labels, "kubernetes.io/arch", node_info_architecture());
	json_set_str(labels, "kubernetes.io/hostname", node->agent->node_name);
	json_set_str(labels, "kubernetes.io/os", "linux");
	json_write(&body, obj);
	node->call = api_client_call(node->agent->api, "POST", "/api/v1/nodes", NULL, body.data, body.len,
				     on_registered, node);
}

static void send(struct node_status *node)
{
	if (node->call)
		return; /* its end sends what is dirty */
	loop_timer_disarm(&node->timer);
	if (node->registered)
		send_status(node);
	else
		register_node(node);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	send(arg);
}

struct node_status *node_status_new(struct agent *agent, const struct node_status_opts *opts)
{
	struct node_status *node = mem_zalloc(sizeof(*node));

	node->agent = agent;
	node->opts = *opts;
	node->query = mem_printf("fieldSelector=metadata.name%%3D%s", agent->node_name);
	node->path = mem_printf("/api/v1/nodes/%s", agent->node_name);
	node->type = (struct informer_type){
		.path = "/api/v1/nodes",
		.query = node->query,
		.item_size = sizeof(struct node_item),
		.decode = decode,
		.close = close_item,
		.added = on_added,
		.updated = on_updated,
		.deleted = on_deleted,
	};
	loop_timer_init(&node->timer, agent->loop, on_timer, node);
	node_event(node, "Normal", "Starting", "Starting kubelet.");
	send(node);
	node->informer = informer_new(agent->loop, agent->api, &node->type, node);
	return node;
}

void node_status_free(struct node_status *node)
{
	if (!node)
		return;
	informer_free(node->informer);
	loop_timer_disarm(&node->timer);
	if (node->call)
		http_call_cancel(node->call);
	json_object_put(node->status);
	free(node->query);
	free(node->path);
	free(node);
}

void node_status_set_ready(struct node_status *node)
{
	node->ready = true;
	node->dirty = true;
	send(node);
}

void node_status_images_changed(struct node_status *node)
{
	node->dirty = true;
	send(node);
}
