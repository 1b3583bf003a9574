#include "tests/churn/players.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/timefmt.h"
#include "tests/churn/object.h"
#include "tests/support/rng.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define MERGE  "application/merge-patch+json"

enum { RENEW_MS = 500, STEP_MOST_MS = 150, RETRY_MS = 100 };

struct player {
	struct players *players;
	char name[32];
	size_t index;
	bool dead, known, ready; /* known: the Node exists; ready: it says so */
	bool leased;             /* the Lease exists */
	bool busy_node, busy_lease;
	struct loop_timer renew, revive;
};

/* A pod bound to one of the nodes. */
struct played {
	struct players *players;
	struct player *node;
	char *uid, *name, *namespace_;
	bool terminating, ready, ended, completes, gone;
	bool busy;
	struct loop_timer timer;
};

struct players {
	struct churn *churn;
	struct rng rng;
	size_t n, kills;
	size_t in_flight; /* calls */
	struct player *list;
	struct map pods; /* uid -> struct played */
};

const char *players_name(size_t i)
{
	static char name[32];

	snprintf(name, sizeof(name), "fake-%zu", i);
	return name;
}

/* --- the Node and its Lease --- */

#define CONDITIONS                                                                                           \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\",\"message\":"   \
	"\"played\","                                                                                        \
	"\"lastHeartbeatTime\":\"%s\",\"lastTransitionTime\":\"%s\"}]"

static void node_answered(const struct api_response *response, void *arg)
{
	struct player *p = arg;

	(void)response; /* what came of it the watch tells */
	p->players->in_flight--;
	p->busy_node = false;
}

static void post_node(struct player *p)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	char now[TIMEFMT_SIZE];

	time_format(time_now_us(), now);
	if (!p->known) {
		buf_str(&path, "/api/v1/nodes");
		buf_printf(
		    &body,
		    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
		    "\"kubernetes.io/"
		    "hostname\":\"%s\"}},\"status\":{\"capacity\":{\"cpu\":\"%dm\",\"memory\":"
		    "\"%dMi\",\"pods\":\"%d\"},\"allocatable\":{\"cpu\":\"%dm\",\"memory\":\"%dMi\",\"pods\":"
		    "\"%d\"}," CONDITIONS "}}",
		    p->name, p->name, PLAYERS_MILLICPU, PLAYERS_MEMORY_MI, PLAYERS_PODS, PLAYERS_MILLICPU,
		    PLAYERS_MEMORY_MI, PLAYERS_PODS, now, now);
	} else {
		buf_printf(&path, "/api/v1/nodes/%s/status", p->name);
		buf_printf(&body, "{\"status\":{" CONDITIONS "}}", now, now);
	}
	p->busy_node = true;
	p->players->in_flight++;
	api_client_call(p->players->churn->client, p->known ? "PATCH" : "POST", path.data,
			p->known ? MERGE : NULL, body.data, body.len, node_answered, p);
}

static void lease_answered(const struct api_response *response, void *arg)
{
	struct player *p = arg;

	p->players->in_flight--;
	p->busy_lease = false;
	if (response->err.kind == ERR_NONE || response->err.kind == ERR_ALREADY_EXISTS)
		p->leased = true;
	else if (response->err.kind == ERR_NOT_FOUND)
		p->leased = false;
}

static void post_lease(struct player *p)
{
	CLEANUP(mem_freep) char *path = p->leased ? mem_printf(LEASES "/%s", p->name) : mem_dup(LEASES);
	char now[TIMEFMT_SIZE];
	CLEANUP(mem_freep)
	char *body = mem_printf(
	    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"%s\","
	    "\"namespace\":\"kube-node-lease\"},\"spec\":{\"holderIdentity\":\"%s\",\"renewTime\":\"%s\"}}",
	    p->name, p->name, time_format_micro(time_now_us(), now));

	p->busy_lease = true;
	p->players->in_flight++;
	api_client_call(p->players->churn->client, p->leased ? "PATCH" : "POST", path,
			p->leased ? MERGE : NULL, body, strlen(body), lease_answered, p);
}

static void renew(struct loop_timer *timer, void *arg)
{
	struct player *p = arg;

	loop_timer_arm(timer, RENEW_MS);
	if (p->dead)
		return;
	if (!p->busy_lease)
		post_lease(p);
	if (!p->busy_node && (!p->known || !p->ready))
		post_node(p);
}

/* --- its pods --- */

static void played_free(struct played *pod)
{
	loop_timer_disarm(&pod->timer);
	free(pod->uid);
	free(pod->name);
	free(pod->namespace_);
	free(pod);
}

static void pod_soon(struct played *pod)
{
	if (!pod->busy && !loop_timer_armed(&pod->timer))
		loop_timer_arm(&pod->timer, churn_between(&pod->players->rng, 0, STEP_MOST_MS));
}

static void pod_answered(const struct api_response *response, void *arg)
{
	struct played *pod = arg;

	(void)response; /* what came of it the watch tells; nothing was not told: again */
	pod->players->in_flight--;
	pod->busy = false;
	if (pod->gone)
		played_free(pod);
	else
		loop_timer_arm(&pod->timer, RETRY_MS);
}

