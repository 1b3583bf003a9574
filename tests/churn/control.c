#include "tests/churn/control.h"

#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"
#include "tests/churn/acts.h"
#include "tests/churn/churn.h"
#include "tests/churn/history.h"
#include "tests/churn/judge.h"
#include "tests/churn/players.h"
#include "tests/churn/rules.h"

enum {
	NODES = 12,
	ROUND_MS = 8000, /* of fire, then calm */
	CALM_MS = 90000, /* within which all must be as wanted */
	FILL_MILLICPU = 700,
};

/* In the order of enum rules_kind. */
static const struct history_resource resources[] = {
	{ "/api/v1/nodes", "/api/v1/nodes",
	  "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"marker\"},\"spec\":{"
	  "\"unschedulable\":true}}" },
	{ "/api/v1/pods", "/api/v1/namespaces/" WANTED_NAMESPACE "/pods",
	  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"marker\"},\"spec\":{"
	  "\"schedulerName\":\"nobody\","
	  "\"containers\":[{\"name\":\"c\",\"image\":\"played:1\"}]}}" },
	{ "/apis/apps/v1/replicasets", "/apis/apps/v1/namespaces/" WANTED_NAMESPACE "/replicasets",
	  "{\"apiVersion\":\"apps/"
	  "v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"marker\"},\"spec\":{\"replicas\":0,"
	  "\"selector\":{\"matchLabels\":{\"marker\":\"\"}},\"template\":{\"metadata\":{\"labels\":{"
	  "\"marker\":\"\"}},\"spec\":{"
	  "\"containers\":[{\"name\":\"c\",\"image\":\"played:1\"}]}}}}" },
	{ "/apis/apps/v1/deployments", "/apis/apps/v1/namespaces/" WANTED_NAMESPACE "/deployments",
	  "{\"apiVersion\":\"apps/"
	  "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"marker\"},\"spec\":{\"replicas\":0,"
	  "\"paused\":true,\"selector\":{\"matchLabels\":{\"mark\":\"\"}},\"template\":{\"metadata\":{"
	  "\"labels\":{\"mark\":\"\"}},"
	  "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"played:1\"}]}}}}" },
};

struct control {
	struct churn *churn;
	struct rng kills, losses, pauses; /* kills of programs, losses of nodes, pauses between acts */
	struct players *players;
	struct rules *rules;
	struct history *history;
	struct acts *acts;
	struct wanted wanted;
	struct loop_timer kill_timer, loss_timer;
	int64_t killed_ms;   /* when a program was last killed or away */
	int64_t kill_gap_ms; /* most of this round */
	size_t rounds, filled;
	size_t deleting; /* calls under way */
	int fill;        /* replicas that fill the nodes up */
};

/* --- what is told --- */

static void on_live(size_t resource, enum history_change change, struct json_object *obj, void *arg)
{
	struct control *c = arg;

	if (resource == RULES_NODE)
		players_node(c->players, obj, change == HISTORY_DELETED);
	else if (resource == RULES_POD)
		players_pod(c->players, obj, change == HISTORY_DELETED);
}

static void on_merged(size_t resource, enum history_change change, struct json_object *obj, void *arg)
{
	struct control *c = arg;

	rules_change(c->rules, (enum rules_kind)resource, obj, change == HISTORY_DELETED);
}

/* Everything that was sent before the markers has taken effect, when all programs live that could have sent
 * it. */
static void on_marked(uint64_t revision, int64_t sent_ms, void *arg)
{
	struct control *c = arg;

	if (programs_all_run(c->churn->programs) && sent_ms > c->killed_ms + 200)
		rules_calm_since(c->rules, revision);
}

static void on_broken(const char *what, void *arg)
{
	struct control *c = arg;

	churn_fault(c->churn, "%s", what);
}

static void on_we_delete(const char *uid, void *arg)
{
	rules_we_delete(((struct control *)arg)->rules, uid);
}

/* --- fire --- */

static void kill_one(struct loop_timer *timer, void *arg)
{
	struct control *c = arg;
	size_t drawn = rng_below(&c->kills, 100);
	enum program which = drawn < 45   ? PROGRAM_CONTROLLER
			     : drawn < 80 ? PROGRAM_SCHEDULER
					  : PROGRAM_APISERVER;
	int64_t down_ms = rng_chance(&c->kills, 10) ? churn_between(&c->kills, 500, 3000)
						    : churn_between(&c->kills, 0, 300);

	loop_timer_arm(timer, churn_between(&c->kills, 100, c->kill_gap_ms));
	if (!programs_kill(c->churn->programs, which, down_ms))
		return;
	churn_note(c->churn, "kill %s for %lld ms", programs_name(which), (long long)down_ms);
	if (which == PROGRAM_SCHEDULER)
		return;
	c->killed_ms = time_mono_ms() + down_ms;
	rules_killed(c->rules);
}

