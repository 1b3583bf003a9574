/* Which of a pod's containers may begin: init containers one after the other, sidecars among them, then the
 * main ones. */
#include <string.h>

#include "nodeagent/pod_worker_private.h"

#define EPHEMERAL "ephemeralContainers"

/* C runs, and a main container after it is about to be begun: they are shown together when the last one runs.
 */
static bool others_follow(const struct pod_worker *w, const struct container_worker *c)
{
	bool after = false;

	if (w->state != POD_ACTIVE || container_worker_state(c) != CONTAINER_WORKER_RUNNING)
		return false;
	for (size_t i = w->n_init; i < w->n_lasting; i++) {
		if (after && container_worker_state(w->containers[i]) == CONTAINER_WORKER_IDLE)
			return true;
		after = after || w->containers[i] == c;
	}
	return false;
}

static void on_container_changed(struct container_worker *c, bool milestone, void *arg)
{
	struct pod_worker *w = arg;
	bool running = false;

	for (size_t i = 0; i < w->n_containers; i++)
		running = running || container_worker_state(w->containers[i]) != CONTAINER_WORKER_ENDED;
	/* When the whole pod is being ended its last end is shown when the sandbox is down, a moment later.
	 */
	w->end_unshown = pod_worker_is_ending(w) && !running;
	if (w->end_unshown || others_follow(w, c))
		pod_worker_save(w);
	else
		pod_worker_publish(w, milestone);
}

static struct container *on_running(const char *name, void *arg)
{
	return pod_worker_running_container(arg, name, NULL, NULL);
}

static const struct container_worker_ops container_ops = {
	.changed = on_container_changed,
	.advance = pod_worker_advance_soon,
	.save = pod_worker_save,
	.running = on_running,
};

static enum container_kind kind_of(const struct json_object *spec, bool init)
{
	if (!init)
		return CONTAINER_APP;
	return strcmp(json_str_or_empty(spec, "restartPolicy"), "Always") == 0 ? CONTAINER_SIDECAR
									       : CONTAINER_INIT;
}

void pod_worker_make_container_workers(struct pod_worker *w)
{
	const struct json_object *init = json_get(pod_worker_spec(w), "initContainers");
	const struct json_object *apps = json_get(pod_worker_spec(w), "containers");

	w->n_init = json_len(init);
	w->n_containers = w->n_lasting = w->n_init + json_len(apps);
	w->containers = mem_zalloc((w->n_containers + 1) * sizeof(*w->containers));
	for (size_t i = 0; i < w->n_containers; i++) {
		bool is_init = i < w->n_init;
		const struct json_object *spec = is_init ? json_at(init, i) : json_at(apps, i - w->n_init);
		w->containers[i] =
		    container_worker_new(&w->ctx, spec, kind_of(spec, is_init), &container_ops, w);
	}
	pod_worker_add_ephemeral(w, json_get(pod_worker_spec(w), EPHEMERAL));
}

void pod_worker_add_ephemeral(struct pod_worker *w, const struct json_object *list)
{
	struct json_object *own =
	    json_len(list) > 0 ? json_ensure_array(json_get(w->ctx.pod, "spec"), EPHEMERAL) : NULL;

	/* None is ever taken away or changed. */
	for (size_t i = w->n_containers - w->n_lasting; i < json_len(list); i++) {
		if (i >= json_len(own))
			json_object_array_add(own, json_clone(json_at(list, i)));
		w->containers = mem_realloc_array(w->containers, w->n_containers + 1, sizeof(*w->containers));
		w->containers[w->n_containers++] =
		    container_worker_new(&w->ctx, json_at(own, i), CONTAINER_EPHEMERAL, &container_ops, w);
	}
}

/* The container whose processes C wants to see is yet to run. */
static bool waits_for_target(const struct pod_worker *w, size_t c)
{
	const char *target = json_str_or_empty(
	    json_at(json_get(pod_worker_spec(w), EPHEMERAL), c - w->n_lasting), "targetContainerName");

	for (size_t i = 0; *target && i < w->n_lasting; i++)
		if (strcmp(container_worker_name(w->containers[i]), target) == 0)
			return container_worker_state(w->containers[i]) != CONTAINER_WORKER_ENDED &&
			       !container_worker_running(w->containers[i], NULL);
	return false;
}

/* They wait for no other container, so that one sees why those do not begin. */
static void advance_ephemeral(struct pod_worker *w)
{
	for (size_t i = w->n_lasting; i < w->n_containers; i++)
		if (container_worker_state(w->containers[i]) == CONTAINER_WORKER_IDLE &&
		    !waits_for_target(w, i))
			container_worker_begin(w->containers[i]);
}

/* Begins what may begin among the init containers. True: all have done their work, the others may begin. */
static bool advance_init(struct pod_worker *w)
{
	for (size_t i = 0; i < w->n_init; i++) {
		struct container_worker *c = w->containers[i];
		enum container_worker_state state = container_worker_state(c);
		bool sidecar = container_worker_kind(c) == CONTAINER_SIDECAR;
		/* When the work was done once only sidecars are begun again. */
		if (w->initialized && !sidecar)
			continue;
		if (state == CONTAINER_WORKER_IDLE)
			container_worker_begin(c);
		if (w->initialized ||
		    (sidecar ? container_worker_is_started(c) : container_worker_has_succeeded(c)))
			continue;
		if (container_worker_state(c) == CONTAINER_WORKER_ENDED)
			pod_worker_begin_stopping(
			    w, pod_worker_spec_grace_ms(w)); /* it failed and is not tried again */
		return false;
	}
	w->initialized = true;
	return true;
}

void pod_worker_advance_active(struct pod_worker *w)
{
	size_t over = 0;

	advance_ephemeral(w);
	if (!advance_init(w) || w->state != POD_ACTIVE)
		return;
	for (size_t i = w->n_init; i < w->n_lasting; i++) {
		struct container_worker *c = w->containers[i];
		if (container_worker_state(c) == CONTAINER_WORKER_IDLE)
			container_worker_begin(c);
		/* One after the other: the next one may count on what postStart did. */
		if (container_worker_is_starting(c))
			return;
		over += container_worker_state(c) == CONTAINER_WORKER_ENDED;
	}
	if (over == w->n_lasting - w->n_init)
		pod_worker_begin_stopping(w, pod_worker_spec_grace_ms(w));
}
