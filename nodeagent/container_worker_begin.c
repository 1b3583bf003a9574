/* A container from its image to running: found, configured, made, started, its postStart hook, its probes. */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_make.h"
#include "nodeagent/container_worker_private.h"
#include "nodeagent/image_store.h"

#define CONFIG_RETRY_MS 10000 /* a fault that no watch will tell the end of */

void container_worker_show_image_back_off(struct container_worker *w)
{
	CLEANUP(mem_freep) char *message = NULL;
	const char *image = json_str_or_empty(w->spec, "image");

	container_worker_event(w, "Normal", "BackOff", "Back-off pulling image \"%s\"", image);
	container_worker_event(w, "Warning", "Failed", "Error: ImagePullBackOff");
	message = mem_printf("Back-off pulling image \"%s\": ErrImagePull: %s", image,
			     w->waiting_message ? w->waiting_message : "");
	container_worker_show_waiting(w, "ImagePullBackOff", message);
	w->ops->changed(w, true, w->arg);
}

/* The store has no such image, or a damaged one. WHY is the store's message. */
static void image_failed(struct container_worker *w, const struct err *why)
{
	const char *image = json_str_or_empty(w->spec, "image");
	int64_t now = time_boot_ms();

	if (why->kind == ERR_BAD_REQUEST) {
		CLEANUP(mem_freep)
		char *message = mem_printf("Failed to apply default image tag \"%s\": %s", image, why->msg);
		container_worker_event(w, "Warning", "InspectFailed", "%s", message);
		container_worker_event(w, "Warning", "Failed", "Error: InvalidImageName");
		container_worker_show_waiting(w, "InvalidImageName", message);
		container_worker_back_off(w, WAIT_NOTHING, -1);
	} else if (strcmp(json_str_or_empty(w->spec, "imagePullPolicy"), "Never") == 0) {
		CLEANUP(mem_freep)
		char *message =
		    mem_printf("Container image \"%s\" is not present with pull policy of Never", image);
		container_worker_event(w, "Warning", "ErrImageNeverPull", "%s", message);
		container_worker_event(w, "Warning", "Failed", "Error: ErrImageNeverPull");
		container_worker_show_waiting(w, "ErrImageNeverPull", message);
		container_worker_back_off(w, WAIT_IMAGE, -1);
	} else {
		CLEANUP(mem_freep)
		char *message = why->kind == ERR_NOT_FOUND
				    ? mem_printf("image \"%s\" is not in this node's image store "
						 "and knarr does not pull from registries yet; "
						 "import it with: knarr image import FILE",
						 image)
				    : mem_dup(why->msg);
		container_worker_event(w, "Normal", "Pulling", "Pulling image \"%s\"", image);
		container_worker_event(w, "Warning", "Failed", "Failed to pull image \"%s\": %s", image,
				       message);
		container_worker_event(w, "Warning", "Failed", "Error: ErrImagePull");
		backoff_next(&w->pull, now);
		w->retry_at_ms = now + w->pull.delay_ms;
		container_worker_show_waiting(w, "ErrImagePull", message);
		container_worker_back_off(w, WAIT_IMAGE, SHOW_BACKOFF_AFTER_MS);
	}
	w->ops->changed(w, true, w->arg);
	w->ops->advance(w->arg);
}

static void on_run(struct container *container, const struct err *err, void *arg);

static void config_failed(struct container_worker *w, const char *reason, const struct err *err)
{
	container_worker_event(w, "Warning", "Failed", "Error: %s", err->msg);
	container_worker_show_waiting(w, reason, err->msg);
	w->retry_at_ms = time_boot_ms() + CONFIG_RETRY_MS;
	container_worker_back_off(w, WAIT_CONFIG, err->kind == ERR_NOT_FOUND ? -1 : CONFIG_RETRY_MS);
	w->ops->changed(w, true, w->arg);
	w->ops->advance(w->arg);
}

/* An ephemeral container may want to see the processes of another one. *ret NULL: it does not. */
static int find_target(const struct container_worker *w, struct container **ret, struct err *err)
{
	const char *name = json_str_or_empty(w->spec, "targetContainerName");

	*ret = *name ? w->ops->running(name, w->arg) : NULL;
	return *name && !*ret ? err_set(err, ERR_INVALID, "unable to find target container %s", name) : 0;
}

void container_worker_begin(struct container_worker *w)
{
	struct agent *agent = w->pod->agent;
	const char *reference = json_str_or_empty(w->spec, "image");
	CLEANUP(image_close) struct image image = { 0 };
	struct err err = ERR_INIT;

	if (!start_slots_take(agent->starts, &w->slot))
		return;
	if (image_store_find(agent->images, reference, &image, &err) < 0) {
		image_failed(w, &err);
		return;
	}
	w->pull = (struct backoff){ 0 };
	container_worker_event(
	    w, "Normal", "Pulled",
	    "Container image \"%s\" already present on machine and can be accessed by the pod", reference);
	struct container_make make = {
		.pod = w->pod,
		.spec = w->spec,
		.image = &image,
		.attempt = w->attempts,
		.done = on_run,
		.exited = container_worker_on_exited,
		.arg = w,
	};
	if (find_target(w, &make.target, &err) < 0 || container_make_prepare(&make, &err) < 0) {
		container_make_close(&make);
		config_failed(w, "CreateContainerConfigError", &err);
		return;
	}
	container_worker_set_state(w, CONTAINER_WORKER_STARTING);
	container_worker_set_string(&w->image, image.reference);
	container_worker_set_string(&w->image_id, image.id);
	free(TAKE(w->hook_error));
	w->restart_wanted = false;
	w->attempts++;
	w->ops->save(w->arg);
	container_make_discard_old(w->pod, container_worker_name(w), w->attempts);
	container_make_run(&make);
	container_make_close(&make);
}

