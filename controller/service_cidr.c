#include "controller/service_cidr.h"

#include <stdlib.h>
#include <string.h>

#include "api/ip.h"
#include "controller/key_run.h"
#include "lib/timefmt.h"

#define FINALIZER     "networking.k8s.io/service-cidr-finalizer"
#define MANAGED_LABEL "ipaddress.kubernetes.io/managed-by"
#define MANAGED_BY    "ipallocator.k8s.io"
#define STRATEGIC     "application/strategic-merge-patch+json"
/* Requests that chose an address before the deletion was known have been answered by then. */
#define GRACE_MS 10000

enum { MAX_RUNNING = 8 };

struct service_cidrs {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *addresses;
	struct work_queue *queue; /* keys are ServiceCIDRs */
	bool begun;
};

/* --- deciding --- */

static const char *name_of(const struct json_object *cidr)
{
	return json_str_or_empty(json_get(cidr, "metadata"), "name");
}

/* A network of CIDR has the network PART, or is the same. */
static bool has(const struct json_object *cidr, const char *part)
{
	const struct json_object *networks = json_path(cidr, "spec", "cidrs", NULL);

	for (size_t i = 0; i < json_len(networks); i++) {
		const char *network = json_object_get_string(json_at(networks, i));
		if (strcmp(network, part) == 0 || ip_cidr_inside(part, network))
			return true;
	}
	return false;
}

static bool another_has(const struct json_object *cidr, const struct json_object *all, const char *part)
{
	for (size_t i = 0; i < json_len(all); i++)
		if (strcmp(name_of(json_at(all, i)), name_of(cidr)) != 0 && has(json_at(all, i), part))
			return true;
	return false;
}

bool service_cidr_is_covered(const struct json_object *cidr, const struct json_object *all)
{
	const struct json_object *networks = json_path(cidr, "spec", "cidrs", NULL);

	for (size_t i = 0; i < json_len(networks); i++)
		if (!another_has(cidr, all, json_object_get_string(json_at(networks, i))))
			return false;
	return true;
}

bool service_cidr_alone_has(const struct json_object *cidr, const struct json_object *all,
			    const char *address)
{
	CLEANUP(mem_freep) char *part = mem_printf("%s/%d", address, strchr(address, ':') ? 128 : 32);

	return has(cidr, part) && !another_has(cidr, all, part);
}

/* Some Service would be left with an address of no network. */
static bool is_in_use(const struct service_cidrs *cidrs, const struct json_object *cidr,
		      const struct json_object *all)
{
	const struct meta *address;

	if (service_cidr_is_covered(cidr, all))
		return false;
	for (size_t i = 0; (address = cache_next(cidrs->cache, cidrs->addresses, &i));) {
		const char *by = labels_get(address->labels, MANAGED_LABEL);
		if (by && strcmp(by, MANAGED_BY) == 0 && service_cidr_alone_has(cidr, all, address->name))
			return true;
	}
	return false;
}

/* --- writing --- */

/* PATCH of the ServiceCIDR, or of its status, which FORMAT gives. */
static void patch(struct key_run *run, const struct service_cidrs *cidrs, const struct json_object *cidr,
		  const char *subresource, const struct json_object *body)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, text = BUF_INIT;

	meta_path(&path, cidrs->resource, "", name_of(cidr), subresource);
	json_write(&text, body);
	key_run_call(run, "PATCH", &path, STRATEGIC, &text, NULL, NULL);
}

static bool has_finalizer(const struct json_object *cidr)
{
	const struct json_object *finalizers = json_path(cidr, "metadata", "finalizers", NULL);

	for (size_t i = 0; i < json_len(finalizers); i++)
		if (strcmp(json_object_get_string(json_at(finalizers, i)), FINALIZER) == 0)
			return true;
	return false;
}

/* DIRECTIVE: "finalizers" adds it, "$deleteFromPrimitiveList/finalizers" takes it away. */
static void patch_finalizer(struct key_run *run, const struct service_cidrs *cidrs,
			    const struct json_object *cidr, const char *directive)
{
	CLEANUP(json_putp) struct json_object *body = json_object_new_object();

	json_object_array_add(json_ensure_array(json_ensure_object(body, "metadata"), directive),
			      json_object_new_string(FINALIZER));
	patch(run, cidrs, cidr, NULL, body);
}

