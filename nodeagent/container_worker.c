#include "nodeagent/container_worker.h"

#include <stdlib.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_make.h"
#include "nodeagent/container_worker_private.h"
#include "nodeagent/image_store.h"

/*         ┌──────────────── ends, restart at once ──────────────┐
 *         ▼                                                     │
 *       IDLE ─begin─▶ STARTING ─▶ HOOK ─▶ RUNNING ─▶ STOPPING ──┤
 *        ▲ │             │          └────────┴─ ends by itself ─┤
 *        │ └─ no image,  └─ refused ───────────────────────────▶┤
 *        │    bad config ─▶ BACKOFF ◀── ends or refused, ───────┤
 *        └── time is up, ──────┘        restart later           ▼
 *            it came                  ENDED ◀── ends, no restart; stopped for good
 */
static const unsigned transitions[] = {
#define TO(state_) (1u << CONTAINER_WORKER_##state_)
	[CONTAINER_WORKER_IDLE] = TO(STARTING) | TO(BACKOFF) | TO(ENDED),
	[CONTAINER_WORKER_STARTING] =
	    TO(HOOK) | TO(RUNNING) | TO(IDLE) | TO(BACKOFF) | TO(ENDED) | TO(STOPPING),
	[CONTAINER_WORKER_HOOK] = TO(RUNNING) | TO(STOPPING) | TO(IDLE) | TO(BACKOFF) | TO(ENDED),
	[CONTAINER_WORKER_RUNNING] = TO(STOPPING) | TO(IDLE) | TO(BACKOFF) | TO(ENDED),
	[CONTAINER_WORKER_STOPPING] = TO(IDLE) | TO(BACKOFF) | TO(ENDED),
	[CONTAINER_WORKER_BACKOFF] = TO(IDLE) | TO(ENDED),
	[CONTAINER_WORKER_ENDED] = 0,
#undef TO
};

void container_worker_set_state(struct container_worker *w, enum container_worker_state state)
{
	if (!(transitions[w->state] & (1u << state))) {
		log_error("container worker: impossible transition", "container", container_worker_name(w),
			  "from", log_num(w->state), "to", log_num(state), NULL);
		abort();
	}
	w->state = state;
	if (state != CONTAINER_WORKER_STARTING)
		start_slots_give(&w->slot);
}

void container_worker_set_string(char **at, const char *value)
{
	char *copy = mem_dup(value);

	free(*at);
	*at = copy;
}

void container_worker_show_waiting(struct container_worker *w, const char *reason, const char *message)
{
	CLEANUP(mem_freep) char *copy = mem_dup(message);

	/* What ended becomes the last state when something else is shown. */
	if (w->ended.set) {
		pod_status_termination_close(&w->last);
		w->last = w->ended;
		w->ended = (struct termination){ 0 };
	}
	w->shown = SHOWN_WAITING;
	container_worker_set_string(&w->waiting_reason, reason);
	container_worker_set_string(&w->waiting_message, copy);
}

struct container_about container_worker_about(const struct container_worker *w)
{
	return (struct container_about){ .pod = w->pod, .spec = w->spec, .kind = w->kind };
}

void container_worker_back_off(struct container_worker *w, enum wait_for wait, int64_t first_ms)
{
	container_worker_set_state(w, CONTAINER_WORKER_BACKOFF);
	w->wait = wait;
	if (first_ms >= 0)
		loop_timer_arm(&w->timer, first_ms);
}

void container_worker_may_begin(struct container_worker *w)
{
	loop_timer_disarm(&w->timer);
	w->wait = WAIT_NOTHING;
	container_worker_set_state(w, CONTAINER_WORKER_IDLE);
	w->ops->advance(w->arg);
}

int64_t container_worker_restarts(const struct container_worker *w)
{
	return (int64_t)w->attempts - 1 - (int64_t)w->lost;
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct container_worker *w = arg;
	int64_t left = w->retry_at_ms - time_boot_ms();

	(void)timer;
	if (w->container && container_state(w->container)->phase == CONTAINER_EXITED) {
		container_worker_on_exited(w->container, w); /* ended while no agent was there: see adopt */
		return;
	}
	if (w->state == CONTAINER_WORKER_STOPPING) {
		container_worker_kill(w);
		return;
	}
	if (w->state != CONTAINER_WORKER_BACKOFF)
		return;
	if (left <= 0) {
		if (w->wait == WAIT_CRASH)
			backoff_next(&w->crash, time_boot_ms());
		container_worker_may_begin(w);
		return;
	}
	loop_timer_arm(&w->timer, left);
	if (w->wait == WAIT_CRASH)
		container_worker_show_crash_back_off(w);
	else if (w->wait == WAIT_IMAGE)
		container_worker_show_image_back_off(w);
}

