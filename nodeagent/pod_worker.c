#include "nodeagent/pod_worker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/container_events.h"
#include "nodeagent/hosts_files.h"
#include "nodeagent/pod_cgroup.h"
#include "nodeagent/pod_store.h"
#include "nodeagent/pod_worker_private.h"
#include "nodeagent/status_writer.h"
#include "nodeagent/tree.h"
#include "nodeagent/volumes.h"

static const unsigned transitions[] = {
	[POD_VOLUMES] = 1 << POD_SANDBOX | 1 << POD_STOPPING,
	[POD_SANDBOX] = 1 << POD_ACTIVE | 1 << POD_STOPPING,
	[POD_ACTIVE] = 1 << POD_STOPPING,
	[POD_STOPPING] = 1 << POD_TEARDOWN,
	[POD_TEARDOWN] = 1 << POD_ENDED,
	[POD_ENDED] = 1 << POD_DELETING | 1 << POD_GONE,
	[POD_DELETING] = 1 << POD_GONE,
	[POD_GONE] = 0,
};

void pod_worker_set_state(struct pod_worker *w, enum pod_worker_state state)
{
	if (!(transitions[w->state] & (1u << state))) {
		log_error("pod worker: impossible transition", "pod", w->key, "from", log_num(w->state), "to",
			  log_num(state), NULL);
		abort();
	}
	w->state = state;
}

const struct json_object *pod_worker_spec(const struct pod_worker *w)
{
	return json_get(w->ctx.pod, "spec");
}

void pod_worker_event(const struct pod_worker *w, const char *type, const char *reason, const char *message)
{
	const struct container_about about = { .pod = &w->ctx };

	container_event(&about, type, reason, "%s", message);
}

void pod_worker_advance_soon(void *arg)
{
	struct pod_worker *w = arg;

	loop_post(w->ctx.agent->loop, &w->task);
}

bool pod_worker_is_ending(const struct pod_worker *w)
{
	return w->state >= POD_STOPPING;
}

int64_t pod_worker_spec_grace_ms(const struct pod_worker *w)
{
	return time_ms_of(json_int(pod_worker_spec(w), "terminationGracePeriodSeconds", 30));
}

static void advance(struct loop_task *task, void *arg)
{
	struct pod_worker *w = arg;

	(void)task;
	if (w->ctx.agent->stopping)
		return;
	switch (w->state) {
	case POD_VOLUMES:
		pod_worker_advance_volumes(w);
		break;
	case POD_SANDBOX:
		pod_worker_make_sandbox(w);
		break;
	case POD_ACTIVE:
		pod_worker_advance_active(w);
		break;
	case POD_STOPPING:
		pod_worker_advance_stopping(w);
		break;
	case POD_ENDED:
	case POD_DELETING:
		pod_worker_advance_ended(w);
		break;
	case POD_TEARDOWN:
		pod_worker_tear_down(w);
		break;
	case POD_GONE:
		break;
	}
}

struct pod_worker *pod_worker_make(struct agent *agent, const struct json_object *pod,
				   const struct pod_worker_ops *ops, void *arg)
{
	const struct json_object *meta = json_get(pod, "metadata");
	const char *uid = json_str_or_empty(meta, "uid");
	CLEANUP(mem_freep) char *dir = pod_store_dir(agent->data_dir, uid);

	if (!dir)
		return NULL;
	struct pod_worker *w = mem_zalloc(sizeof(*w));
	w->ops = ops;
	w->arg = arg;
	w->ctx.agent = agent;
	w->ctx.namespace_ = mem_dup(json_str_or_empty(meta, "namespace"));
	w->ctx.name = mem_dup(json_str_or_empty(meta, "name"));
	w->ctx.uid = mem_dup(uid);
	w->ctx.dir = TAKE(dir);
	w->ctx.cgroup = pod_cgroup_name(json_get(pod, "spec"), uid);
	w->ctx.hostname = hosts_files_hostname(pod, agent->node_name);
	w->ctx.lookup = (struct config_lookup){ pod_worker_lookup, w };
	w->key = mem_printf("%s/%s", w->ctx.namespace_, w->ctx.name);
	/* A top of our own: metadata and status change under it, the spec stays. */
	w->ctx.pod = json_object_new_object();
	json_set(w->ctx.pod, "metadata", json_object_get(json_get(pod, "metadata")));
	json_set(w->ctx.pod, "spec", json_object_get(json_get(pod, "spec")));
	json_set(w->ctx.pod, "status", json_object_get(json_get(pod, "status")));
	w->task = (struct loop_task){ .fn = advance, .arg = w };
	loop_timer_init(&w->retry, agent->loop, pod_worker_on_retry, w);
	loop_timer_init(&w->active_deadline, agent->loop, pod_worker_on_active_deadline, w);
	pod_worker_make_container_workers(w);
	return w;
}