static void set_ready(struct key_run *run, const struct service_cidrs *cidrs, const struct json_object *cidr,
		      const char *status, const char *reason, const char *message)
{
	const struct json_object *conditions = json_path(cidr, "status", "conditions", NULL);
	CLEANUP(json_putp) struct json_object *body = json_object_new_object();
	struct json_object *condition = json_object_new_object();
	char now[TIMEFMT_SIZE];

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0 &&
		    strcmp(json_str_or_empty(json_at(conditions, i), "status"), status) == 0) {
			json_object_put(condition);
			return;
		}
	json_set_str(condition, "type", "Ready");
	json_set_str(condition, "status", status);
	json_set_str(condition, "lastTransitionTime", time_format(time_now_us(), now));
	json_set_str(condition, "reason", reason);
	json_set_str(condition, "message", message);
	json_object_array_add(json_ensure_array(json_ensure_object(body, "status"), "conditions"), condition);
	patch(run, cidrs, cidr, "status", body);
}

/* --- one of them --- */

static void end(struct key_run *run, const struct service_cidrs *cidrs, const struct json_object *cidr,
		const struct json_object *all)
{
	int64_t deleted_us = 0, left_ms;

	if (!has_finalizer(cidr))
		return;
	if (is_in_use(cidrs, cidr, all)) {
		set_ready(
		    run, cidrs, cidr, "False", "Terminating",
		    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create "
		    "a new ServiceCIDR");
		return;
	}
	time_parse(json_str_or_empty(json_get(cidr, "metadata"), "deletionTimestamp"), &deleted_us);
	left_ms = GRACE_MS - (time_now_us() - deleted_us) / 1000;
	if (left_ms > 0)
		work_queue_add_after(cidrs->queue, run->key, left_ms < GRACE_MS ? left_ms : GRACE_MS);
	else
		patch_finalizer(run, cidrs, cidr, "$deleteFromPrimitiveList/finalizers");
}

static void listed(struct key_run *run, const struct api_response *response, void *arg)
{
	const struct service_cidrs *cidrs = arg;
	CLEANUP(json_putp) struct json_object *list = NULL;

	if (!key_run_check(run, response) || json_parse(response->data, response->len, &list, NULL, NULL) < 0)
		return;
	const struct json_object *all = json_get(list, "items");
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json_object *cidr = json_at(all, i);
		if (strcmp(name_of(cidr), run->key) != 0)
			continue;
		if (json_path(cidr, "metadata", "deletionTimestamp", NULL)) {
			end(run, cidrs, cidr, all);
			continue;
		}
		if (!has_finalizer(cidr))
			patch_finalizer(run, cidrs, cidr, "finalizers");
		set_ready(run, cidrs, cidr, "True", "", "Kubernetes Service CIDR is ready");
	}
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct service_cidrs *cidrs = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!cidrs->begun || !cache_get(cidrs->cache, cidrs->resource, key)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, cidrs->client, "ServiceCIDR");
	meta_path(&path, cidrs->resource, "", NULL, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, listed, cidrs);
	key_run_end(run);
}

/* --- what is watched --- */

static void look_at(const struct service_cidrs *cidrs, bool deleting_only)
{
	const struct meta *meta;

	for (size_t i = 0; (meta = cache_next(cidrs->cache, cidrs->resource, &i));)
		if (meta->deleting || !deleting_only)
			work_queue_add(cidrs->queue, meta->item.key);
}

/* An address that goes, and a network that comes, may be what one that is deleted waits for. */
static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct service_cidrs *cidrs = arg;

	if (!cidrs->begun)
		return;
	if (resource == cidrs->resource && new_)
		work_queue_add(cidrs->queue, new_->item.key);
	if (resource == cidrs->resource ? !old || !new_ : !new_)
		look_at(cidrs, true);
}

struct service_cidrs *service_cidrs_new(struct loop *loop, struct api_client *client, struct cache *cache)
{
	struct service_cidrs *cidrs = mem_zalloc(sizeof(*cidrs));

	cidrs->client = client;
	cidrs->cache = cache;
	cidrs->resource = resource_find("networking.k8s.io", "v1", "servicecidrs");
	cidrs->addresses = resource_find("networking.k8s.io", "v1", "ipaddresses");
	cidrs->queue = work_queue_new(loop, MAX_RUNNING, reconcile, cidrs);
	cache_watch(cache, cidrs->resource, changed, cidrs);
	cache_watch(cache, cidrs->addresses, changed, cidrs);
	return cidrs;
}

void service_cidrs_synced(struct service_cidrs *cidrs)
{
	cidrs->begun = true;
	look_at(cidrs, false);
}

void service_cidrs_free(struct service_cidrs *cidrs)
{
	if (!cidrs)
		return;
	work_queue_free(cidrs->queue);
	free(cidrs);
}
