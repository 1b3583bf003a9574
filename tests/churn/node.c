#include "tests/churn/node.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"
#include "nodeagent/process_id.h"
#include "tests/churn/churn.h"
#include "tests/churn/history.h"
#include "tests/churn/node_rules.h"
#include "tests/churn/node_scan.h"
#include "tests/churn/node_wanted.h"
#include "tests/support/rng.h"

#define DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
#define PODS        "/api/v1/namespaces/default/pods"
#define MERGE       "application/merge-patch+json"

enum {
	ROUND_MS = 10000,
	CALM_MS = 180000, /* back-off after a second restart is 10 s, after a third 20 s */
	TWICE_MS = 250,   /* how often it is looked for containers that run twice */
	MOST_HITS = 2,    /* of one container: more would mostly wait */
	MOST_ATTEMPTS = 128,
};

static const struct history_resource pods_resource = {
	PODS, PODS,
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"marker\"},\"spec\":{"
	"\"schedulerName\":\"nobody\","
	"\"containers\":[{\"name\":\"c\",\"image\":\"busybox:v1\"}]}}"
};

struct node {
	struct churn *churn;
	struct rng acts_rng, kills;
	struct node_wanted wanted;
	struct node_rules *rules;
	struct history *history;
	struct loop_timer kill_timer, twice_timer;
	char *agent_dir;
	unsigned named;
	size_t rounds, acts, shims_hit, inits_hit, early_hits, looks;
};

static struct node_where where(const struct node *n)
{
	const struct programs *p = n->churn->programs;

	return (struct node_where){ .agent_dir = n->agent_dir,
				    .bridge = programs_flag(p, PROGRAM_NODEAGENT, "bridge"),
				    .cgroup_parent = programs_flag(p, PROGRAM_NODEAGENT, "cgroup-parent"),
				    .agent = programs_pid(p, PROGRAM_NODEAGENT) };
}

/* --- what is told and seen --- */

static void on_live(size_t resource, enum history_change change, struct json_object *obj, void *arg)
{
	(void)resource;
	node_rules_pod(((struct node *)arg)->rules, obj, change == HISTORY_DELETED);
}

static void on_merged(size_t resource, enum history_change change, struct json_object *obj, void *arg)
{
	(void)resource;
	(void)change;
	(void)obj;
	(void)arg;
}

static void on_marked(uint64_t revision, int64_t sent_ms, void *arg)
{
	(void)revision;
	(void)sent_ms;
	(void)arg;
}

static void on_broken(const char *what, void *arg)
{
	churn_fault(((struct node *)arg)->churn, "%s", what);
}

/* No container runs twice, not even for a moment: whatever an earlier attempt holds would be held by two. */
static void look_for_twice(struct loop_timer *timer, void *arg)
{
	struct node *n = arg;
	struct node_attempt list[MOST_ATTEMPTS];
	size_t found = node_attempts(n->agent_dir, list, MOST_ATTEMPTS);
	const struct node_attempt *before = NULL;

	loop_timer_arm(timer, TWICE_MS);
	n->looks++;
	for (size_t i = 0; i < found; i++) {
		if (!list[i].init)
			continue;
		if (before && strcmp(before->uid, list[i].uid) == 0 &&
		    strcmp(before->name, list[i].name) == 0 &&
		    process_start_time(before->init) == before->init_start)
			churn_fault(n->churn,
				    "twice: container %s of pod %s runs as attempt %u and as attempt %u",
				    list[i].name, list[i].uid, before->attempt, list[i].attempt);
		before = &list[i];
	}
}

/* --- kills --- */

/* Kills a shim or a container's first process. */
static void hit_one(struct node *n, bool shim)
{
	struct node_attempt list[MOST_ATTEMPTS];
	size_t found = node_attempts(n->agent_dir, list, MOST_ATTEMPTS), first = rng_below(&n->kills, 1000);

	for (size_t i = 0; i < found; i++) {
		const struct node_attempt *a = &list[(first + i) % found];
		if (!(shim ? a->shim : a->init) || node_rules_hits(n->rules, a->uid, a->name) >= MOST_HITS)
			continue;
		node_rules_hit(n->rules, a->uid, a->name, a->attempt, a->started);
		int rc = shim ? process_signal(a->shim, a->shim_start, SIGKILL)
			      : process_signal(a->init, a->init_start, SIGKILL);
		churn_note(n->churn, "kill %s of container %s of pod %s, attempt %u%s%s",
			   shim ? "the shim" : "the process", a->name, a->uid, a->attempt,
			   a->started ? "" : ", which has not started", rc < 0 ? ": it was gone" : "");
		n->shims_hit += shim;
		n->inits_hit += !shim;
		n->early_hits += !a->started;
		return;
	}
}

