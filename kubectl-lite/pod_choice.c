#include "kubectl-lite/pod_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/suggest.h"
#include "kubectl-lite/target.h"
#include "lib/selector.h"

/* --- containers of a pod --- */

static const char *const container_lists[] = { "containers", "initContainers", "ephemeralContainers" };

bool pod_has_container(const struct json_object *pod, const char *name)
{
	for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
		const struct json_object *list = json_path(pod, "spec", container_lists[l], NULL);
		for (size_t i = 0; i < json_len(list); i++)
			if (strcmp(json_str_or_empty(json_at(list, i), "name"), name) == 0)
				return true;
	}
	return false;
}

/* "a, b, c (init)" */
static void write_names(struct buf *b, const struct json_object *pod)
{
	static const char *const marks[] = { "", " (init)", " (ephem)" };

	for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
		const struct json_object *list = json_path(pod, "spec", container_lists[l], NULL);
		for (size_t i = 0; i < json_len(list); i++)
			buf_printf(b, "%s%s%s", b->len ? ", " : "",
				   json_str_or_empty(json_at(list, i), "name"), marks[l]);
	}
}

/* The container that is meant when none is named: the one that an annotation names, else the first. Tells
 * which, when there was a choice. */
const char *pod_default_container(const struct json_object *pod)
{
	const struct json_object *containers = json_path(pod, "spec", "containers", NULL);
	const char *annotated = json_str(json_path(pod, "metadata", "annotations", NULL),
					 "kubectl.kubernetes.io/default-container");
	const char *first = json_str_or_empty(json_at(containers, 0), "name");
	size_t n = json_len(containers) + json_len(json_path(pod, "spec", "initContainers", NULL)) +
		   json_len(json_path(pod, "spec", "ephemeralContainers", NULL));

	if (annotated && pod_has_container(pod, annotated))
		return annotated;
	if (n > 1) {
		CLEANUP(buf_close) struct buf names = BUF_INIT;
		write_names(&names, pod);
		fprintf(stderr, "Defaulted container \"%s\" out of: %s\n", first, names.data);
	}
	return first;
}

/* --- which pods --- */

void pods_close(struct pods *pods)
{
	for (size_t i = 0; i < pods->n; i++)
		json_object_put(pods->items[i]);
	free(pods->items);
}

static bool add_pod(struct json_object *obj, void *arg)
{
	struct pods *pods = arg;

	pods->items = mem_realloc_array(pods->items, pods->n + 1, sizeof(struct json_object *));
	pods->items[pods->n++] = json_object_get(obj);
	return true;
}

static bool is_ready(const struct json_object *pod)
{
	const struct json_object *conditions = json_path(pod, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			return strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return false;
}

/* How likely a pod has something to say: on a node, running, ready. */
static int rank(const struct json_object *pod)
{
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");

	return (*json_str_or_empty(json_get(pod, "spec"), "nodeName") ? 8 : 0) +
	       (strcmp(phase, "Running") == 0   ? 4
		: strcmp(phase, "Pending") == 0 ? 0
						: 2) +
	       is_ready(pod);
}

static const struct json_object *best_pod(const struct pods *pods)
{
	const struct json_object *best = pods->items[0];

	for (size_t i = 1; i < pods->n; i++)
		if (rank(pods->items[i]) > rank(best))
			best = pods->items[i];
	return best;
}

static int list_pods(const char *selector, struct pods *ret, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

	buf_str(&query, "labelSelector=");
	buf_url_encode(&query, selector);
	return object_list(resource_find("", "v1", "pods"), session_namespace(), query.data, add_pod, ret,
			   err);
}

/* The pods that OBJECT (a deployment, a replica set, a service) selects; of several the most promising is
 * kept. */
static int pods_of(const struct json_object *object, const struct resource *resource, struct pods *ret,
		   struct err *err)
{
	CLEANUP(selector_close) struct selector selector = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(json_putp) struct json_object *match = NULL;
	struct json_object *wanted = json_path(object, "spec", "selector", NULL);

	if (wanted && !json_get(wanted, "matchLabels") && !json_get(wanted, "matchExpressions")) {
		match = json_object_new_object(); /* services have plain labels */
		json_set(match, "matchLabels", json_object_get(wanted));
		wanted = match;
	}
	if (!wanted)
		return err_set(err, ERR_PARSE, "%s have no pods to choose from", resource->qualified);
	if (selector_from_json(wanted, &selector, err) < 0)
		return -1;
	selector_write(&text, &selector);
	CLEANUP(pods_close) struct pods all = { 0 };
	if (list_pods(text.data ? text.data : "", &all, err) < 0)
		return -1;
	if (!all.n)
		return err_set(err, ERR_TIMEOUT, "timed out waiting for the condition");
	const struct json_object *best = best_pod(&all);
	if (all.n > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n", all.n, object_meta(best, "name"));
	add_pod((struct json_object *)(uintptr_t)best, ret);
	return 0;
}

int pod_no_container(const struct json_object *pod, const char *name, struct err *err)
{
	struct suggestion s = suggest_for(name);

	for (size_t l = 0; l < ARRAY_SIZE(container_lists); l++) {
		const struct json_object *list = json_path(pod, "spec", container_lists[l], NULL);
		for (size_t i = 0; i < json_len(list); i++)
			suggest_offer(&s, json_str(json_at(list, i), "name"));
	}
	return suggest_add(&s, err);
}

static bool offer_pod(struct json_object *obj, void *arg)
{
	suggest_offer(arg, object_meta(obj, "name"));
	return true;
}

/* Whose name was perhaps meant. */
static int no_pod(const struct target *target, struct err *err)
{
	struct suggestion s = suggest_for(target->name);
	const char *namespace_ = target->resource->namespaced ? session_namespace() : NULL;

	if (err->kind == ERR_NOT_FOUND &&
	    object_list(target->resource, namespace_, NULL, offer_pod, &s, NULL) == 0)
		suggest_add(&s, err);
	return -1;
}

int pods_find(char **args, size_t n_args, const char *labels, struct pods *ret, struct err *err)
{
	char *words[2] = { (char[]){ "pod" }, NULL };
	struct json_object *object = NULL;
	struct target target;

	if (labels)
		return list_pods(labels, ret, err);
	if (strchr(args[0], '/') || n_args > 1) {
		if (target_parse_one(args, strchr(args[0], '/') ? 1 : n_args, &target, err) < 0)
			return -1;
	} else {
		words[1] = args[0];
		if (target_parse_one(words, 2, &target, err) < 0)
			return -1;
	}
	if (object_get(target.resource, target.resource->namespaced ? session_namespace() : NULL, target.name,
		       &object, err) < 0)
		return no_pod(&target, err);
	CLEANUP(json_putp) struct json_object *owned = object;
	if (strcmp(target.resource->plural, "pods") == 0) {
		add_pod(owned, ret);
		return 0;
	}
	return pods_of(owned, target.resource, ret, err);
}
