#include "tests/crash/campaign.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/list_page.h"
#include "lib/spawn.h"
#include "lib/timefmt.h"
#include "tests/crash/caches.h"
#include "tests/crash/clients.h"
#include "tests/crash/watchers.h"
#include "tests/support/apiserver_process.h"

#define CHAPTER_KILLS          12
#define CHAPTER_OPS            12000
#define CLOSE_AFTER_MS         250   /* of serving, so that a chapter ends with work after its last kill */
#define PATIENCE_MS            30000 /* for the server to serve, and to end */
#define TIMED_MS_MAX           700
#define CALLS_EARLY            40 /* about what opening takes */
#define CALLS_MAX              2500
#define CALL_FALLBACK_MS       1500
#define CALLS_CHECKPOINT       120
#define CHECKPOINT_FALLBACK_MS 2500
#define ENOUGH_KILLS           20 /* for some to be at a call */
#define EDGE_THREADS_MAX       3
#define CREATION_STEP          7

enum phase { STARTING, SERVING, DYING, CLOSING, LISTING, SETTLING, LEAVING };

/* How a start ends. */
struct plan {
	unsigned call, moment; /* killed at this call, 0: at none */
	const char *file;      /* "KILL_AT_FILE=..." or "" */
	unsigned threads;      /* that serve connections */
	uint32_t think_ms;     /* of the clients */
	int64_t after_ms;      /* killed then in any case, 0: not */
	int64_t pause_ms; /* of serving, after which clients rest: the server does its housekeeping then; 0:
			     never */
};

struct campaign {
	const struct campaign_opts *opts;
	struct run run;
	struct clients *clients;
	struct watchers *watchers;
	struct caches *caches;
	struct apiserver_process server;
	struct rng rng;
	enum phase phase;
	struct loop_timer kill_timer, patience, close_timer, pause_timer;
	int64_t pause_ms;
	bool created;      /* the server served once */
	unsigned attempts; /* before that */
	bool we_killed, dead;
	bool begun;   /* a chapter is open */
	bool closing; /* the next time it serves the chapter is closed */
	unsigned chapter_kills;
	int64_t until_ms;
	struct campaign_counts counts;
	/* The list that closes a chapter. */
	struct item items[OBJECTS];
	size_t n_items;
	struct list lists[HISTORY_RESOURCES];
};

static void finish(struct campaign *campaign)
{
	campaign->phase = LEAVING;
	loop_stop(campaign->run.loop);
}

static unsigned kills(const struct campaign *campaign)
{
	return campaign->counts.timed + campaign->counts.at_call;
}

/* --- kills --- */

static void kill_now(struct campaign *campaign)
{
	campaign->we_killed = true;
	apiserver_process_kill(&campaign->server, SIGKILL);
}

static void on_kill_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	kill_now(arg);
}

/* How the coming start is to end. */
static struct plan plan_kill(struct campaign *campaign)
{
	static const uint32_t paces[] = { 1, 6, 20 };
	struct rng *rng = &campaign->rng;
	struct plan plan = { .after_ms = CALL_FALLBACK_MS, .file = "" };
	uint32_t drawn = rng_below(rng, 100);

	plan.moment = rng_below(rng, 3);
	plan.threads = 1 + rng_below(rng, EDGE_THREADS_MAX);
	plan.think_ms = paces[rng_below(rng, ARRAY_SIZE(paces))];
	if (!campaign->created) {
		/* The file's creation call by call, some left out. */
		plan.call = 1 + campaign->attempts++ * CREATION_STEP + rng_below(rng, CREATION_STEP);
	} else if (drawn < 40) {
		plan.after_ms = 1 + rng_below(rng, TIMED_MS_MAX);
	} else if (drawn < 55) {
		plan.call = 1 + rng_below(rng, CALLS_EARLY);
	} else if (drawn < 85) {
		plan.call = 1 + rng_below(rng, CALLS_MAX);
	} else {
		plan.file = "KILL_AT_FILE=store.db";
		plan.call = 1 + rng_below(rng, CALLS_CHECKPOINT);
		plan.after_ms = CHECKPOINT_FALLBACK_MS;
		plan.pause_ms = 1 + rng_below(rng, TIMED_MS_MAX);
	}
	return plan;
}