/* The runtime would not make or start it. */
static void run_failed(struct container_worker *w, const struct err *err)
{
	int64_t now_us = time_now_us();

	container_worker_event(w, "Warning", "Failed", "Error: %s", err->msg);
	pod_status_termination_close(&w->last);
	w->last = (struct termination){
		.set = true,
		.exit_code = 128,
		.finished_us = now_us,
		.reason = mem_dup("StartError"),
		.message = mem_dup(err->msg),
		.container_id = mem_dup(w->container_id),
	};
	pod_status_termination_close(&w->ended);
	container_worker_show_waiting(w, "RunContainerError", err->msg);
	w->restart_count = container_worker_restarts(w);
	w->failed_ms = time_boot_ms();
	container_worker_attempt_over(w);
}

static void on_probes_changed(void *arg)
{
	struct container_worker *w = arg;

	w->ops->changed(w, true, w->arg);
	w->ops->advance(w->arg);
}

static void on_unhealthy(enum probe_kind kind, bool errored, const char *message, void *arg)
{
	struct container_worker *w = arg;

	if (errored)
		container_worker_event(w, "Warning", "Unhealthy",
				       "%s probe errored and resulted in unknown state: %s",
				       probe_kind_names[kind], message);
	else
		container_worker_event(w, "Warning", "Unhealthy", "%s probe failed: %s",
				       probe_kind_names[kind], message);
}

static void on_probe_failed(enum probe_kind kind, void *arg)
{
	struct container_worker *w = arg;
	const struct json_object *probe =
	    json_get(w->spec, kind == PROBE_STARTUP ? "startupProbe" : "livenessProbe");
	int64_t pod_grace = json_int(json_get(w->pod->pod, "spec"), "terminationGracePeriodSeconds", 30);

	if (w->state != CONTAINER_WORKER_RUNNING)
		return;
	container_worker_event(w, "Normal", "Killing", "Container %s failed %s probe, will be restarted",
			       container_worker_name(w), kind == PROBE_STARTUP ? "startup" : "liveness");
	w->restart_wanted = true;
	container_worker_stop_running(
	    w, time_ms_of(json_int(probe, "terminationGracePeriodSeconds", pod_grace)));
}

static const struct probe_set_ops probe_ops = {
	.changed = on_probes_changed,
	.failed = on_probe_failed,
	.unhealthy = on_unhealthy,
};

struct probe_target container_worker_target(const struct container_worker *w)
{
	return (struct probe_target){
		.loop = w->pod->agent->loop,
		.http = w->pod->agent->probe_http,
		.container = w->container,
		.address = w->pod->sandbox.address,
		.container_spec = w->spec,
	};
}

/* Shown as running from here on. */
void container_worker_run(struct container_worker *w, bool was_started, bool was_ready)
{
	struct probe_target t = container_worker_target(w);

	container_worker_set_state(w, CONTAINER_WORKER_RUNNING);
	w->started_us = container_state(w->container)->started_us;
	w->probes = probe_set_new(&t, w->started_us, was_started, was_ready, &probe_ops, w);
}

static void on_post_start(enum probe_outcome outcome, const char *message, const char *output, void *arg)
{
	struct container_worker *w = arg;

	w->hook = NULL;
	if (outcome == PROBE_SUCCESS) {
		container_worker_run(w, false, false);
		w->ops->changed(w, true, w->arg);
		w->ops->advance(w->arg);
		return;
	}
	free(w->hook_error);
	w->hook_error = container_events_hook_error(w->pod, w->spec, message, output);
	log_warn("postStart hook failed", "pod", w->pod->name, "error", w->hook_error, NULL);
	container_worker_event(w, "Warning", "FailedPostStartHook", "PostStartHook failed");
	container_worker_event(w, "Normal", "Killing", "FailedPostStartHook");
	container_worker_stop_running(
	    w, time_ms_of(json_int(json_get(w->pod->pod, "spec"), "terminationGracePeriodSeconds", 30)));
}

static void on_run(struct container *container, const struct err *err, void *arg)
{
	struct container_worker *w = arg;
	const struct json_object *hook = json_path(w->spec, "lifecycle", "postStart", NULL);

	w->container = container;
	free(w->container_id);
	w->container_id = container
			      ? container_make_id(container)
			      : container_make_id_on_disk(w->pod, container_worker_name(w), w->attempts - 1);
	container_worker_event(w, "Normal", "Created", "Container created");
	if (!container) {
		run_failed(w, err);
		return;
	}
	container_worker_event(w, "Normal", "Started", "Container started");
	/* The last end is history now. */
	container_worker_show_waiting(w, NULL, NULL);
	w->shown = SHOWN_RUNNING;
	w->started_us = container_state(container)->started_us;
	w->restart_count = container_worker_restarts(w);
	if (hook) {
		struct probe_target t = container_worker_target(w);
		container_worker_set_state(w, CONTAINER_WORKER_HOOK);
		/* A hook may take its time; only the pod's end cuts it short. */
		w->hook = probe_action_start(&t, hook, 24 * 3600 * 1000, on_post_start, w);
		if (!w->for_good)
			return;
	} else {
		container_worker_run(w, false, false);
		w->ops->changed(w, true, w->arg);
	}
	if (w->for_good) {
		int64_t left = w->deadline_ms - loop_now_ms(w->pod->agent->loop);
		container_worker_stop(w, left > 0 ? left : 0);
	}
	w->ops->advance(w->arg);
}
