/* Nodes without machines: one process plays N of them. It registers them, renews their leases every ten
 * seconds, says of each pod bound to them that it runs and is ready, and ends those that are deleted, with
 * the requests that a node agent sends. Prints "ready 1" when all nodes are there and take pods; runs until
 * it is killed, which is how its nodes die.
 *
 *     pod bound ──▶ PATCH status: Running, Ready      pod with deletionTimestamp ──▶ DELETE without grace
 *
 * A server that is away for a moment is asked again; whoever it is about may be gone by then.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/tally.h"
#include "lib/informer.h"
#include "lib/timefmt.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

enum { RENEW_MS = 10000, TICK_MS = 20, RETRY_MS = 100 };

struct fake_nodes {
	struct loop *loop;
	struct api_client *client;
	struct api_client *lease_client; /* leases do not wait behind pods */
	char *prefix;                    /* "NAME-": of all names of its nodes */
	size_t n;
	struct fake_lease *leases; /* N of them */
	bool together;             /* all leases at once: their nodes then die within moments of each other */
	struct loop_timer renew;
	int64_t began_ms;
	uint64_t renewed; /* leases since then */
};

/* --- requests --- */

/* One that must arrive. */
struct duty {
	struct fake_nodes *fake;
	const char *method;
	char *path, *body;
	struct loop_timer retry;
};

static void duty_send(struct duty *duty);

static void duty_again(struct loop_timer *timer, void *arg)
{
	(void)timer;
	duty_send(arg);
}

static void duty_answered(const struct api_response *response, void *arg)
{
	struct duty *duty = arg;
	enum err_kind kind = response->err.kind;

	if (kind == ERR_CONNECTION || kind == ERR_TIMEOUT || kind == ERR_TOO_MANY_REQUESTS ||
	    kind == ERR_SERVICE_UNAVAILABLE) {
		loop_timer_arm(&duty->retry, RETRY_MS);
		return;
	}
	if (kind != ERR_NONE && kind != ERR_NOT_FOUND && kind != ERR_CONFLICT)
		bench_die("fake nodes: %s %s: %s", duty->method, duty->path, response->err.msg);
	free(duty->path);
	free(duty->body);
	free(duty);
}

static void duty_send(struct duty *duty)
{
	const char *type = strcmp(duty->method, "PATCH") == 0 ? "application/merge-patch+json" : NULL;

	api_client_call(duty->fake->client, duty->method, duty->path, type, duty->body, strlen(duty->body),
			duty_answered, duty);
}

static void duty_new(struct fake_nodes *fake, const char *method, char *path_taken, char *body_taken)
{
	struct duty *duty = mem_alloc(sizeof(*duty));

	*duty = (struct duty){ .fake = fake, .method = method, .path = path_taken, .body = body_taken };
	loop_timer_init(&duty->retry, fake->loop, duty_again, duty);
	duty_send(duty);
}

/* --- pods --- */

struct fake_pod {
	struct informer_item item;
	bool ended, answered;
	char *path;   /* NULL: not on one of our nodes */
	char *status; /* the patch that it waits for, or NULL */
};

static const char *const pod_wants[] = { "metadata.deletionTimestamp", "spec.nodeName", "spec.containers",
					 "status.phase", NULL };
enum { DELETED, NODE_NAME, CONTAINERS, PHASE };

static void running_container(struct buf *b, struct json_span container, const char *uid, size_t i,
			      const char *now)
{
	struct json_cursor c = json_span_begin(container);
	struct json_span key, value;

	buf_str(b, i ? ",{" : "{");
	while (json_span_member(&c, &key, &value)) {
		if (!json_key_is(key, "name") && !json_key_is(key, "image"))
			continue;
		buf_printf(b, "\"%.*s\":", (int)key.len, key.p);
		buf_add(b, value.p, value.len);
		buf_char(b, ',');
	}
	buf_printf(b,
		   "\"imageID\":\"fake\",\"containerID\":\"fake://%s-%zu\",\"ready\":true,"
		   "\"started\":true,\"restartCount\":0,\"lastState\":{},"
		   "\"state\":{\"running\":{\"startedAt\":\"%s\"}}}",
		   uid, i, now);
}

static char *running_status(struct json_span containers, const char *uid, size_t address)
{
	static const char *const conditions[] = { "PodReadyToStartContainers", "Initialized", "Ready",
						  "ContainersReady", "PodScheduled" };
	struct json_cursor c = json_span_begin(containers);
	struct json_span container;
	struct buf b = BUF_INIT;
	char now[TIMEFMT_SIZE];

	time_format(time_now_us(), now);
	buf_printf(&b,
		   "{\"status\":{\"phase\":\"Running\",\"hostIP\":\"127.0.0.1\",\"startTime\":\"%s\","
		   "\"podIP\":\"11.%zu.%zu.%zu\",\"conditions\":[",
		   now, address / 65536 % 256, address / 256 % 256, address % 256);
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		buf_printf(&b,
			   "%s{\"type\":\"%s\",\"status\":\"True\",\"lastProbeTime\":null,"
			   "\"lastTransitionTime\":\"%s\"}",
			   i ? "," : "", conditions[i], now);
	buf_str(&b, "],\"containerStatuses\":[");
	for (size_t i = 0; json_span_element(&c, &container); i++)
		running_container(&b, container, uid, i, now);
	buf_str(&b, "]}}");
	return buf_take(&b);
}