/* Deletion as the API's metadata asks for it. */
void pod_worker_check_deletion(struct pod_worker *w)
{
	const struct json_object *meta = json_get(w->ctx.pod, "metadata");
	int64_t grace_ms =
	    time_ms_of(json_int(meta, "deletionGracePeriodSeconds", pod_worker_spec_grace_ms(w) / 1000));

	if (!json_str(meta, "deletionTimestamp"))
		return;
	w->deleting = true;
	if (!pod_worker_is_ending(w)) {
		pod_worker_begin_stopping(w, grace_ms);
	} else if (w->state == POD_STOPPING && grace_ms < w->grace_ms) {
		w->grace_ms = grace_ms;
		w->deadline_ms = loop_now_ms(w->ctx.agent->loop) + grace_ms;
		w->cut = true;
	}
	pod_worker_advance_soon(w);
}

struct pod_worker *pod_worker_new(struct agent *agent, struct json_object *pod,
				  const struct pod_worker_ops *ops, void *arg)
{
	struct pod_worker *w = pod_worker_make(agent, pod, ops, arg);
	const char *started = json_str(json_get(pod, "status"), "startTime");
	struct err err = ERR_INIT;

	if (!w)
		return NULL;
	if (!started || !time_parse(started, &w->start_us))
		w->start_us = time_now_us();
	if (pod_status_phase_is_final(json_str(json_get(pod, "status"), "phase"))) {
		/* Over before we knew it: nothing to run, only to delete when asked. */
		w->state = POD_ENDED;
		w->status = json_object_get(json_get(pod, "status"));
		pod_worker_check_deletion(w);
		return w;
	}
	if (tree_make(w->ctx.dir, 0750, &err) < 0)
		log_error("pod folder not made", "pod", w->key, "error", err.msg, NULL);
	pod_worker_hold_objects(w);
	pod_worker_publish(w, false);
	pod_worker_arm_active_deadline(w);
	pod_worker_check_deletion(w);
	pod_worker_advance_soon(w);
	return w;
}

void pod_worker_free(struct pod_worker *w)
{
	if (!w)
		return;
	loop_unpost(w->ctx.agent->loop, &w->task);
	loop_timer_disarm(&w->retry);
	loop_timer_disarm(&w->active_deadline);
	if (w->sandbox_op)
		sandbox_cancel(w->sandbox_op);
	for (size_t i = 0; i < w->n_containers; i++)
		container_worker_free(w->containers[i]);
	free(w->containers);
	pod_worker_drop_objects(w);
	json_object_put(w->status);
	json_object_put(w->ctx.pod);
	sandbox_close(&w->ctx.sandbox);
	free(w->ctx.namespace_);
	free(w->ctx.name);
	free(w->ctx.uid);
	free(w->ctx.dir);
	free(w->ctx.cgroup);
	free(w->ctx.hostname);
	free(w->key);
	free(w);
}

/* What of a pod's spec may change: images, its deadline; and ephemeral containers come. */
static void take_spec_changes(struct pod_worker *w, const struct json_object *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	size_t n = 0;

	if (json_int(spec, "activeDeadlineSeconds", -1) !=
	    json_int(pod_worker_spec(w), "activeDeadlineSeconds", -1)) {
		json_set_int(json_get(w->ctx.pod, "spec"), "activeDeadlineSeconds",
			     json_int(spec, "activeDeadlineSeconds", 0));
		pod_worker_arm_active_deadline(w);
	}
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *old = json_get(pod_worker_spec(w), lists[l]),
					 *new_ = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(old); i++, n++) {
			const char *image = json_str(json_at(new_, i), "image");
			if (!image || strcmp(image, json_str_or_empty(json_at(old, i), "image")) == 0)
				continue;
			json_set_str(json_at(old, i), "image", image);
			container_worker_replace(w->containers[n]);
		}
	}
	if (pod_worker_is_ending(w) ||
	    json_len(json_get(spec, "ephemeralContainers")) <= w->n_containers - w->n_lasting)
		return;
	pod_worker_add_ephemeral(w, json_get(spec, "ephemeralContainers"));
	pod_worker_hold_configs(w);
	pod_worker_advance_soon(w);
}