static void node_deleted(const struct api_response *response, void *arg)
{
	(void)response; /* whether it was is seen by the watch, and by the node when it is back */
	((struct control *)arg)->deleting--;
}

static void lose_one(struct loop_timer *timer, void *arg)
{
	struct control *c = arg;
	const char *name = players_name(rng_below(&c->losses, NODES));
	int64_t down_ms = churn_between(&c->losses, 200, 9000);
	bool delete = rng_chance(&c->losses, 15);
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", resources[RULES_NODE].path, name);

	loop_timer_arm(timer, churn_between(&c->losses, 500, 5000));
	if (!players_kill(c->players, name, down_ms))
		return;
	churn_note(c->churn, "lose node %s for %lld ms%s", name, (long long)down_ms,
		   delete ? ", and delete it" : "");
	if (!delete)
		return;
	c->deleting++;
	api_client_call(c->churn->client, "DELETE", path, NULL, "{}", 2, node_deleted, c);
}

static void fire(struct control *c, int64_t ms)
{
	int64_t until_ms = time_mono_ms() + ms;

	/* The rules that wait for objects to settle after a kill need rounds with time for that. */
	c->kill_gap_ms = c->rounds % 2 ? 6000 : 1200;
	churn_note(c->churn, "fire");
	kill_one(&c->kill_timer, c);
	lose_one(&c->loss_timer, c);
	while (time_mono_ms() < until_ms && !c->churn->stopped) {
		acts_next(c->acts);
		churn_wait(c->churn, churn_between(&c->pauses, 10, 180));
	}
	loop_timer_disarm(&c->kill_timer);
	loop_timer_disarm(&c->loss_timer);
	players_revive_all(c->players);
	churn_note(c->churn, "calm");
}

/* --- calm --- */

static struct judge_state look(struct control *c)
{
	/* Owners last: a pod whose owner is looked for among older ones could seem to have none. */
	return (struct judge_state){ .pods = churn_get(c->churn, resources[RULES_POD].path),
				     .sets = churn_get(c->churn, resources[RULES_SET].path),
				     .deployments = churn_get(c->churn, resources[RULES_DEPLOYMENT].path),
				     .nodes = churn_get(c->churn, resources[RULES_NODE].path) };
}

static void look_close(struct judge_state *s)
{
	json_object_put((struct json_object *)s->pods);
	json_object_put((struct json_object *)s->sets);
	json_object_put((struct json_object *)s->deployments);
	json_object_put((struct json_object *)s->nodes);
}

static bool settled(struct buf *why, void *arg)
{
	struct control *c = arg;
	struct judge_state s = look(c);
	size_t nodes = json_len(json_get(s.nodes, "items"));
	bool yes = judge_settled(&s, &c->wanted, why);

	if (yes && nodes != NODES + 1) {
		buf_printf(why, "there are %zu nodes and the marker, not %d", nodes - 1, NODES);
		yes = false;
	}
	look_close(&s);
	return yes;
}

/* What the watches told, added up, is what a LIST says. */
static bool folded(struct buf *why, void *arg)
{
	struct control *c = arg;
	CLEANUP(json_putp) struct json_object *list = churn_get(c->churn, resources[RULES_POD].path);
	size_t listed = json_len(json_get(list, "items"));

	buf_printf(why, "%zu pods are listed, the watches told of %zu", listed, rules_pods(c->rules));
	return list && listed == rules_pods(c->rules);
}

static size_t fill_pods(const struct json_object *list, bool bound)
{
	const struct json_object *items = json_get(list, "items");
	size_t n = 0;

	for (size_t i = 0; i < json_len(items); i++)
		n += (*json_str_or_empty(json_get(json_at(items, i), "spec"), "nodeName") != '\0') == bound;
	return n;
}

static bool filled(struct buf *why, void *arg)
{
	struct control *c = arg;
	CLEANUP(json_putp)
	struct json_object *list = churn_get(c->churn, "/api/v1/pods?labelSelector=app%3Dfill");

	buf_printf(why, "%zu of %d pods are bound, %zu are not", fill_pods(list, true), c->fill,
		   fill_pods(list, false));
	return list && fill_pods(list, true) == (size_t)c->fill && fill_pods(list, false) == 1;
}

