#include "scheduler/taint.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static bool parse_effect(const char *text, enum taint_effect *ret)
{
	static const char *const names[] = { "NoSchedule", "PreferNoSchedule", "NoExecute" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text && strcmp(text, names[i]) == 0) {
			*ret = (enum taint_effect)i;
			return true;
		}
	return false;
}

struct taint *taints_parse(const struct json_object *taints, size_t *ret_n)
{
	size_t max = json_len(taints), n = 0;
	struct taint *list = max ? mem_zalloc(max * sizeof(*list)) : NULL;

	for (size_t i = 0; i < max; i++) {
		const struct json_object *taint = json_at(taints, i);
		enum taint_effect effect;
		if (!parse_effect(json_str(taint, "effect"), &effect))
			continue;
		list[n++] = (struct taint){ .key = mem_dup(json_str_or_empty(taint, "key")),
					    .value = mem_dup(json_str_or_empty(taint, "value")),
					    .effect = effect };
	}
	*ret_n = n;
	return list;
}

void taints_free(struct taint *taints, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(taints[i].key);
		free(taints[i].value);
	}
	free(taints);
}

struct toleration *tolerations_parse(const struct json_object *tolerations, size_t *ret_n)
{
	size_t n = json_len(tolerations);
	struct toleration *list = n ? mem_zalloc(n * sizeof(*list)) : NULL;

	for (size_t i = 0; i < n; i++) {
		const struct json_object *t = json_at(tolerations, i);
		const char *key = json_str(t, "key");
		list[i].key = key && *key ? mem_dup(key) : NULL;
		list[i].value = mem_dup(json_str_or_empty(t, "value"));
		list[i].exists = strcmp(json_str_or_empty(t, "operator"), "Exists") == 0;
		list[i].any_effect = !parse_effect(json_str(t, "effect"), &list[i].effect);
	}
	*ret_n = n;
	return list;
}

void tolerations_free(struct toleration *tolerations, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(tolerations[i].key);
		free(tolerations[i].value);
	}
	free(tolerations);
}

bool taint_tolerated(const struct taint *taint, const struct toleration *tolerations, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct toleration *t = &tolerations[i];
		if (!t->any_effect && t->effect != taint->effect)
			continue;
		if (t->key && strcmp(t->key, taint->key) != 0)
			continue;
		if (t->exists || strcmp(t->value, taint->value) == 0)
			return true;
	}
	return false;
}
