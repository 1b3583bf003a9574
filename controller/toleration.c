#include "controller/toleration.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

void no_execute_parse(const char *taints_json, struct no_execute_taints *ret)
{
	CLEANUP(json_putp) struct json_object *taints = NULL;

	*ret = (struct no_execute_taints){ 0 };
	if (!taints_json || json_parse(taints_json, strlen(taints_json), &taints, NULL, NULL) < 0)
		return;
	for (size_t i = 0; i < json_len(taints); i++) {
		const struct json_object *t = json_at(taints, i);
		if (strcmp(json_str_or_empty(t, "effect"), "NoExecute") != 0)
			continue;
		ret->list = mem_realloc_array(ret->list, ret->n + 1, sizeof(*ret->list));
		ret->list[ret->n++] = (struct no_execute_taint){ mem_dup(json_str_or_empty(t, "key")),
								 mem_dup(json_str_or_empty(t, "value")) };
	}
}

void no_execute_close(struct no_execute_taints *taints)
{
	for (size_t i = 0; i < taints->n; i++) {
		free(taints->list[i].key);
		free(taints->list[i].value);
	}
	free(taints->list);
}

bool no_execute_equal(const struct no_execute_taints *a, const struct no_execute_taints *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i].key, b->list[i].key) != 0 ||
		    strcmp(a->list[i].value, b->list[i].value) != 0)
			return false;
	return true;
}

static bool tolerates(const struct pod_toleration *toleration, const struct no_execute_taint *taint)
{
	if (toleration->key && strcmp(toleration->key, taint->key) != 0)
		return false;
	return toleration->exists || strcmp(toleration->value, taint->value) == 0;
}

int64_t toleration_ms(const struct no_execute_taints *taints, const struct pod_toleration *tolerations,
		      size_t n_tolerations)
{
	int64_t least_s = -1;

	for (size_t i = 0; i < taints->n; i++) {
		size_t k = 0;
		while (k < n_tolerations && !tolerates(&tolerations[k], &taints->list[i]))
			k++;
		if (k == n_tolerations)
			return 0;
		int64_t seconds = tolerations[k].seconds;
		if (seconds >= 0 && (least_s < 0 || seconds < least_s))
			least_s = seconds;
	}
	return least_s < 0 ? TOLERATED_FOR_EVER : least_s < INT64_MAX / 1000 ? least_s * 1000 : INT64_MAX;
}