void container_worker_images_changed(struct container_worker *w)
{
	struct image image;

	if (w->state != CONTAINER_WORKER_BACKOFF || w->wait != WAIT_IMAGE ||
	    image_store_find(w->pod->agent->images, json_str_or_empty(w->spec, "image"), &image, NULL) < 0)
		return;
	image_close(&image);
	container_worker_may_begin(w);
}

void container_worker_config_changed(struct container_worker *w)
{
	if (w->state == CONTAINER_WORKER_BACKOFF && w->wait == WAIT_CONFIG)
		container_worker_may_begin(w);
}

struct container_worker *container_worker_new(struct pod_context *pod, const struct json_object *spec,
					      enum container_kind kind,
					      const struct container_worker_ops *ops, void *arg)
{
	struct container_worker *w = mem_zalloc(sizeof(*w));

	w->pod = pod;
	w->spec = spec;
	w->kind = kind;
	w->ops = ops;
	w->arg = arg;
	/* Numbers that an earlier life of the pod used up on this node, when its record was lost. */
	w->attempts = w->lost = container_make_attempts_on_disk(pod, container_worker_name(w));
	w->slot = (struct start_slot){ .fn = ops->advance, .arg = arg };
	loop_timer_init(&w->timer, pod->agent->loop, on_timer, w);
	return w;
}

void container_worker_free(struct container_worker *w)
{
	if (!w)
		return;
	loop_timer_disarm(&w->timer);
	start_slots_give(&w->slot);
	probe_action_cancel(w->hook);
	probe_set_free(w->probes);
	pod_status_termination_close(&w->ended);
	pod_status_termination_close(&w->last);
	free(w->waiting_reason);
	free(w->waiting_message);
	free(w->image);
	free(w->image_id);
	free(w->container_id);
	free(w->hook_error);
	free(w);
}

enum container_worker_state container_worker_state(const struct container_worker *w)
{
	return w->state;
}

enum container_kind container_worker_kind(const struct container_worker *w)
{
	return w->kind;
}

const char *container_worker_name(const struct container_worker *w)
{
	return json_str_or_empty(w->spec, "name");
}

bool container_worker_is_quiet(const struct container_worker *w)
{
	return w->state == CONTAINER_WORKER_ENDED && w->removing == 0;
}

bool container_worker_is_starting(const struct container_worker *w)
{
	return w->state == CONTAINER_WORKER_STARTING || w->state == CONTAINER_WORKER_HOOK;
}

bool container_worker_is_started(const struct container_worker *w)
{
	return w->state == CONTAINER_WORKER_RUNNING && probe_set_started(w->probes);
}

bool container_worker_has_succeeded(const struct container_worker *w)
{
	return w->state == CONTAINER_WORKER_ENDED && w->shown == SHOWN_TERMINATED && w->ended.exit_code == 0;
}

int container_worker_log_attempt(const struct container_worker *w, bool previous)
{
	/* An attempt that is being made has no log yet. */
	int made = (int)w->attempts - (w->state == CONTAINER_WORKER_STARTING && !w->container ? 1 : 0);

	return made - (previous ? 2 : 1) >= 0 ? made - (previous ? 2 : 1) : -1;
}

void container_worker_view(const struct container_worker *w, struct container_view *ret)
{
	*ret = (struct container_view){
		.spec = w->spec,
		.kind = w->kind,
		.shown = w->shown,
		.waiting_reason = w->waiting_reason,
		.waiting_message = w->waiting_message,
		.started_us = w->started_us,
		.ended = &w->ended,
		.last = &w->last,
		.ready = w->probes && probe_set_ready(w->probes),
		.started = w->probes && probe_set_started(w->probes),
		.restart_count = w->restart_count,
		.image = w->container_id ? w->image : NULL,
		.image_id = w->container_id ? w->image_id : NULL,
		.container_id = w->container_id,
	};
}

struct container *container_worker_running(const struct container_worker *w,
					   const struct json_object **ret_spec)
{
	if (!w->container || container_state(w->container)->phase != CONTAINER_RUNNING)
		return NULL;
	if (ret_spec)
		*ret_spec = w->spec;
	return w->container;
}
