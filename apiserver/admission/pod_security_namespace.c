#include "apiserver/admission/pod_security_namespace.h"

#include <stdlib.h>
#include <string.h>

#include "api/validate.h"
#include "apiserver/admission/pod_security_policy.h"
#include "apiserver/admit.h"
#include "lib/map.h"
#include "lib/timefmt.h"

/* Kubernetes' limits of one look at a namespace's pods. */
#define MAX_PODS 3000
#define MAX_MS   1000

static const struct json_object *labels_of(const struct json_object *obj)
{
	return json_path(obj, "metadata", "labels", NULL);
}

static const char *label(const void *set, const char *key)
{
	return json_str(set, key);
}

enum step_result pod_security_namespace_check(struct request *r)
{
	CLEANUP(field_errors_close) struct field_errors before = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT, text_before = BUF_INIT;

	pod_security_policy_validate(labels_of(r->obj), &r->errors);
	if (!r->errors.n)
		return STEP_NEXT;
	/* What was so already hinders nobody from changing something else. */
	pod_security_policy_validate(labels_of(r->old), &before);
	field_errors_write(&text, &r->errors);
	field_errors_write(&text_before, &before);
	if (before.n && strcmp(text.data, text_before.data) == 0) {
		field_errors_close(&r->errors);
		return STEP_NEXT;
	}
	status_invalid(&r->err, r->route.resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

/* --- the pods that are there --- */

/* Pods that break the standard in the same way. */
struct violation {
	char *text, *pod; /* the first one */
	size_t n;
};

struct survey {
	const struct pod_security_standard *standard;
	struct violation *violations;
	size_t n_violations, n_seen;
	struct map by_text;
	size_t limit;
	int64_t until_ms;
};

static void survey_close(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_violations; i++) {
		free(survey->violations[i].text);
		free(survey->violations[i].pod);
	}
	free(survey->violations);
	map_close(&survey->by_text);
}

static void count(struct survey *survey, char *text, const char *pod)
{
	/* A place in the array, from 1 on: the array moves. */
	uintptr_t at = (uintptr_t)map_get(&survey->by_text, text);

	if (at) {
		survey->violations[at - 1].n++;
		free(text);
		return;
	}
	survey->violations =
	    mem_realloc_array(survey->violations, survey->n_violations + 1, sizeof(*survey->violations));
	survey->violations[survey->n_violations++] = (struct violation){ text, mem_dup(pod), 1 };
	map_put(&survey->by_text, text, (void *)survey->n_violations);
}

static void look_at(struct survey *survey, const struct object *object)
{
	CLEANUP(json_putp) struct json_object *pod = object_json(object);
	struct buf violations = BUF_INIT;

	if (!pod_security_allows(survey->standard, json_get(pod, "metadata"), json_get(pod, "spec"), false,
				 &violations))
		count(survey, buf_take(&violations), object_name(object));
	survey->n_seen++;
}

static bool may_go_on(const struct survey *survey)
{
	return survey->n_seen < survey->limit && time_mono_ms() < survey->until_ms;
}

/* Who made POD, by uid; NULL: nobody. Pods have few owners; the first is their controller. */
static const char *maker(const struct object *pod)
{
	size_t n;
	const char *const *owners = object_owner_uids(pod, &n);

	return n ? owners[0] : NULL;
}

/* First one pod of each maker, then the others, which are most likely like it. */
static void look_at_all(struct survey *survey, struct object *const *pods, size_t n)
{
	CLEANUP(map_close) struct map makers = MAP_INIT;
	CLEANUP(mem_freep) struct object **others = mem_alloc((n + 1) * sizeof(struct object *));
	size_t n_others = 0;

	for (size_t i = 0; i < n; i++) {
		const char *by = maker(pods[i]);
		if (by && map_get(&makers, by)) {
			others[n_others++] = pods[i];
			continue;
		}
		if (by)
			map_put(&makers, by, pods[i]);
		if (may_go_on(survey))
			look_at(survey, pods[i]);
	}
	for (size_t i = 0; i < n_others && may_go_on(survey); i++)
		look_at(survey, others[i]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "web-0 (and 2 other pods): host namespaces", in order. */
static void warn_of_violations(struct request *r, const struct survey *survey)
{
	CLEANUP(mem_freep) char **lines = mem_alloc((survey->n_violations + 1) * sizeof(char *));

	for (size_t i = 0; i < survey->n_violations; i++) {
		const struct violation *v = &survey->violations[i];
		lines[i] = v->n == 1   ? mem_printf("%s: %s", v->pod, v->text)
			   : v->n == 2 ? mem_printf("%s (and 1 other pod): %s", v->pod, v->text)
				       : mem_printf("%s (and %zu other pods): %s", v->pod, v->n - 1, v->text);
	}
	qsort(lines, survey->n_violations, sizeof(*lines), by_text);
	for (size_t i = 0; i < survey->n_violations; i++) {
		admit_warn(r, lines[i]);
		free(lines[i]);
	}
}

static void warn_of_pods(struct request *r, const struct pod_security_standard *standard)
{
	const struct core_command *listed = &r->command;
	CLEANUP(survey_close)
	struct survey survey = { .standard = standard,
				 .limit = MAX_PODS,
				 .until_ms = time_mono_ms() + MAX_MS };

	if (listed->err.kind != ERR_NONE) {
		admit_warn(r, "failed to list pods while checking new PodSecurity enforce level");
		return;
	}
	look_at_all(&survey, listed->ret_objects, listed->ret_n);
	if (survey.n_seen < listed->ret_n) {
		CLEANUP(mem_freep)
		char *text = mem_printf("new PodSecurity enforce level only checked against the first %zu of "
					"%zu existing pods",
					survey.n_seen, listed->ret_n);
		admit_warn(r, text);
	}
	if (survey.n_violations) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		buf_printf(&text,
			   "existing pods in namespace \"%s\" violate the new PodSecurity enforce level \"",
			   r->name);
		pod_security_standard_write(&text, standard);
		buf_char(&text, '"');
		admit_warn(r, text.data);
	}
	warn_of_violations(r, &survey);
}

/* The enforced standard is one that pods may have kept to before and not any more. */
static bool is_stricter(const struct pod_security_standard *new_, const struct pod_security_standard *old)
{
	return new_->level != POD_SECURITY_PRIVILEGED &&
	       (new_->minor != old->minor || new_->level > old->level);
}

enum step_result pod_security_namespace_pods(struct request *r)
{
	struct pod_security_policy policy, before;

	if (r->route.subresource || strcmp(r->route.resource->qualified, "namespaces") != 0)
		return STEP_NEXT;
	pod_security_policy_read(label, labels_of(r->obj), &policy);
	pod_security_policy_read(label, labels_of(r->old), &before);
	if (!is_stricter(&policy.enforce, &before.enforce))
		return STEP_NEXT;
	if (!r->command.reply) {
		r->command = (struct core_command){ .resource = resource_find("", "v1", "pods"),
						    .op = CORE_LIST,
						    .filter = { .namespace_ = r->name } };
		request_submit(r);
		return STEP_WAIT_HERE;
	}
	warn_of_pods(r, &policy.enforce);
	core_command_close(&r->command);
	r->command = (struct core_command){ 0 };
	return STEP_NEXT;
}
