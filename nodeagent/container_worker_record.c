/* A container's worker across a restart of the agent: what is written down of it, and how it goes on. */
#include <stdlib.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_make.h"
#include "nodeagent/container_worker_private.h"

static struct json_object *save_backoff(const struct backoff *b)
{
	struct json_object *obj = json_object_new_object();

	json_set_int(obj, "delay_ms", b->delay_ms);
	json_set_int(obj, "updated_ms", b->updated_ms);
	return obj;
}

static struct backoff load_backoff(const struct json_object *obj)
{
	return (struct backoff){ json_int(obj, "delay_ms", 0), json_int(obj, "updated_ms", 0) };
}

struct json_object *container_worker_save(const struct container_worker *w)
{
	struct json_object *obj = json_object_new_object();

	json_set_str(obj, "name", container_worker_name(w));
	json_set_int(obj, "state", w->state);
	json_set_int(obj, "shown", w->shown);
	json_set_int(obj, "attempts", w->attempts);
	json_set_int(obj, "lost", w->lost);
	json_set_bool(obj, "has_container", w->container || w->state == CONTAINER_WORKER_STARTING);
	json_set_bool(obj, "ready", w->probes && probe_set_ready(w->probes));
	json_set_bool(obj, "started", w->probes && probe_set_started(w->probes));
	json_set_bool(obj, "restart_wanted", w->restart_wanted);
	json_set_str(obj, "waiting_reason", w->waiting_reason);
	json_set_str(obj, "waiting_message", w->waiting_message);
	json_set_str(obj, "image", w->image);
	json_set_str(obj, "image_id", w->image_id);
	json_set_str(obj, "container_id", w->container_id);
	json_set_str(obj, "hook_error", w->hook_error);
	json_set_int(obj, "restart_count", w->restart_count);
	json_set_int(obj, "started_us", w->started_us);
	json_set_int(obj, "failed_ms", w->failed_ms);
	json_set(obj, "crash", save_backoff(&w->crash));
	json_set(obj, "pull", save_backoff(&w->pull));
	if (w->ended.set)
		json_set(obj, "ended", pod_status_termination_json(&w->ended));
	if (w->last.set)
		json_set(obj, "last", pod_status_termination_json(&w->last));
	return obj;
}

static void load(struct container_worker *w, const struct json_object *saved)
{
	w->shown = (enum container_shown)json_int(saved, "shown", SHOWN_WAITING);
	w->attempts = (unsigned)json_int(saved, "attempts", 0);
	w->lost = (unsigned)json_int(saved, "lost", 0);
	w->restart_wanted = json_boolean(saved, "restart_wanted", false);
	container_worker_set_string(&w->waiting_reason, json_str(saved, "waiting_reason"));
	container_worker_set_string(&w->waiting_message, json_str(saved, "waiting_message"));
	container_worker_set_string(&w->image, json_str(saved, "image"));
	container_worker_set_string(&w->image_id, json_str(saved, "image_id"));
	container_worker_set_string(&w->container_id, json_str(saved, "container_id"));
	container_worker_set_string(&w->hook_error, json_str(saved, "hook_error"));
	w->restart_count = json_int(saved, "restart_count", 0);
	w->started_us = json_int(saved, "started_us", 0);
	w->failed_ms = json_int(saved, "failed_ms", 0);
	w->crash = load_backoff(json_get(saved, "crash"));
	w->pull = load_backoff(json_get(saved, "pull"));
	if (json_get(saved, "ended"))
		pod_status_termination_parse(json_get(saved, "ended"), &w->ended);
	if (json_get(saved, "last"))
		pod_status_termination_parse(json_get(saved, "last"), &w->last);
	if (w->shown == SHOWN_TERMINATED && !w->ended.set)
		w->shown = SHOWN_WAITING;
}

/* The attempt that was under way: runs, has ended, or was never made. */
static void adopt(struct container_worker *w, const struct json_object *saved)
{
	struct err err = ERR_INIT;

	if (runtime_adopt(w->pod->agent->runtime, w->pod->dir, container_worker_name(w), w->attempts - 1,
			  &w->container, container_worker_on_exited, w, &err) < 0) {
		if (err.kind != ERR_NOT_FOUND)
			log_warn("container not adopted", "container", container_worker_name(w), "error",
				 err.msg, NULL);
		w->lost++;
		return;
	}
	const struct container_state *state = container_state(w->container);
	free(w->container_id);
	w->container_id = container_make_id(w->container);
	w->state = CONTAINER_WORKER_STARTING;
	if (state->phase == CONTAINER_EXITED) {
		loop_timer_arm(&w->timer, 0);
		return;
	}
	if (w->shown != SHOWN_RUNNING) {
		container_worker_show_waiting(w, NULL, NULL);
		w->shown = SHOWN_RUNNING;
	}
	w->restart_count = container_worker_restarts(w);
	container_worker_run(w, json_boolean(saved, "started", false), json_boolean(saved, "ready", false));
}

void container_worker_restore(struct container_worker *w, const struct json_object *saved)
{
	enum container_worker_state state =
	    (enum container_worker_state)json_int(saved, "state", CONTAINER_WORKER_IDLE);

	load(w, saved);
	if (state == CONTAINER_WORKER_ENDED) {
		w->state = CONTAINER_WORKER_ENDED;
		return;
	}
	if (w->attempts > 0 && json_boolean(saved, "has_container", false))
		adopt(w, saved);
	if (w->container || w->failed_ms == 0)
		return;
	/* It was waiting: for the rest of its time it does again. */
	int64_t now = time_boot_ms(), wait_ms = backoff_remaining_ms(&w->crash, w->failed_ms, now);
	if (wait_ms > 0 && w->crash.updated_ms < w->failed_ms) {
		w->state = CONTAINER_WORKER_BACKOFF;
		w->wait = WAIT_CRASH;
		w->retry_at_ms = now + wait_ms;
		loop_timer_arm(&w->timer, wait_ms < SHOW_BACKOFF_AFTER_MS ? wait_ms : SHOW_BACKOFF_AFTER_MS);
	}
}
