/* A pod's end: its containers stopped in their order, its sandbox taken down, the pod deleted from the API.
 */
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_events.h"
#include "nodeagent/pod_store.h"
#include "nodeagent/pod_worker_private.h"
#include "nodeagent/runtime.h"
#include "nodeagent/status_writer.h"
#include "nodeagent/volumes.h"

#define MIN_SIDECAR_GRACE_MS 2000

void pod_worker_begin_stopping(struct pod_worker *w, int64_t grace_ms)
{
	w->grace_ms = grace_ms;
	w->deadline_ms = loop_now_ms(w->ctx.agent->loop) + grace_ms;
	loop_timer_disarm(&w->retry);
	loop_timer_disarm(&w->active_deadline);
	if (w->sandbox_op) {
		sandbox_cancel(w->sandbox_op);
		w->sandbox_op = NULL;
	}
	pod_worker_set_state(w, POD_STOPPING);
	pod_worker_advance_soon(w);
}

static int64_t grace_left_ms(const struct pod_worker *w)
{
	int64_t left = w->deadline_ms - loop_now_ms(w->ctx.agent->loop);

	return left > 0 ? left : 0;
}

void pod_worker_advance_stopping(struct pod_worker *w)
{
	bool all_quiet = true, mains_over = true;

	for (size_t i = 0; i < w->n_containers; i++) {
		struct container_worker *c = w->containers[i];
		if (container_worker_kind(c) == CONTAINER_SIDECAR)
			continue;
		if (w->cut || container_worker_state(c) != CONTAINER_WORKER_STOPPING)
			container_worker_stop(c, grace_left_ms(w));
		mains_over = mains_over && container_worker_state(c) == CONTAINER_WORKER_ENDED;
	}
	for (size_t i = w->n_init; mains_over && i-- > 0;) {
		struct container_worker *c = w->containers[i];
		if (container_worker_kind(c) != CONTAINER_SIDECAR ||
		    container_worker_state(c) == CONTAINER_WORKER_ENDED)
			continue;
		int64_t left = grace_left_ms(w);
		if (w->cut || container_worker_state(c) != CONTAINER_WORKER_STOPPING)
			container_worker_stop(
			    c, left < MIN_SIDECAR_GRACE_MS && w->grace_ms > 0 ? MIN_SIDECAR_GRACE_MS : left);
		if (container_worker_state(c) != CONTAINER_WORKER_ENDED)
			break;
	}
	w->cut = false;
	for (size_t i = 0; i < w->n_containers; i++)
		all_quiet = all_quiet && container_worker_is_quiet(w->containers[i]);
	if (!all_quiet)
		return;
	pod_worker_set_state(w, POD_TEARDOWN);
	w->retry_ms = 0;
	pod_worker_tear_down(w);
}

static void on_torn_down(const struct err *err, void *arg)
{
	struct pod_worker *w = arg;
	struct err other = ERR_INIT;

	w->sandbox_op = NULL;
	if (!err && (runtime_pod_cgroup_remove(w->ctx.agent->runtime, w->ctx.cgroup, &other) < 0 ||
		     volumes_teardown(w->ctx.dir, &other) < 0))
		err = &other;
	if (err) {
		/* Until all is gone: what is forgotten here stays on the node for good. */
		CLEANUP(mem_freep) char *message = mem_printf("error killing pod: %s", err->msg);
		pod_worker_event(w, "Warning", "FailedKillPod", message);
		pod_worker_retry_later(w);
		return;
	}
	pod_worker_drop_objects(w);
	w->sandbox_ready = false;
	/* A pod that was not told to end shows first how its containers ended. */
	if (w->end_unshown && !w->deleting && !w->reason)
		pod_worker_publish(w, true);
	pod_worker_set_state(w, POD_ENDED);
	pod_worker_publish(w, true);
	pod_worker_advance_soon(w);
}

void pod_worker_tear_down(struct pod_worker *w)
{
	if (w->sandbox_op || loop_timer_armed(&w->retry))
		return;
	w->sandbox_op = sandbox_destroy(w->ctx.agent->loop, w->ctx.agent->network, w->ctx.dir, w->ctx.uid,
					on_torn_down, w);
}

void pod_worker_advance_ended(struct pod_worker *w)
{
	if (w->forgotten) {
		status_writer_forget(w->ctx.agent->writer, w->ctx.uid);
		pod_worker_set_state(w, POD_GONE);
		pod_store_discard(w->ctx.agent->loop, w->ctx.agent->data_dir, w->ctx.uid);
		container_events_forget(&w->ctx);
		w->ops->gone(w, w->arg); /* frees it */
	} else if (w->deleting && w->state == POD_ENDED) {
		pod_worker_set_state(w, POD_DELETING);
		status_writer_delete(w->ctx.agent->writer, w->ctx.uid, w->ctx.namespace_, w->ctx.name);
	}
}

void pod_worker_on_active_deadline(struct loop_timer *timer, void *arg)
{
	struct pod_worker *w = arg;

	(void)timer;
	if (pod_worker_is_ending(w))
		return;
	w->reason = "DeadlineExceeded";
	w->message = "Pod was active on the node longer than the specified deadline";
	pod_worker_event(w, "Normal", w->reason, w->message);
	pod_worker_begin_stopping(w, pod_worker_spec_grace_ms(w));
	pod_worker_publish(w, true);
}

void pod_worker_arm_active_deadline(struct pod_worker *w)
{
	int64_t seconds = json_int(pod_worker_spec(w), "activeDeadlineSeconds", -1);

	if (seconds < 0 || pod_worker_is_ending(w))
		return;
	int64_t left = w->start_us / 1000 + time_ms_of(seconds) - time_now_us() / 1000;
	loop_timer_arm(&w->active_deadline, left > 0 ? left : 0);
}
