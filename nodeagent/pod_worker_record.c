/* What is known of a pod: shown in the API, kept on disk, taken up again after a restart of the agent. */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/pod_store.h"
#include "nodeagent/pod_worker_private.h"
#include "nodeagent/status_writer.h"
#include "nodeagent/volumes.h"

void pod_worker_save(void *arg)
{
	struct pod_worker *w = arg;
	CLEANUP(json_putp) struct json_object *record = json_object_new_object();
	struct json_object *worker = json_object_new_object(), *list = json_object_new_array();
	struct err err = ERR_INIT;

	json_set_int(worker, "state", w->state);
	json_set_int(worker, "start_us", w->start_us);
	json_set_bool(worker, "initialized", w->initialized);
	json_set_str(worker, "reason", w->reason);
	for (size_t i = 0; i < w->n_containers; i++)
		json_object_array_add(list, container_worker_save(w->containers[i]));
	json_set(worker, "containers", list);
	json_set(record, "pod", json_object_get(w->ctx.pod));
	json_set(record, "status", json_object_get(w->status));
	json_set(record, "worker", worker);
	w->recorded = true;
	if (pod_store_save(w->ctx.dir, record, ++w->sequence, &err) < 0)
		log_error("pod not recorded", "pod", w->key, "error", err.msg, NULL);
}

static struct json_object *build_status(const struct pod_worker *w)
{
	struct container_view *views = mem_zalloc((w->n_containers + 1) * sizeof(*views));

	for (size_t i = 0; i < w->n_containers; i++)
		container_worker_view(w->containers[i], &views[i]);
	struct pod_view view = {
		.pod = w->ctx.pod,
		.previous = w->status,
		.containers = views,
		.n_containers = w->n_containers,
		.sandbox_ready = w->sandbox_ready,
		.ending = pod_worker_is_ending(w),
		.ended = w->state >= POD_ENDED,
		.reason = w->reason,
		.message = w->message,
		.address = w->ctx.sandbox.address,
		.host_address = w->ctx.agent->node_ip,
		.start_us = w->start_us,
		.now_us = time_now_us(),
	};
	struct json_object *status = pod_status_build(&view);
	free(views);
	return status;
}

void pod_worker_publish(struct pod_worker *w, bool milestone)
{
	CLEANUP(json_putp) struct json_object *status = build_status(w);

	if (w->status && json_equal(status, w->status))
		return;
	json_object_put(w->status);
	w->status = TAKE(status);
	/* Until its first container is made the API knows all there is to know. */
	if (w->recorded || pod_worker_is_ending(w))
		pod_worker_save(w);
	if (!w->forgotten)
		status_writer_put(w->ctx.agent->writer, w->ctx.uid, w->ctx.namespace_, w->ctx.name, w->status,
				  milestone);
}

static void restore_containers(struct pod_worker *w, const struct json_object *list)
{
	for (size_t i = 0; i < w->n_containers; i++)
		for (size_t s = 0; s < json_len(list); s++)
			if (strcmp(json_str_or_empty(json_at(list, s), "name"),
				   container_worker_name(w->containers[i])) == 0)
				container_worker_restore(w->containers[i], json_at(list, s));
}

struct pod_worker *pod_worker_restore(struct agent *agent, const struct json_object *record, int64_t sequence,
				      const struct pod_worker_ops *ops, void *arg, struct err *err)
{
	const struct json_object *saved = json_get(record, "worker");
	enum pod_worker_state state = (enum pod_worker_state)json_int(saved, "state", POD_VOLUMES);
	struct pod_worker *w = pod_worker_make(agent, json_get(record, "pod"), ops, arg);
	struct sandbox sandbox = { 0 };

	if (!w) {
		err_set(err, ERR_CORRUPT, "record of a pod has no usable UID");
		return NULL;
	}
	w->status = json_object_get(json_get(record, "status"));
	w->unconfirmed = true;
	w->recorded = true;
	w->sequence = sequence;
	w->start_us = json_int(saved, "start_us", time_now_us());
	w->initialized = json_boolean(saved, "initialized", false);
	if (json_str(saved, "reason")) {
		w->reason = "DeadlineExceeded";
		w->message = "Pod was active on the node longer than the specified deadline";
	}
	if (state >= POD_ENDED) {
		w->state = POD_ENDED;
		restore_containers(w, json_get(saved, "containers"));
		pod_worker_check_deletion(w);
		return w;
	}
	pod_worker_hold_objects(w);
	if (sandbox_load(w->ctx.dir, &sandbox, NULL) == 0) {
		pod_worker_take_sandbox(w, &sandbox);
		sandbox_close(&sandbox);
		w->sandbox_ready = true;
		w->state = POD_ACTIVE;
	}
	restore_containers(w, json_get(saved, "containers"));
	/* Without its namespaces nothing of it can run on: what may be left is ended, and it begins anew. */
	if (w->reason)
		pod_worker_begin_stopping(w, pod_worker_spec_grace_ms(w));
	pod_worker_arm_active_deadline(w);
	pod_worker_check_deletion(w);
	pod_worker_advance_soon(w);
	return w;
}