static void kill_one(struct loop_timer *timer, void *arg)
{
	static const struct {
		unsigned percent;
		int program; /* -1: a shim, -2: a container */
	} victims[] = {
		{ 40, PROGRAM_NODEAGENT },
		{ 25, -1 },
		{ 23, -2 },
		{ 5, PROGRAM_APISERVER },
		{ 4, PROGRAM_CONTROLLER },
		{ 3, PROGRAM_SCHEDULER },
	};
	struct node *n = arg;
	size_t drawn = rng_below(&n->kills, 100), i = 0;
	int64_t down_ms = rng_chance(&n->kills, 20) ? churn_between(&n->kills, 500, 4000)
						    : churn_between(&n->kills, 0, 200);

	loop_timer_arm(timer, churn_between(&n->kills, 50, 1200));
	while (drawn >= victims[i].percent)
		drawn -= victims[i++].percent;
	if (victims[i].program < 0)
		hit_one(n, victims[i].program == -1);
	else if (programs_kill(n->churn->programs, (enum program)victims[i].program, down_ms))
		churn_note(n->churn, "kill %s for %lld ms", programs_name((enum program)victims[i].program),
			   (long long)down_ms);
}

/* --- acts --- */

static void call(struct node *n, const char *method, const char *path, const char *content_type,
		 const char *body)
{
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	bool repeated;
	int code = churn_call(n->churn, method, path, content_type, body, &answer, &repeated);

	if ((code < 200 || code >= 300) && code > 0 && !(repeated && (code == 409 || code == 404)))
		churn_fault(n->churn, "%s %s: answered %d: %.300s", method, path, code, answer.data);
}

static void act_web(struct node *n)
{
	struct node_web *web = &n->wanted.webs[rng_below(&n->acts_rng, NODE_WEBS)];
	size_t drawn = rng_below(&n->acts_rng, 10);
	CLEANUP(mem_freep) char *path = mem_printf(DEPLOYMENTS "/%s", web->name);
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	if (!web->exists) {
		*web =
		    (struct node_web){ true, "", (int)churn_between(&n->acts_rng, 1, NODE_MOST_REPLICAS), 1 };
		snprintf(web->name, sizeof(web->name), "web-%u", n->named++);
		churn_note(n->churn, "create deployment %s: %d replicas", web->name, web->replicas);
		node_web_body(web, &body);
		call(n, "POST", DEPLOYMENTS, NULL, body.data);
	} else if (drawn < 1) {
		web->exists = false;
		churn_note(n->churn, "delete deployment %s", web->name);
		call(n, "DELETE", path, NULL, "{}");
	} else if (drawn < 6) {
		web->replicas = (int)churn_between(&n->acts_rng, 0, NODE_MOST_REPLICAS);
		churn_note(n->churn, "scale deployment %s to %d", web->name, web->replicas);
		buf_printf(&body, "{\"spec\":{\"replicas\":%d}}", web->replicas);
		call(n, "PATCH", path, MERGE, body.data);
	} else {
		web->version = 3 - web->version;
		churn_note(n->churn, "roll deployment %s to version %d", web->name, web->version);
		node_web_body(web, &body);
		call(n, "PATCH", path, MERGE, body.data);
	}
}

static void act_pod(struct node *n)
{
	struct node_pod *pod = &n->wanted.pods[rng_below(&n->acts_rng, NODE_PODS)];
	CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s", pod->name);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	bool force = rng_chance(&n->acts_rng, 20);

	if (pod->kind) {
		churn_note(n->churn, "delete pod %s%s", pod->name, force ? " by force" : "");
		pod->kind = NODE_POD_NONE;
		call(n, "DELETE", path, NULL, force ? "{\"gracePeriodSeconds\":0}" : "{}");
		return;
	}
	pod->kind = (enum node_pod_kind)churn_between(&n->acts_rng, NODE_POD_RUNS, NODE_POD_NEVER);
	snprintf(pod->name, sizeof(pod->name), "pod-%u", n->named++);
	churn_note(n->churn, "create pod %s of kind %d", pod->name, (int)pod->kind);
	node_pod_body(pod, &body);
	call(n, "POST", PODS, NULL, body.data);
}

static void fire(struct node *n, int64_t ms)
{
	int64_t until_ms = time_mono_ms() + ms;

	churn_note(n->churn, "fire");
	loop_timer_arm(&n->kill_timer, 300);
	while (time_mono_ms() < until_ms && !n->churn->stopped) {
		if (rng_chance(&n->acts_rng, 55))
			act_web(n);
		else
			act_pod(n);
		n->acts++;
		churn_wait(n->churn, churn_between(&n->acts_rng, 50, 900));
	}
	loop_timer_disarm(&n->kill_timer);
	churn_note(n->churn, "calm");
}

/* --- calm --- */

