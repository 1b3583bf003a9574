/* A container's end: asked for, by preStop, TERM and KILL, or by itself; and whether it is begun again. */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_make.h"
#include "nodeagent/container_worker_private.h"

#define MIN_TERM_MS 2000 /* what a preStop hook that took all the time leaves for TERM */

/* For good: what it waited with last is shown as the end it was, for nothing is waited for any more. */
static void settle(struct container_worker *w)
{
	container_worker_set_state(w, CONTAINER_WORKER_ENDED);
	if (w->shown != SHOWN_WAITING || !w->last.set)
		return;
	w->shown = SHOWN_TERMINATED;
	w->ended = w->last;
	w->last = (struct termination){ 0 };
}

void container_worker_kill(struct container_worker *w)
{
	struct err err = ERR_INIT;

	if (w->container && container_kill_all(w->container, &err) < 0)
		log_warn("container not killed", "container", container_worker_name(w), "error", err.msg,
			 NULL);
}

static void send_term(struct container_worker *w, bool after_hook)
{
	int64_t left = w->deadline_ms - loop_now_ms(w->pod->agent->loop);
	struct err err = ERR_INIT;

	if (left <= 0 && after_hook)
		left = MIN_TERM_MS;
	if (left <= 0) {
		container_worker_kill(w);
		return;
	}
	if (container_kill(w->container, 0, &err) < 0)
		log_debug("container not signalled", "container", container_worker_name(w), "error", err.msg,
			  NULL);
	w->deadline_ms = loop_now_ms(w->pod->agent->loop) + left;
	loop_timer_arm(&w->timer, left);
}

static void on_pre_stop(enum probe_outcome outcome, const char *message, const char *output, void *arg)
{
	struct container_worker *w = arg;

	(void)output;
	w->hook = NULL;
	if (outcome != PROBE_SUCCESS) {
		container_worker_event(w, "Warning", "FailedPreStopHook", "PreStopHook failed");
		log_warn("preStop hook failed", "pod", w->pod->name, "error", message, NULL);
	}
	send_term(w, true);
}

void container_worker_stop_running(struct container_worker *w, int64_t grace_ms)
{
	const struct json_object *hook = json_path(w->spec, "lifecycle", "preStop", NULL);

	probe_action_cancel(TAKE(w->hook));
	if (w->probes)
		probe_set_stopping(w->probes);
	container_worker_set_state(w, CONTAINER_WORKER_STOPPING);
	w->deadline_ms = loop_now_ms(w->pod->agent->loop) + grace_ms;
	if (hook && grace_ms > 0) {
		struct probe_target t = container_worker_target(w);
		w->hook = probe_action_start(&t, hook, grace_ms, on_pre_stop, w);
		return;
	}
	send_term(w, false);
}

/* A later, shorter limit: what is under way is cut to it. */
static void shorten(struct container_worker *w, int64_t grace_ms)
{
	int64_t deadline = loop_now_ms(w->pod->agent->loop) + grace_ms;

	if (deadline >= w->deadline_ms)
		return;
	w->deadline_ms = deadline;
	if (w->hook) {
		probe_action_cancel(TAKE(w->hook));
		send_term(w, false);
		return;
	}
	loop_timer_arm(&w->timer, grace_ms);
}

void container_worker_stop(struct container_worker *w, int64_t grace_ms)
{
	int64_t deadline = loop_now_ms(w->pod->agent->loop) + grace_ms;

	switch (w->state) {
	case CONTAINER_WORKER_IDLE:
	case CONTAINER_WORKER_BACKOFF:
		loop_timer_disarm(&w->timer);
		w->for_good = true;
		settle(w);
		w->ops->advance(w->arg);
		break;
	case CONTAINER_WORKER_STARTING:
		if (!w->for_good || deadline < w->deadline_ms)
			w->deadline_ms = deadline;
		w->for_good = true;
		break;
	case CONTAINER_WORKER_HOOK:
	case CONTAINER_WORKER_RUNNING:
		w->for_good = true;
		container_worker_event(w, "Normal", "Killing", "Stopping container %s",
				       container_worker_name(w));
		container_worker_stop_running(w, grace_ms);
		break;
	case CONTAINER_WORKER_STOPPING:
		w->for_good = true;
		shorten(w, grace_ms);
		break;
	case CONTAINER_WORKER_ENDED:
		break;
	}
}

