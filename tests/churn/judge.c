#include "tests/churn/judge.h"

#include <string.h>

#include "lib/quantity.h"
#include "tests/churn/object.h"

static const struct json_object *items(const struct json_object *list)
{
	return json_get(list, "items");
}

static const struct json_object *find(const struct json_object *list, const char *name)
{
	for (size_t i = 0; i < json_len(items(list)); i++)
		if (strcmp(object_name(json_at(items(list), i)), name) == 0)
			return json_at(items(list), i);
	return NULL;
}

static const struct json_object *find_uid(const struct json_object *list, const char *uid)
{
	for (size_t i = 0; i < json_len(items(list)); i++) {
		const struct json_object *obj = json_at(items(list), i);
		if (strcmp(object_uid(obj), uid) == 0)
			return obj;
	}
	return NULL;
}

static bool marker(const struct json_object *obj)
{
	return strcmp(object_name(obj), "marker") == 0;
}

static bool no(struct buf *why, const char *format, ...) PRINTF_LIKE(2, 3);
static bool no(struct buf *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(why, format, ap);
	va_end(ap);
	return false;
}

/* --- counts in a status --- */

/* OBJ's FIELD of its status is WANT (absent counts as 0). */
static bool status_is(const struct json_object *obj, const char *kind, const char *field, int64_t want,
		      struct buf *why)
{
	int64_t got = json_int(json_get(obj, "status"), field, 0);

	return got == want || no(why, "%s %s: status.%s is %lld, not %lld", kind, object_name(obj), field,
				 (long long)got, (long long)want);
}

static bool status_observed(const struct json_object *obj, const char *kind, struct buf *why)
{
	return status_is(obj, kind, "observedGeneration",
			 json_int(json_get(obj, "metadata"), "generation", 0), why);
}

/* --- objects --- */

static bool nodes_well(const struct judge_state *s, struct buf *why)
{
	for (size_t i = 0; i < json_len(items(s->nodes)); i++) {
		const struct json_object *node = json_at(items(s->nodes), i);
		if (marker(node))
			continue;
		if (!object_ready(node))
			return no(why, "node %s is not ready", object_name(node));
		if (json_len(json_path(node, "spec", "taints", NULL)) > 0)
			return no(why, "node %s has a taint", object_name(node));
	}
	return true;
}

static size_t pods_of(const struct judge_state *s, const struct json_object *set)
{
	const char *uid = object_uid(set);
	size_t n = 0;

	for (size_t i = 0; i < json_len(items(s->pods)); i++)
		n += strcmp(object_controller(json_at(items(s->pods), i)), uid) == 0;
	return n;
}

static bool set_well(const struct judge_state *s, const struct json_object *set, int64_t replicas,
		     struct buf *why)
{
	static const char *const fields[] = { "replicas", "readyReplicas", "availableReplicas",
					      "fullyLabeledReplicas" };

	if (json_int(json_get(set, "spec"), "replicas", 1) != replicas)
		return no(why, "replica set %s: spec.replicas is %lld, not %lld", object_name(set),
			  (long long)json_int(json_get(set, "spec"), "replicas", 1), (long long)replicas);
	if (pods_of(s, set) != (size_t)replicas)
		return no(why, "replica set %s has %zu pods, not %lld", object_name(set), pods_of(s, set),
			  (long long)replicas);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!status_is(set, "replica set", fields[i], replicas, why))
			return false;
	return status_observed(set, "replica set", why);
}

/* The ReplicaSets of DEPLOYMENT: the one of its template has all, the others none, and they are not more than
 * kept. */
static bool sets_of_well(const struct judge_state *s, const struct json_object *deployment,
			 const struct wanted_deployment *want, struct buf *why)
{
	const char *uid = object_uid(deployment);
	CLEANUP(mem_freep) char *image = mem_printf("played:%d", want->version);
	int current = 0, old = 0;

	for (size_t i = 0; i < json_len(items(s->sets)); i++) {
		const struct json_object *set = json_at(items(s->sets), i);
		if (strcmp(object_controller(set), uid) != 0)
			continue;
		const struct json_object *container =
		    json_at(json_path(set, "spec", "template", "spec", "containers", NULL), 0);
		bool is_current = strcmp(json_str_or_empty(container, "image"), image) == 0;
		current += is_current;
		old += !is_current;
		if (!set_well(s, set, is_current ? want->replicas : 0, why))
			return false;
	}
	if (current != 1)
		return no(why, "deployment %s has %d replica sets of version %d", want->name, current,
			  want->version);
	return old <= want->history ||
	       no(why, "deployment %s has %d old replica sets, and keeps %d", want->name, old, want->history);
}

static bool deployment_well(const struct judge_state *s, const struct wanted_deployment *want,
			    struct buf *why)
{
	static const char *const fields[] = { "replicas", "updatedReplicas", "readyReplicas",
					      "availableReplicas" };
	const struct json_object *d = find(s->deployments, want->name);