/* All room there is can be used and no more: an assumption that was never taken back would hold some of it.
 */
static void fill_up(struct control *c)
{
	const char *sets = "/apis/apps/v1/namespaces/" WANTED_NAMESPACE "/replicasets";
	struct judge_state s = look(c);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct wanted_set set = { .name = "fill", .millicpu = FILL_MILLICPU };

	c->fill = judge_room(&s, FILL_MILLICPU);
	look_close(&s);
	set.replicas = c->fill + 1;
	churn_note(c->churn, "fill all nodes: %d pods more, and one that does not fit", c->fill);
	wanted_set_body(&set, &body);
	churn_call(c->churn, "POST", sets, NULL, body.data, NULL, NULL);
	if (churn_until(c->churn, "the nodes can be filled up", CALM_MS, filled, c))
		c->filled++;
	CLEANUP(mem_freep) char *path = mem_printf("%s/fill", sets);
	churn_call(c->churn, "DELETE", path, NULL, "{}", NULL, NULL);
}

static void calm(struct control *c)
{
	acts_settle(c->acts);
	if (churn_until(c->churn, "the cluster is as wanted", CALM_MS, settled, c))
		churn_until(c->churn, "the watches told all", CALM_MS, folded, c);
}

/* --- all --- */

static bool begin(struct control *c)
{
	struct churn *churn = c->churn;
	const struct history_fns fns = {
		.live = on_live, .merged = on_merged, .marked = on_marked, .arg = c
	};

	loop_timer_init(&c->kill_timer, churn->loop, kill_one, c);
	loop_timer_init(&c->loss_timer, churn->loop, lose_one, c);
	c->kills = rng_of(churn->opts->seed, CHURN_KILLS);
	c->losses = rng_of(churn->opts->seed, CHURN_LOSSES);
	c->pauses = rng_of(churn->opts->seed, CHURN_PAUSES);
	c->rules = rules_new(on_broken, c);
	c->acts = acts_new(churn, &c->wanted, on_we_delete, c);
	churn_call(churn, "POST", "/api/v1/namespaces", NULL,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" WANTED_NAMESPACE
		   "\"}}",
		   NULL, NULL);
	c->players = players_new(churn, NODES);
	c->history = history_new(churn, resources, ARRAY_SIZE(resources), &fns);
	return c->history && churn_until(churn, "the nodes are ready", CALM_MS, settled, c);
}

static void print_counts(const struct control *c)
{
	const struct rules_counts *n = rules_counts(c->rules);
	const struct programs *p = c->churn->programs;
	const struct churn_count counts[] = {
		{ "rounds", c->rounds },
		{ "acts", acts_count(c->acts) },
		{ "kills of the apiserver", programs_kills(p, PROGRAM_APISERVER) },
		{ "of the scheduler", programs_kills(p, PROGRAM_SCHEDULER) },
		{ "of the controller", programs_kills(p, PROGRAM_CONTROLLER) },
		{ "of nodes", players_kills(c->players) },
		{ "changes watched", history_events(c->history) },
		{ "watches resumed", history_resumed(c->history) },
		{ "pods created", n->created },
		{ "bound", n->bound },
		{ "gone", n->ended },
		{ "surplus for a moment after a kill", n->surplus },
		{ "rises held against surge", n->rollouts },
		{ "deletions held against floor", n->floors },
		{ "second bindings refused", acts_refused(c->acts) },
		{ "times all nodes filled up", c->filled },
	};

	churn_tell(c->churn, counts, ARRAY_SIZE(counts));
}

void control_run(struct churn *churn)
{
	struct control c = { .churn = churn };

	if (begin(&c)) {
		for (int64_t left_ms = churn->opts->fire_ms; left_ms > 0 && !churn->faults && !churn->stopped;
		     left_ms -= ROUND_MS) {
			fire(&c, left_ms < ROUND_MS ? left_ms : ROUND_MS);
			calm(&c);
			c.rounds++;
			if (!churn->faults && c.rounds % 2 == 1) {
				fill_up(&c);
				calm(&c);
			}
		}
		if (!churn->faults) {
			acts_delete_all(c.acts);
			kill_one(&c.kill_timer, &c);
			loop_timer_disarm(&c.kill_timer);
			calm(&c);
		}
		print_counts(&c);
	}
	while (c.deleting > 0)
		loop_turn(churn->loop, -1);
	history_free(c.history);
	players_free(c.players);
	acts_free(c.acts);
	rules_free(c.rules);
}