void container_worker_replace(struct container_worker *w)
{
	if (w->state == CONTAINER_WORKER_BACKOFF && w->wait == WAIT_IMAGE) {
		container_worker_may_begin(w);
	} else if (w->state == CONTAINER_WORKER_RUNNING) {
		container_worker_event(w, "Normal", "Killing",
				       "Container %s definition changed, will be restarted",
				       container_worker_name(w));
		w->restart_wanted = true;
		container_worker_stop_running(w, time_ms_of(json_int(json_get(w->pod->pod, "spec"),
								     "terminationGracePeriodSeconds", 30)));
	}
}

static void on_removed(const struct err *err, void *arg)
{
	struct container_worker *w = arg;

	if (err)
		log_warn("container's remains not removed", "container", container_worker_name(w), "error",
			 err->msg, NULL);
	w->removing--;
	w->ops->advance(w->arg);
}

static void remove_container(struct container_worker *w)
{
	w->removing++;
	container_remove(TAKE(w->container), on_removed, w);
}

/* restartPolicy of the pod, as it holds for this container. */
static bool wants_restart(const struct container_worker *w)
{
	const char *policy = json_str_or_empty(json_get(w->pod->pod, "spec"), "restartPolicy");
	const struct termination *t = w->ended.set ? &w->ended : &w->last;

	if (w->kind == CONTAINER_SIDECAR)
		return true;
	if (w->kind == CONTAINER_EPHEMERAL)
		return false;
	if (strcmp(policy, "Never") == 0)
		return false;
	if (w->kind == CONTAINER_APP && strcmp(policy, "OnFailure") != 0)
		return true;
	return t->exit_code != 0;
}

void container_worker_show_crash_back_off(struct container_worker *w)
{
	char delay[32];
	CLEANUP(mem_freep)
	char *message = mem_printf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
				   backoff_duration_text(w->crash.delay_ms, delay, sizeof(delay)),
				   container_worker_name(w), w->pod->name, w->pod->namespace_, w->pod->uid);

	container_worker_event(w, "Warning", "BackOff",
			       "Back-off restarting failed container %s in pod %s_%s(%s)",
			       container_worker_name(w), w->pod->name, w->pod->namespace_, w->pod->uid);
	container_worker_show_waiting(w, "CrashLoopBackOff", message);
	w->ops->changed(w, true, w->arg);
}

/* An attempt is over and shown as it should be: what comes next? */
void container_worker_attempt_over(struct container_worker *w)
{
	int64_t now = time_boot_ms(), before_ms = w->failed_ms, wait_ms;

	w->failed_ms = now;
	if (w->for_good || (!w->restart_wanted && !wants_restart(w))) {
		settle(w);
		w->ops->changed(w, true, w->arg);
		w->ops->advance(w->arg);
		return;
	}
	/* One that we ended is held back only by how it ended the time before, as in Kubernetes: the first
	 * two container_worker_restarts after a failed probe are immediate. */
	wait_ms = backoff_remaining_ms(&w->crash, w->restart_wanted ? before_ms : now, now);
	if (wait_ms == 0) {
		if (!w->restart_wanted || before_ms != 0)
			backoff_next(&w->crash, now);
		if (!w->restart_wanted || w->shown == SHOWN_WAITING)
			w->ops->changed(w, true, w->arg);
		container_worker_set_state(w, CONTAINER_WORKER_IDLE);
		w->ops->advance(w->arg);
		return;
	}
	w->retry_at_ms = now + backoff_remaining_ms(&w->crash, now, now);
	container_worker_event(w, "Warning", "BackOff",
			       "Back-off restarting failed container %s in pod %s_%s(%s)",
			       container_worker_name(w), w->pod->name, w->pod->namespace_, w->pod->uid);
	container_worker_back_off(w, WAIT_CRASH, w->restart_wanted ? 0 : SHOW_BACKOFF_AFTER_MS);
	if (!w->restart_wanted)
		w->ops->changed(w, true, w->arg);
	w->ops->advance(w->arg);
}

void container_worker_on_exited(struct container *container, void *arg)
{
	struct container_worker *w = arg;

	loop_timer_disarm(&w->timer);
	probe_action_cancel(TAKE(w->hook));
	probe_set_free(TAKE(w->probes));
	container_worker_show_waiting(w, NULL, NULL);
	w->shown = SHOWN_TERMINATED;
	w->ended = container_make_termination(container, w->spec, w->container_id);
	w->restart_count = container_worker_restarts(w);
	remove_container(w);
	if (w->hook_error) {
		CLEANUP(mem_freep) char *message = TAKE(w->hook_error);
		container_worker_show_waiting(w, "PostStartHookError", message);
	}
	container_worker_attempt_over(w);
}
