#include "kubectl-lite/diff_mask.h"

#include <string.h>

static void mask(struct json_object *obj, const struct json_object *masked)
{
	if (!obj)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)masked, key, word)
	{
		json_set_str(obj, key, json_object_get_string(word));
	}
}

/* Which word stands for each value of OBJ, that of OTHER being the one it is compared with. */
static struct json_object *words_of(struct json_object *obj, const struct json_object *other,
				    const char *if_changed)
{
	struct json_object *words = json_object_new_object();

	if (!json_object_is_type(obj, json_type_object))
		return words;
	json_object_object_foreach(obj, key, value)
	{
		struct json_object *there = json_get(other, key);
		json_set_str(words, key, there && !json_equal(there, value) ? if_changed : "***");
	}
	return words;
}

void diff_mask(struct json_object *before, struct json_object *after)
{
	struct json_object *a = json_get(before, "data"), *b = json_get(after, "data");
	CLEANUP(json_putp) struct json_object *of_a = words_of(a, b, "*** (before)");
	CLEANUP(json_putp) struct json_object *of_b = words_of(b, a, "*** (after)");

	mask(a, of_a);
	mask(b, of_b);
}