static void pod_status_body(const struct played *pod, bool complete, struct buf *body)
{
	static const char *const conditions[] = { "PodScheduled", "Initialized", "ContainersReady", "Ready" };
	char now[TIMEFMT_SIZE];

	time_format(time_now_us(), now);
	buf_printf(body,
		   "{\"metadata\":{\"uid\":\"%s\"},\"status\":{\"phase\":\"%s\",\"podIP\":\"10.0.0.1\","
		   "\"startTime\":\"%s\","
		   "\"conditions\":[",
		   pod->uid, complete ? "Succeeded" : "Running", now);
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		buf_printf(body, "%s{\"type\":\"%s\",\"status\":\"%s\",\"lastTransitionTime\":\"%s\"}",
			   i ? "," : "", conditions[i], complete && i > 1 ? "False" : "True", now);
	buf_str(body, "]}}");
}

static void pod_step(struct loop_timer *timer, void *arg)
{
	struct played *pod = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	(void)timer;
	if (pod->node->dead || (!pod->terminating && (pod->ended || (pod->ready && !pod->completes))))
		return;
	buf_printf(&path, "/api/v1/namespaces/%s/pods/%s", pod->namespace_, pod->name);
	if (pod->terminating) {
		buf_printf(&body, "{\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%s\"}}", pod->uid);
	} else {
		buf_str(&path, "/status");
		pod_status_body(pod, pod->ready, &body);
	}
	pod->busy = true;
	pod->players->in_flight++;
	api_client_call(pod->players->churn->client, pod->terminating ? "DELETE" : "PATCH", path.data,
			pod->terminating ? NULL : MERGE, body.data, body.len, pod_answered, pod);
}

void players_pod(struct players *players, const struct json_object *obj, bool deleted)
{
	const struct json_object *metadata = json_get(obj, "metadata");
	const char *uid = object_uid(obj);
	const char *node = json_str_or_empty(json_get(obj, "spec"), "nodeName");
	struct played *pod = map_get(&players->pods, uid);
	char *end;

	if (deleted) {
		if (!pod)
			return;
		map_remove(&players->pods, uid);
		loop_timer_disarm(&pod->timer);
		pod->gone = true;
		if (!pod->busy)
			played_free(pod);
		return;
	}
	if (strncmp(node, "fake-", 5) != 0)
		return;
	if (!pod) {
		size_t i = strtoul(node + 5, &end, 10);
		if (*end || i >= players->n)
			return;
		pod = mem_zalloc(sizeof(*pod));
		*pod =
		    (struct played){ .players = players,
				     .node = &players->list[i],
				     .uid = mem_dup(uid),
				     .name = mem_dup(object_name(obj)),
				     .namespace_ = mem_dup(json_str_or_empty(metadata, "namespace")),
				     .completes = json_path(metadata, "labels", "completes", NULL) != NULL };
		loop_timer_init(&pod->timer, players->churn->loop, pod_step, pod);
		map_put(&players->pods, pod->uid, pod);
	}
	pod->terminating = object_terminating(obj);
	pod->ended = object_ended(obj);
	pod->ready = object_ready(obj);
	pod_soon(pod);
}

/* --- lives --- */

void players_node(struct players *players, const struct json_object *obj, bool deleted)
{
	const char *name = object_name(obj);

	for (size_t i = 0; i < players->n; i++)
		if (strcmp(players->list[i].name, name) == 0) {
			players->list[i].known = !deleted;
			players->list[i].ready = !deleted && object_ready(obj);
		}
}

static void revive(struct loop_timer *timer, void *arg)
{
	struct player *p = arg;
	const char *uid;
	void *pod;

	(void)timer;
	if (!p->dead)
		return;
	p->dead = false;
	churn_note(p->players->churn, "node %s is back", p->name);
	for (size_t i = 0; map_next(&p->players->pods, &i, &uid, &pod);)
		if (((struct played *)pod)->node == p)
			pod_soon(pod);
}

bool players_kill(struct players *players, const char *name, int64_t down_ms)
{
	struct player *p = NULL;

	for (size_t i = 0; i < players->n; i++)
		if (strcmp(players->list[i].name, name) == 0)
			p = &players->list[i];
	if (!p || p->dead)
		return false;
	p->dead = true;
	players->kills++;
	loop_timer_arm(&p->revive, down_ms);
	return true;
}

void players_revive_all(struct players *players)
{
	for (size_t i = 0; i < players->n; i++)
		revive(NULL, &players->list[i]);
}

size_t players_kills(const struct players *players)
{
	return players->kills;
}

struct players *players_new(struct churn *churn, size_t n)
{
	struct players *players = mem_zalloc(sizeof(*players));

	*players =
	    (struct players){ .churn = churn, .n = n, .rng = rng_of(churn->opts->seed, CHURN_PLAYERS) };
	players->list = mem_zalloc(n * sizeof(*players->list));
	for (size_t i = 0; i < n; i++) {
		struct player *p = &players->list[i];
		p->players = players;
		p->index = i;
		memcpy(p->name, players_name(i), sizeof(p->name));
		loop_timer_init(&p->renew, churn->loop, renew, p);
		loop_timer_init(&p->revive, churn->loop, revive, p);
		loop_timer_arm(&p->renew, (int64_t)(i * RENEW_MS / n));
	}
	return players;
}

void players_free(struct players *players)
{
	const char *uid;
	void *pod;

	if (!players)
		return;
	for (size_t i = 0; i < players->n; i++)
		players->list[i].dead = true;
	while (players->in_flight > 0)
		loop_turn(players->churn->loop, -1); /* calls have a timeout */
	for (size_t i = 0; map_next(&players->pods, &i, &uid, &pod);)
		played_free(pod);
	map_close(&players->pods);
	for (size_t i = 0; i < players->n; i++) {
		loop_timer_disarm(&players->list[i].renew);
		loop_timer_disarm(&players->list[i].revive);
	}
	free(players->list);
	free(players);
}