void pod_worker_update(struct pod_worker *w, struct json_object *pod)
{
	json_set(w->ctx.pod, "metadata", json_object_get(json_get(pod, "metadata")));
	json_set(w->ctx.pod, "status", json_object_get(json_get(pod, "status")));
	if (json_get(pod, "spec") != json_get(w->ctx.pod, "spec"))
		take_spec_changes(w, json_get(pod, "spec"));
	pod_worker_check_deletion(w);
	if (w->state < POD_TEARDOWN)
		pod_worker_publish(w, false);
	if (w->unconfirmed && w->status && !json_equal(w->status, json_get(pod, "status")))
		status_writer_put(w->ctx.agent->writer, w->ctx.uid, w->ctx.namespace_, w->ctx.name, w->status,
				  false);
	w->unconfirmed = false;
}

void pod_worker_deleted(struct pod_worker *w)
{
	w->forgotten = true;
	w->deleting = true;
	status_writer_forget(w->ctx.agent->writer, w->ctx.uid);
	if (!pod_worker_is_ending(w))
		pod_worker_begin_stopping(w, pod_worker_spec_grace_ms(w));
	pod_worker_advance_soon(w);
}

void pod_worker_images_changed(struct pod_worker *w)
{
	for (size_t i = 0; i < w->n_containers; i++)
		container_worker_images_changed(w->containers[i]);
}

void pod_worker_network_ready(struct pod_worker *w)
{
	pod_worker_advance_soon(w);
}

const char *pod_worker_uid(const struct pod_worker *w)
{
	return w->ctx.uid;
}

const char *pod_worker_key(const struct pod_worker *w)
{
	return w->key;
}

const struct json_object *pod_worker_pod(const struct pod_worker *w, const struct json_object **ret_status)
{
	if (ret_status)
		*ret_status = w->status;
	return w->ctx.pod;
}

static struct container_worker *find_container(const struct pod_worker *w, const char *name)
{
	for (size_t i = 0; i < w->n_containers; i++)
		if (strcmp(container_worker_name(w->containers[i]), name) == 0)
			return w->containers[i];
	return NULL;
}

static const char *why_no_log(const struct pod_worker *w, const char *reason)
{
	if (!reason)
		return w->n_init > 0 ? "PodInitializing" : "ContainerCreating";
	if (strcmp(reason, "ErrImagePull") == 0)
		return "image can't be pulled";
	if (strcmp(reason, "ImagePullBackOff") == 0)
		return "trying and failing to pull image";
	return reason;
}

int pod_worker_log_path(const struct pod_worker *w, const char *container, bool previous, char **ret,
			struct err *err)
{
	const struct container_worker *c = find_container(w, container);
	struct container_view view;

	if (!c)
		return err_set(err, ERR_BAD_REQUEST, "container %s is not valid for pod %s", container,
			       w->ctx.name);
	int attempt = container_worker_log_attempt(c, previous);
	if (attempt < 0 && previous)
		return err_set(err, ERR_BAD_REQUEST,
			       "previous terminated container \"%s\" in pod \"%s\" not found", container,
			       w->ctx.name);
	container_worker_view(c, &view);
	if (attempt < 0)
		return err_set(err, ERR_BAD_REQUEST, "container \"%s\" in pod \"%s\" is waiting to start: %s",
			       container, w->ctx.name, why_no_log(w, view.waiting_reason));
	*ret = mem_printf("%s/containers/%s/%d/log", w->ctx.dir, container, attempt);
	return 0;
}

struct container *pod_worker_running_container(const struct pod_worker *w, const char *container,
					       const struct json_object **ret_spec, struct err *err)
{
	const struct container_worker *c = find_container(w, container);
	struct container *running = c ? container_worker_running(c, ret_spec) : NULL;

	if (!running)
		err_set(err, ERR_NOT_FOUND, "container not found (\"%s\")", container);
	return running;
}

int pod_worker_net_ns(const struct pod_worker *w, const char **ret, struct err *err)
{
	if (!w->sandbox_ready)
		return err_set(err, ERR_NOT_FOUND, "the pod %s has no network", w->key);
	*ret = w->ctx.sandbox.net_ns;
	return 0;
}
