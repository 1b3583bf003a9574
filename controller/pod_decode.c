#include "controller/pod_decode.h"

#include <stdlib.h>
#include <string.h>

#include "controller/interned.h"
#include "controller/meta.h"
#include "lib/mem.h"

static enum pod_phase phase_of(struct json_span text)
{
	static const char *const names[] = { "Pending", "Running", "Succeeded", "Failed" };

	for (size_t i = 0; text.p && i < ARRAY_SIZE(names); i++)
		if (json_span_is(text, names[i]))
			return (enum pod_phase)i;
	return text.p ? PHASE_UNKNOWN : PHASE_PENDING;
}

struct tolerations {
	struct interned interned;
	struct pod_toleration *list;
	size_t n;
};

/* Below zero means at once. */
static int64_t toleration_seconds(const struct json_object *toleration)
{
	if (!json_get(toleration, "tolerationSeconds"))
		return -1;
	int64_t seconds = json_int(toleration, "tolerationSeconds", 0);
	return seconds > 0 ? seconds : 0;
}

static void make_tolerations(void *object, struct json_span text)
{
	struct tolerations *tolerations = object;
	CLEANUP(json_putp) struct json_object *array = json_span_parse(text);
	size_t n = json_len(array);

	tolerations->list = n ? mem_zalloc(n * sizeof(*tolerations->list)) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct json_object *t = json_at(array, i);
		const char *effect = json_str_or_empty(t, "effect"), *key = json_str_or_empty(t, "key");
		if (*effect && strcmp(effect, "NoExecute") != 0)
			continue;
		tolerations->list[tolerations->n++] = (struct pod_toleration){
			.key = *key ? mem_dup(key) : NULL,
			.value = mem_dup(json_str_or_empty(t, "value")),
			.exists = strcmp(json_str_or_empty(t, "operator"), "Exists") == 0,
			.seconds = toleration_seconds(t),
		};
	}
}

static void close_tolerations(void *object)
{
	struct tolerations *tolerations = object;

	for (size_t i = 0; i < tolerations->n; i++) {
		free(tolerations->list[i].key);
		free(tolerations->list[i].value);
	}
	free(tolerations->list);
}

static struct interned_kind tolerations_kind = { .size = sizeof(struct tolerations),
						 .make = make_tolerations,
						 .close = close_tolerations };

const char *const pod_decode_wants[] = { META_PATHS,
					 "metadata.annotations",
					 "spec.nodeName",
					 "spec.tolerations",
					 "status.phase",
					 "status.conditions",
					 "status.containerStatuses",
					 NULL };
enum { POD_ANNOTATIONS, POD_NODE, POD_TOLERATIONS, POD_PHASE, POD_CONDITIONS, POD_CONTAINERS };

static int64_t deletion_cost(struct json_span annotations)
{
	struct json_cursor c = json_span_begin(annotations);
	struct json_span key, value;

	while (json_span_member(&c, &key, &value)) {
		if (!json_key_is(key, "controller.kubernetes.io/pod-deletion-cost"))
			continue;
		CLEANUP(mem_freep) char *cost = json_span_dup(value);
		return cost ? strtoll(cost, NULL, 10) : 0;
	}
	return 0;
}

static void look_at_condition(struct cached_pod *pod, struct json_span condition)
{
	struct json_cursor c = json_span_begin(condition);
	struct json_span key, value, type = { 0 }, status = { 0 }, since = { 0 };

	while (json_span_member(&c, &key, &value)) {
		if (json_key_is(key, "type"))
			type = value;
		else if (json_key_is(key, "status"))
			status = value;
		else if (json_key_is(key, "lastTransitionTime"))
			since = value;
	}
	if (!json_span_is(type, "Ready"))
		return;
	pod->ready = json_span_is(status, "True");
	pod->ready_since_us = meta_time(since);
}

static int64_t restarts_of(struct json_span container)
{
	struct json_cursor c = json_span_begin(container);
	struct json_span key, value;

	while (json_span_member(&c, &key, &value))
		if (json_key_is(key, "restartCount"))
			return json_span_int(value, 0);
	return 0;
}

void pod_decode(void *object, const struct json_span *found)
{
	struct cached_pod *pod = object;
	struct tolerations *tolerations = interned_get(&tolerations_kind, found[POD_TOLERATIONS]);
	struct json_cursor c;
	struct json_span value;

	if (found[POD_NODE].len > strlen("\"\""))
		pod->node_name = json_span_dup(found[POD_NODE]);
	pod->phase = phase_of(found[POD_PHASE]);
	pod->deletion_cost = deletion_cost(found[POD_ANNOTATIONS]);
	for (c = json_span_begin(found[POD_CONDITIONS]); json_span_element(&c, &value);)
		look_at_condition(pod, value);
	for (c = json_span_begin(found[POD_CONTAINERS]); json_span_element(&c, &value);) {
		int64_t n = restarts_of(value);
		pod->restarts = n > pod->restarts ? n : pod->restarts;
	}
	pod->shared_tolerations = tolerations;
	pod->n_tolerations = tolerations ? tolerations->n : 0;
	pod->tolerations = tolerations ? tolerations->list : NULL;
}

void pod_decode_close(void *object)
{
	struct cached_pod *pod = object;

	interned_put(pod->shared_tolerations);
	free(pod->node_name);
}