	if (!d)
		return no(why, "deployment %s does not exist", want->name);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!status_is(d, "deployment", fields[i], want->replicas, why))
			return false;
	return status_is(d, "deployment", "unavailableReplicas", 0, why) &&
	       status_observed(d, "deployment", why) && sets_of_well(s, d, want, why);
}

/* Each pod has an owner that lives, or is one of the bare ones; none is on its way out. */
static bool pod_well(const struct judge_state *s, const struct wanted *wanted, const struct json_object *pod,
		     struct buf *why)
{
	const char *phase = object_phase(pod);
	const char *node = json_str_or_empty(json_get(pod, "spec"), "nodeName");
	const struct wanted_pod *bare = NULL;

	for (size_t i = 0; i < WANTED_PODS; i++)
		if (wanted->pods[i].exists && strcmp(wanted->pods[i].name, object_name(pod)) == 0)
			bare = &wanted->pods[i];
	if (object_terminating(pod))
		return no(why, "pod %s is still terminating", object_name(pod));
	if (!bare && !find_uid(s->sets, object_controller(pod)))
		return no(why, "pod %s has no owner that lives", object_name(pod));
	if (!find(s->nodes, node))
		return no(why, "pod %s is on no node (\"%s\")", object_name(pod), node);
	if (bare && bare->completes)
		return strcmp(phase, "Succeeded") == 0 || no(why, "pod %s is %s", object_name(pod), phase);
	return (strcmp(phase, "Running") == 0 && object_ready(pod)) ||
	       no(why, "pod %s on %s is %s and %sready", object_name(pod), node, phase,
		  object_ready(pod) ? "" : "not ");
}

static bool pods_well(const struct judge_state *s, const struct wanted *wanted, struct buf *why)
{
	for (size_t i = 0; i < json_len(items(s->pods)); i++) {
		const struct json_object *pod = json_at(items(s->pods), i);
		if (!marker(pod) && !pod_well(s, wanted, pod, why))
			return false;
	}
	return true;
}

static bool sets_well(const struct judge_state *s, const struct wanted *wanted, struct buf *why)
{
	for (size_t i = 0; i < WANTED_SETS; i++) {
		const struct wanted_set *want = &wanted->sets[i];
		const struct json_object *set = want->exists ? find(s->sets, want->name) : NULL;
		if (want->exists && !set)
			return no(why, "replica set %s does not exist", want->name);
		if (set && !set_well(s, set, want->replicas, why))
			return false;
	}
	for (size_t i = 0; i < json_len(items(s->sets)); i++) {
		const struct json_object *set = json_at(items(s->sets), i);
		bool bare = marker(set);
		for (size_t j = 0; j < WANTED_SETS; j++)
			bare |= wanted->sets[j].exists && strcmp(wanted->sets[j].name, object_name(set)) == 0;
		if (!bare && !find_uid(s->deployments, object_controller(set)))
			return no(why, "replica set %s has no owner that lives", object_name(set));
	}
	return true;
}

bool judge_settled(const struct judge_state *s, const struct wanted *wanted, struct buf *why)
{
	size_t n = 0;

	if (!s->nodes || !s->pods || !s->sets || !s->deployments)
		return no(why, "a list was not answered");
	if (!nodes_well(s, why))
		return false;
	for (size_t i = 0; i < WANTED_DEPLOYMENTS; i++) {
		if (!wanted->deployments[i].exists)
			continue;
		n++;
		if (!deployment_well(s, &wanted->deployments[i], why))
			return false;
	}
	for (size_t i = 0; i < json_len(items(s->deployments)); i++)
		n -= !marker(json_at(items(s->deployments), i));
	if (n != 0)
		return no(why, "a deleted deployment is still there");
	return sets_well(s, wanted, why) && pods_well(s, wanted, why);
}

int judge_room(const struct judge_state *s, int millicpu)
{
	int64_t room = 0;

	for (size_t i = 0; i < json_len(items(s->nodes)); i++) {
		const struct json_object *node = json_at(items(s->nodes), i);
		const struct json_object *all = json_path(node, "status", "allocatable", NULL);
		int64_t cpu = quantity_milli_of(json_str(all, "cpu")),
			pods = quantity_value_of(json_str(all, "pods"));
		for (size_t j = 0; j < json_len(items(s->pods)); j++) {
			const struct json_object *pod = json_at(items(s->pods), j);
			const struct json_object *container =
			    json_at(json_path(pod, "spec", "containers", NULL), 0);
			if (strcmp(json_str_or_empty(json_get(pod, "spec"), "nodeName"), object_name(node)) !=
				0 ||
			    strcmp(object_phase(pod), "Succeeded") == 0)
				continue;
			cpu -= quantity_milli_of(
			    json_str(json_path(container, "resources", "requests", NULL), "cpu"));
			pods--;
		}
		if (!marker(node))
			room += cpu / millicpu < pods ? cpu / millicpu : pods;
	}
	return (int)room;
}