static void start_server(struct campaign *campaign)
{
	static const char *const moments[] = { "before", "half", "after" };
	const struct campaign_opts *opts = campaign->opts;
	struct plan plan = campaign->closing ? (struct plan){ .file = "", .threads = 1, .think_ms = 6 }
					     : plan_kill(campaign);
	CLEANUP(mem_freep) char *preload = mem_printf("LD_PRELOAD=%s", opts->preload);
	CLEANUP(mem_freep) char *at_call = mem_printf("KILL_AT_CALL=%u", plan.call);
	CLEANUP(mem_freep) char *threads = mem_printf("--edge-threads=%u", plan.threads);
	const char *const args[] = { threads, NULL };
	CLEANUP(mem_freep) char *when = mem_printf("KILL_AT_WHEN=%s", moments[plan.moment]);
	const char *const env[] = { preload, at_call, when, *plan.file ? plan.file : NULL, NULL };
	struct err err = ERR_INIT;

	campaign->server.args = args;
	campaign->phase = STARTING;
	campaign->pause_ms = plan.pause_ms;
	campaign->run.think_ms = plan.think_ms;
	campaign->dead = campaign->we_killed = false;
	if (apiserver_process_start(&campaign->server, env, &err) < 0) {
		verdict_fault(&campaign->run.verdict, "the server cannot be started: %s", err.msg);
		finish(campaign);
		return;
	}
	if (plan.after_ms)
		loop_timer_arm(&campaign->kill_timer, plan.after_ms);
	loop_timer_arm(&campaign->patience, PATIENCE_MS);
}

static void on_patience(struct loop_timer *timer, void *arg)
{
	static const char *const missing[] = { [STARTING] = "the server did not serve",
					       [SERVING] = "the server was not killed",
					       [DYING] = "the requests to a dead server did not end",
					       [CLOSING] = "not all requests were answered",
					       [LISTING] = "the watchers were not sent everything",
					       [SETTLING] = "an informer did not come to hold what there is",
					       [LEAVING] = "the server did not end" };
	struct campaign *campaign = arg;

	(void)timer;
	verdict_fault(&campaign->run.verdict, "%s within %d s", missing[campaign->phase], PATIENCE_MS / 1000);
	finish(campaign);
}

static void start_again_when_over(struct campaign *campaign)
{
	struct run *run = &campaign->run;

	if (campaign->phase != DYING || !campaign->dead || run->asking || run->watching)
		return;
	history_server_died(&run->history);
	campaign->closing = campaign->begun &&
			    (campaign->chapter_kills >= CHAPTER_KILLS || run->history.n_ops >= CHAPTER_OPS ||
			     kills(campaign) >= campaign->opts->kills ||
			     (campaign->until_ms && time_mono_ms() >= campaign->until_ms));
	start_server(campaign);
}