static bool machine_agrees(const struct node *n, const struct node_expected *e, struct buf *why)
{
	CLEANUP(node_scan_close) struct node_scan scan;
	const struct names none = { 0 };
	const struct node_where w = where(n);

	node_scan(&w, &scan);
	if (scan.shims.n != e->containers.n) {
		buf_printf(why, "%zu shims run for %zu containers%s%s", scan.shims.n, e->containers.n,
			   scan.shims.n ? ", one of them " : "", scan.shims.n ? scan.shims.list[0] : "");
		return false;
	}
	if (scan.links != e->live.n || scan.children != 0) {
		buf_printf(why, "%zu links on the bridge for %zu pods, %zu children of the agent", scan.links,
			   e->live.n, scan.children);
		return false;
	}
	return names_equal("containers of the runtime", &e->containers, &scan.containers, why) &&
	       names_equal("containers' cgroups", &e->containers, &scan.cgroups, why) &&
	       names_equal("pods' cgroups", &e->live, &scan.pod_cgroups, why) &&
	       names_equal("pods' mounts", &e->live, &scan.mounts, why) &&
	       names_equal("addresses", &e->live, &scan.leases, why) &&
	       names_equal("pods' folders", &e->pods, &scan.pod_dirs, why) &&
	       names_equal("folders to be removed", &none, &scan.trash, why);
}

static bool settled(struct buf *why, void *arg)
{
	struct node *n = arg;
	CLEANUP(json_putp) struct json_object *deployments = churn_get(n->churn, DEPLOYMENTS);
	CLEANUP(json_putp)
	struct json_object *pods = churn_get(n->churn, PODS "?fieldSelector=metadata.name%21%3Dmarker");
	CLEANUP(node_expected_close) struct node_expected expected = { 0 };

	return deployments && pods &&
	       node_wanted_shown(&n->wanted, n->rules, deployments, pods, &expected, why) &&
	       machine_agrees(n, &expected, why);
}

static void delete_all(struct node *n)
{
	churn_note(n->churn, "delete everything");
	for (size_t i = 0; i < NODE_WEBS; i++) {
		CLEANUP(mem_freep) char *path = mem_printf(DEPLOYMENTS "/%s", n->wanted.webs[i].name);
		if (n->wanted.webs[i].exists)
			call(n, "DELETE", path, NULL, "{}");
	}
	for (size_t i = 0; i < NODE_PODS; i++) {
		CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s", n->wanted.pods[i].name);
		if (n->wanted.pods[i].kind)
			call(n, "DELETE", path, NULL, "{}");
	}
	n->wanted = (struct node_wanted){ 0 };
}

static void print_counts(const struct node *n)
{
	const struct programs *p = n->churn->programs;
	const struct churn_count counts[] = {
		{ "rounds", n->rounds },
		{ "acts", n->acts },
		{ "kills of the agent", programs_kills(p, PROGRAM_NODEAGENT) },
		{ "of shims", n->shims_hit },
		{ "of containers", n->inits_hit },
		{ "of both before their start", n->early_hits },
		{ "of the apiserver", programs_kills(p, PROGRAM_APISERVER) },
		{ "of the scheduler", programs_kills(p, PROGRAM_SCHEDULER) },
		{ "of the controller", programs_kills(p, PROGRAM_CONTROLLER) },
		{ "changes of pods watched", history_events(n->history) },
		{ "watches resumed", history_resumed(n->history) },
		{ "looks for containers that run twice", n->looks },
	};

	churn_tell(n->churn, counts, ARRAY_SIZE(counts));
}

void node_run(struct churn *churn)
{
	const struct history_fns fns = { .live = on_live, .merged = on_merged, .marked = on_marked };
	struct node n = { .churn = churn };
	struct history_fns with_arg = fns;

	with_arg.arg = &n;
	if (!programs_flag(churn->programs, PROGRAM_NODEAGENT, "data-dir")) {
		churn_fault(churn, "this cluster has no node agent");
		return;
	}
	n.agent_dir = mem_dup(programs_flag(churn->programs, PROGRAM_NODEAGENT, "data-dir"));
	n.acts_rng = rng_of(churn->opts->seed, CHURN_ACTS);
	n.kills = rng_of(churn->opts->seed, CHURN_KILLS);
	n.rules = node_rules_new(on_broken, &n);
	loop_timer_init(&n.kill_timer, churn->loop, kill_one, &n);
	loop_timer_init(&n.twice_timer, churn->loop, look_for_twice, &n);
	n.history = history_new(churn, &pods_resource, 1, &with_arg);
	look_for_twice(&n.twice_timer, &n);
	for (int64_t left_ms = churn->opts->fire_ms;
	     n.history && left_ms > 0 && !churn->faults && !churn->stopped; left_ms -= ROUND_MS) {
		fire(&n, left_ms < ROUND_MS ? left_ms : ROUND_MS);
		churn_until(churn, "the node has what is wanted", CALM_MS, settled, &n);
		n.rounds++;
	}
	if (n.history && !churn->faults) {
		delete_all(&n);
		kill_one(&n.kill_timer, &n);
		loop_timer_disarm(&n.kill_timer);
		churn_until(churn, "nothing is left on the node", CALM_MS, settled, &n);
	}
	if (n.history)
		print_counts(&n);
	loop_timer_disarm(&n.twice_timer);
	history_free(n.history);
	node_rules_free(n.rules);
	free(n.agent_dir);
}