static bool decode_pod(void *item, const struct json_span *found, void *arg)
{
	struct fake_nodes *fake = arg;
	struct fake_pod *pod = item;
	struct json_span node = json_span_plain(found[NODE_NAME]);
	const char *slash = strchr(pod->item.key, '/');
	size_t prefix_len = strlen(fake->prefix);

	if (!slash || node.len < prefix_len || memcmp(node.p, fake->prefix, prefix_len) != 0)
		return true;
	pod->path = mem_printf("/api/v1/namespaces/%.*s/pods/%s", (int)(slash - pod->item.key), pod->item.key,
			       slash + 1);
	pod->ended = found[DELETED].p != NULL;
	if (!json_span_is(found[PHASE], "Running"))
		pod->status = running_status(found[CONTAINERS], pod->item.uid, (size_t)pod->item.revision);
	return true;
}

static void close_pod(void *item)
{
	struct fake_pod *pod = item;

	free(pod->path);
	free(pod->status);
}

static void attend(struct fake_nodes *fake, struct fake_pod *pod)
{
	if (!pod->path)
		return;
	if (pod->ended) {
		duty_new(fake, "DELETE", mem_dup(pod->path), mem_dup("{\"gracePeriodSeconds\":0}"));
	} else if (pod->status && !pod->answered) {
		pod->answered = true;
		duty_new(fake, "PATCH", mem_printf("%s/status", pod->path), TAKE(pod->status));
	}
}

static void pod_added(void *item, void *arg)
{
	attend(arg, item);
}

static void pod_updated(void *old, void *new_, void *arg)
{
	const struct fake_pod *was = old;
	struct fake_pod *is = new_;

	is->answered = was->answered;
	if (!was->ended)
		attend(arg, is);
}

/* --- leases --- */

struct fake_lease {
	bool renewing;
};

static void renew_answered(const struct api_response *response, void *arg)
{
	struct fake_lease *lease = arg;

	(void)response; /* the next one comes in ten seconds anyway */
	lease->renewing = false;
}

static void renew_lease(struct fake_nodes *fake, size_t i)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	char now[TIMEFMT_SIZE];

	/* A server that is slower than this is not asked for the same twice. */
	if (fake->leases[i].renewing)
		return;
	fake->leases[i].renewing = true;
	buf_printf(&path, "%s/%s%zu", LEASES, fake->prefix, i);
	buf_printf(
	    &body,
	    "{\"spec\":{\"holderIdentity\":\"%s%zu\",\"leaseDurationSeconds\":40,\"renewTime\":\"%s\"}}",
	    fake->prefix, i, time_format_micro(time_now_us(), now));
	api_client_call(fake->lease_client, "PATCH", path.data, "application/merge-patch+json", body.data,
			body.len, renew_answered, &fake->leases[i]);
}

static void renew_due(struct loop_timer *timer, void *arg)
{
	struct fake_nodes *fake = arg;
	uint64_t passed_ms = (uint64_t)(loop_now_ms(fake->loop) - fake->began_ms);
	uint64_t wanted =
	    fake->together ? fake->n * (passed_ms / RENEW_MS + 1) : fake->n * passed_ms / RENEW_MS;

	while (fake->renewed < wanted)
		renew_lease(fake, fake->renewed++ % fake->n);
	loop_timer_arm(timer, TICK_MS);
}

static void make_lease(size_t i, struct buf *path, struct buf *body, void *arg)
{
	const struct fake_nodes *fake = arg;
	char now[TIMEFMT_SIZE];

	buf_str(path, LEASES);
	buf_printf(body,
		   "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":"
		   "\"%s%zu\",\"namespace\":\"kube-node-lease\"},\"spec\":{\"holderIdentity\":\"%s%zu\","
		   "\"leaseDurationSeconds\":40,\"renewTime\":\"%s\"}}",
		   fake->prefix, i, fake->prefix, i, time_format_micro(time_now_us(), now));
}

/* --- nodes --- */

static void make_node(size_t i, struct buf *path, struct buf *body, void *arg)
{
	buf_str(path, "/api/v1/nodes");
	object_node(body, arg, i);
}

static void register_nodes(struct fake_nodes *fake, char *name)
{
	struct tally_watch *nodes = tally_nodes(fake->loop, fake->client);
	size_t already = tally_now(nodes)->ready;
	struct client_sender *sender = client_send(fake->client, "POST", fake->n, make_node, name, NULL);

	client_sender_finish(sender, fake->loop);
	client_sender_finish(client_send(fake->lease_client, "POST", fake->n, make_lease, fake, NULL),
			     fake->loop);
	tally_until_least(nodes, &tally_now(nodes)->ready, already + fake->n);
	tally_free(nodes);
}

int bench_fake_nodes(int argc, char **argv)
{
	struct fake_nodes fake = { .prefix = mem_printf("%s-", argv[1]),
				   .n = bench_count(argv[2]),
				   .together = argc > 3 && strcmp(argv[3], "together") == 0,
				   .loop = loop_new(NULL) };
	/* Bound pods only: those that wait for a node are nobody's here. */
	struct informer_type type = { .path = "/api/v1/pods",
				      .query = "fieldSelector=spec.nodeName!%3D",
				      .wants = pod_wants,
				      .item_size = sizeof(struct fake_pod),
				      .decode_text = decode_pod,
				      .close = close_pod,
				      .added = pod_added,
				      .updated = pod_updated };

	fake.client = client_new(fake.loop, argv[0]);
	fake.lease_client = client_new(fake.loop, argv[0]);
	fake.leases = mem_zalloc(fake.n * sizeof(*fake.leases));
	register_nodes(&fake, argv[1]);
	fake.began_ms = time_mono_ms();
	loop_timer_init(&fake.renew, fake.loop, renew_due, &fake);
	loop_timer_arm(&fake.renew, TICK_MS);
	struct informer *pods = informer_new(fake.loop, fake.client, &type, &fake);
	while (!informer_synced(pods))
		loop_turn(fake.loop, -1);
	bench_figure("ready", 1);
	loop_run(fake.loop);
	return 0;
}