static void on_ended(int status, void *arg)
{
	struct campaign *campaign = arg;
	char text[64];

	loop_timer_disarm(&campaign->kill_timer);
	loop_timer_disarm(&campaign->close_timer);
	loop_timer_disarm(&campaign->pause_timer);
	if (campaign->phase == LEAVING ? status != 0 : !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		verdict_fault(&campaign->run.verdict, "the server ended by itself: %s",
			      spawn_status_text(status, text, sizeof(text)));
	if (campaign->run.verdict.faults || campaign->phase == LEAVING) {
		finish(campaign);
		return;
	}
	if (campaign->we_killed)
		campaign->counts.timed++;
	else
		campaign->counts.at_call++;
	campaign->counts.unstarted += campaign->phase == STARTING;
	campaign->chapter_kills++;
	campaign->run.serving = false;
	campaign->dead = true;
	campaign->phase = DYING;
	start_again_when_over(campaign);
}

/* --- chapters --- */

static void go(struct campaign *campaign)
{
	loop_timer_disarm(&campaign->patience);
	campaign->phase = SERVING;
	campaign->run.stopping = false;
	clients_go(campaign->clients);
	watchers_go(campaign->watchers);
}

static void next_chapter(struct campaign *campaign)
{
	struct run *run = &campaign->run;

	history_next_chapter(&run->history, campaign->lists[0].revision, campaign->items, campaign->n_items);
	if (!campaign->begun)
		run->first_revision = run->history.base_revision;
	campaign->begun = true;
	campaign->closing = false;
	campaign->chapter_kills = 0;
	clients_forget_lists(campaign->clients);
	watchers_begin_chapter(campaign->watchers);
	loop_timer_arm(&campaign->kill_timer, 1 + rng_below(&campaign->rng, TIMED_MS_MAX));
	go(campaign);
}

static void judge(struct campaign *campaign)
{
	struct run *run = &campaign->run;

	verdict_judge(&run->verdict, &run->history);
	campaign->counts.chapters++;
	if (!run->verdict.faults && kills(campaign) < campaign->opts->kills &&
	    (!campaign->until_ms || time_mono_ms() < campaign->until_ms)) {
		next_chapter(campaign);
		return;
	}
	campaign->phase = LEAVING;
	loop_timer_arm(&campaign->patience, PATIENCE_MS);
	apiserver_process_kill(&campaign->server, SIGTERM);
}

/* Informers come back in their own time. */
static void on_cache_changed(void *arg)
{
	struct campaign *campaign = arg;

	if (campaign->phase == SETTLING &&
	    caches_hold(campaign->caches, campaign->items, campaign->n_items)) {
		campaign->phase = LISTING;
		judge(campaign);
	}
}

static void on_drained(void *arg)
{
	struct campaign *campaign = arg;

	campaign->phase = SETTLING;
	on_cache_changed(campaign);
}

static bool add_item(struct json_object *obj, void *arg)
{
	struct campaign *campaign = arg;
	struct item *item = &campaign->items[campaign->n_items];
	const char *uid;

	if (campaign->n_items < OBJECTS && objects_parse(obj, &item->object, &item->state, &uid))
		campaign->n_items++;
	return true;
}

static void list_next(struct campaign *campaign, enum history_resource resource);

static void on_listed(struct campaign *campaign, const struct api_response *response,
		      enum history_resource resource)
{
	struct run *run = &campaign->run;
	struct list *list = &campaign->lists[resource];
	size_t first = campaign->n_items;
	struct list_page page = { 0 };

	if (response->err.kind != ERR_NONE ||
	    list_page_walk(response->data, response->len, NULL, NULL, add_item, campaign, &page, NULL) < 0) {
		verdict_fault(&run->verdict, "the state at the end of a chapter cannot be listed: %s",
			      response->err.msg);
		finish(campaign);
		return;
	}
	list->ended = history_tick(&run->history);
	list->revision = page.revision;
	history_saw(&run->history, page.revision);
	list_page_close(&page);
	if (campaign->begun)
		history_list(&run->history, list, campaign->items + first, campaign->n_items - first);
	if (resource == HISTORY_CONFIG_MAP)
		list_next(campaign, HISTORY_POD);
	else if (campaign->begun)
		watchers_drain(campaign->watchers, list->revision, on_drained, campaign);
	else
		next_chapter(campaign);
}

static void on_config_maps(const struct api_response *response, void *arg)
{
	on_listed(arg, response, HISTORY_CONFIG_MAP);
}

static void on_pods(const struct api_response *response, void *arg)
{
	on_listed(arg, response, HISTORY_POD);
}

static void list_next(struct campaign *campaign, enum history_resource resource)
{
	struct run *run = &campaign->run;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	campaign->lists[resource] = (struct list){ .selection = SELECT_ALL(resource),
						   .began = history_tick(&run->history),
						   .floor = run->history.seen };
	objects_selection_path(&path, &campaign->lists[resource].selection);
	api_client_call(run->api, "GET", path.data, NULL, NULL, 0,
			resource == HISTORY_POD ? on_pods : on_config_maps, campaign);
}

static void close_chapter(struct campaign *campaign)
{
	campaign->phase = LISTING;
	campaign->n_items = 0;
	list_next(campaign, HISTORY_CONFIG_MAP);
}

/* Nothing is asked any more. */
static void on_quiet(void *arg)
{
	struct campaign *campaign = arg;

	if (campaign->phase == CLOSING)
		close_chapter(campaign);
	start_again_when_over(campaign);
}

static void on_close_timer(struct loop_timer *timer, void *arg)
{
	struct campaign *campaign = arg;

	(void)timer;
	campaign->phase = CLOSING;
	campaign->run.stopping = true;
	loop_timer_arm(&campaign->patience, PATIENCE_MS);
	if (!campaign->run.asking)
		on_quiet(campaign);
}

static void on_pause_timer(struct loop_timer *timer, void *arg)
{
	struct campaign *campaign = arg;

	(void)timer;
	campaign->run.stopping = true;
}

static void on_ready(void *arg)
{
	struct campaign *campaign = arg;

	loop_timer_disarm(&campaign->patience);
	campaign->run.serving = true;
	if (!campaign->begun) {
		loop_timer_disarm(&campaign->kill_timer);
		campaign->created = true;
		close_chapter(campaign);
		return;
	}
	go(campaign);
	if (campaign->closing)
		loop_timer_arm(&campaign->close_timer, CLOSE_AFTER_MS);
	else if (campaign->pause_ms)
		loop_timer_arm(&campaign->pause_timer, campaign->pause_ms);
}

/* --- all --- */

static void campaign_close(struct campaign *campaign)
{
	loop_timer_disarm(&campaign->kill_timer);
	loop_timer_disarm(&campaign->patience);
	loop_timer_disarm(&campaign->close_timer);
	loop_timer_disarm(&campaign->pause_timer);
	caches_free(campaign->caches);
	watchers_free(campaign->watchers);
	clients_free(campaign->clients);
	api_client_free(campaign->run.api);
	apiserver_process_close(&campaign->server);
	history_close(&campaign->run.history);
	verdict_close(&campaign->run.verdict);
	if (campaign->run.loop) {
		loop_unpost(campaign->run.loop, &campaign->run.quiet_task);
		loop_free(campaign->run.loop);
	}
}

static int campaign_open(struct campaign *campaign, const struct campaign_opts *opts, struct err *err)
{
	struct run *run = &campaign->run;

	campaign->opts = opts;
	campaign->server.ready_fd = campaign->server.log_fd = -1;
	campaign->rng = rng_of(opts->seed, 1);
	run->seed = opts->seed;
	run->quiet = on_quiet;
	run->arg = campaign;
	history_init(&run->history, objects_all(), OBJECTS);
	run->loop = loop_new(err);
	if (!run->loop)
		return -1;
	loop_timer_init(&campaign->kill_timer, run->loop, on_kill_timer, campaign);
	loop_timer_init(&campaign->patience, run->loop, on_patience, campaign);
	loop_timer_init(&campaign->pause_timer, run->loop, on_pause_timer, campaign);
	loop_timer_init(&campaign->close_timer, run->loop, on_close_timer, campaign);
	if (apiserver_process_init(&campaign->server, run->loop, opts->server, opts->dir, err) < 0)
		return -1;
	campaign->server.ready = on_ready;
	campaign->server.ended = on_ended;
	campaign->server.arg = campaign;
	run->api = api_client_new(run->loop, &campaign->server.config, "knarr-crash-check", err);
	if (!run->api)
		return -1;
	campaign->clients = clients_new(run, opts->clients);
	campaign->watchers = watchers_new(run);
	campaign->caches = caches_new(run, on_cache_changed, campaign);
	campaign->until_ms = opts->seconds ? time_mono_ms() + opts->seconds * INT64_C(1000) : 0;
	return 0;
}

int campaign_run(const struct campaign_opts *opts, struct campaign_counts *ret, struct buf *ret_faults,
		 struct err *err)
{
	struct campaign campaign = { 0 };
	const struct run *run = &campaign.run;
	int result = -1;

	if (campaign_open(&campaign, opts, err) == 0) {
		start_server(&campaign);
		loop_run(campaign.run.loop);
		if (kills(&campaign) >= ENOUGH_KILLS && !campaign.counts.at_call)
			verdict_fault(&campaign.run.verdict, "of %u kills none came at a call: is %s loaded?",
				      kills(&campaign), opts->preload);
		*ret = campaign.counts;
		ret->acknowledged = run->acknowledged;
		ret->refused = run->refused;
		ret->lost = run->lost;
		ret->lost_happened = run->verdict.lost_happened;
		ret->reads = run->reads;
		ret->events = run->events;
		ret->expired = run->expired;
		buf_add(ret_faults, run->verdict.text.data, run->verdict.text.len);
		result =
		    run->verdict.faults ? err_set(err, ERR_INTERNAL, "%zu faults", run->verdict.faults) : 0;
	}
	campaign_close(&campaign);
	return result;
}
