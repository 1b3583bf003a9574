#include "tests/golden/compare.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"

#define SHOWN_BYTES 160

struct compare {
	compare_fn *fn;
	void *arg;
};

/* --- masks --- */

static size_t span_uid(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef-");
	return n == 36 ? n : 0;
}

static size_t span_time(const char *s)
{
	size_t n = strspn(s, "0123456789-:.TZ");
	return n >= 20 && s[n - 1] == 'Z' ? n : 0;
}

static size_t span_digits(const char *s)
{
	return strspn(s, "0123456789");
}

static size_t span_token(const char *s)
{
	return strcspn(s, "\"' ");
}

static size_t span_hash(const char *s)
{
	return strspn(s, "0123456789ABCDEF");
}

static size_t span_suffix(const char *s)
{
	size_t n = strspn(s, "bcdfghjklmnpqrstvwxz2456789");
	return n < 5 ? 0 : 5;
}

static size_t span_age(const char *s)
{
	size_t n = span_digits(s);
	return n && strchr("smh", s[n]) && s[n] ? n + 1 : 0;
}

/* In 10.96.0.0/16, of which Services get theirs. */
static size_t span_service_ip(const char *s)
{
	size_t len = strspn(s, "0123456789."), prefix = sizeof("10.96.") - 1;
	return len > prefix && strncmp(s, "10.96.", prefix) == 0 ? len : 0;
}

static const struct {
	const char *mask;
	size_t (*span)(const char *s); /* how much of S it covers, 0: none */
} masks[] = {
	{ "<uid>", span_uid },        { "<time>", span_time },     { "<rv>", span_digits },
	{ "<continue>", span_token }, { "<suffix>", span_suffix }, { "<age>", span_age },
	{ "<hash>", span_hash },      { "<any>", span_token },     { "<service-ip>", span_service_ip },
};

bool compare_text(const char *pattern, const char *text)
{
	while (*pattern) {
		size_t i = 0, n = sizeof(masks) / sizeof(masks[0]);
		if (*pattern == '<')
			while (i < n && strncmp(pattern, masks[i].mask, strlen(masks[i].mask)) != 0)
				i++;
		if (*pattern != '<' || i == n) {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		size_t covered = masks[i].span(text);
		if (covered == 0)
			return false;
		pattern += strlen(masks[i].mask);
		text += covered;
	}
	return *text == '\0';
}

/* --- values --- */

static const char *string_of(const struct json_object *value)
{
	return json_object_get_string((struct json_object *)(uintptr_t)value);
}

static void differs(const struct compare *compare, const char *at, const struct json_object *want,
		    bool has_want, const struct json_object *got, bool has_got)
{
	const struct json_object *values[2] = { want, got };
	const bool there[2] = { has_want, has_got };
	CLEANUP(buf_close) struct buf wanted = BUF_INIT;
	CLEANUP(buf_close) struct buf given = BUF_INIT;
	struct buf *texts[2] = { &wanted, &given };
	for (size_t i = 0; i < 2; i++) {
		if (!there[i])
			buf_str(texts[i], "nothing");
		else if (values[i])
			json_write(texts[i], values[i]);
		else
			buf_str(texts[i], "null");
		if (texts[i]->len > SHOWN_BYTES)
			strcpy(texts[i]->data + SHOWN_BYTES - 3, "...");
	}
	compare->fn(at, wanted.data, given.data, compare->arg);
}

static void compare_values(const struct compare *compare, const char *at, const struct json_object *want,
			   const struct json_object *got);

static void compare_objects(const struct compare *compare, const char *at, const struct json_object *want,
			    const struct json_object *got)
{
	json_object_object_foreach((struct json_object *)(uintptr_t)want, key, wanted)
	{
		struct json_object *given = NULL;
		CLEANUP(mem_freep) char *below = mem_printf("%s.%s", at, key);
		if (json_object_object_get_ex(got, key, &given))
			compare_values(compare, below, wanted, given);
		else
			differs(compare, below, wanted, true, NULL, false);
	}
	json_object_object_foreach((struct json_object *)(uintptr_t)got, name, value)
	{
		CLEANUP(mem_freep) char *below = mem_printf("%s.%s", at, name);
		if (!json_object_object_get_ex(want, name, NULL))
			differs(compare, below, NULL, false, value, true);
	}
}

/* --- arrays --- */

static const char *key_of(const struct json_object *element, const char *key)
{
	bool of_object = strcmp(key, "metadata.name") == 0;
	return of_object ? json_str(json_get(element, "metadata"), "name") : json_str(element, key);
}

/* What tells elements of an array apart, when all of ARRAY have it as a string without masks and no two the
 * same. */
static bool keyed_by(const struct json_object *array, const char *key, struct map *ret_elements)
{
	for (size_t i = 0; i < json_len(array); i++) {
		const char *name = key_of(json_at(array, i), key);
		if (!name || strchr(name, '<') || map_get(ret_elements, name))
			return false;
		map_put(ret_elements, name, json_at(array, i));
	}
	return true;
}

static void compare_order(const struct compare *compare, const char *at, const char *key,
			  const struct json_object *want, const struct json_object *got,
			  const struct map *in_want, const struct map *in_got)
{
	size_t i = 0, k = 0;
	for (;;) {
		while (i < json_len(want) && !map_get(in_got, key_of(json_at(want, i), key)))
			i++;
		while (k < json_len(got) && !map_get(in_want, key_of(json_at(got, k), key)))
			k++;
		if (i == json_len(want) || k == json_len(got))
			return;
		const char *wanted = key_of(json_at(want, i++), key), *given = key_of(json_at(got, k++), key);
		if (strcmp(wanted, given) != 0) {
			CLEANUP(mem_freep) char *path = mem_printf("%s.<order>", at);
			compare->fn(path, wanted, given, compare->arg);
			return;
		}
	}
}

static bool compare_keyed(const struct compare *compare, const char *at, const char *key,
			  const struct json_object *want, const struct json_object *got)
{
	CLEANUP(map_close) struct map in_want = { 0 };
	CLEANUP(map_close) struct map in_got = { 0 };
	if (!keyed_by(want, key, &in_want) || !keyed_by(got, key, &in_got))
		return false;
	for (size_t i = 0; i < json_len(want); i++) {
		const struct json_object *element = json_at(want, i);
		const struct json_object *given = map_get(&in_got, key_of(element, key));
		CLEANUP(mem_freep) char *below = mem_printf("%s[%s]", at, key_of(element, key));
		if (given)
			compare_values(compare, below, element, given);
		else
			differs(compare, below, element, true, NULL, false);
	}
	for (size_t i = 0; i < json_len(got); i++) {
		const struct json_object *element = json_at(got, i);
		CLEANUP(mem_freep) char *below = mem_printf("%s[%s]", at, key_of(element, key));
		if (!map_get(&in_want, key_of(element, key)))
			differs(compare, below, NULL, false, element, true);
	}
	/* Who wrote later comes later, and the clock is another one. */
	if (strcmp(key, "manager") != 0)
		compare_order(compare, at, key, want, got, &in_want, &in_got);
	return true;
}

static void compare_arrays(const struct compare *compare, const char *at, const struct json_object *want,
			   const struct json_object *got)
{
	static const char *const keys[] = { "name",    "resource",      "subresource", "groupVersion",
					    "version", "metadata.name", "manager" };
	if (json_len(want) && json_len(got))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (compare_keyed(compare, at, keys[i], want, got))
				return;
	size_t n = json_len(want) > json_len(got) ? json_len(want) : json_len(got);
	for (size_t i = 0; i < n; i++) {
		bool wanted = i < json_len(want), given = i < json_len(got);
		CLEANUP(mem_freep) char *below = mem_printf("%s[%zu]", at, i);
		if (wanted && given)
			compare_values(compare, below, json_at(want, i), json_at(got, i));
		else
			differs(compare, below, wanted ? json_at(want, i) : NULL, wanted,
				given ? json_at(got, i) : NULL, given);
	}
}

static void compare_values(const struct compare *compare, const char *at, const struct json_object *want,
			   const struct json_object *got)
{
	if (json_object_is_type(want, json_type_object) && json_object_is_type(got, json_type_object))
		compare_objects(compare, at, want, got);
	else if (json_object_is_type(want, json_type_array) && json_object_is_type(got, json_type_array))
		compare_arrays(compare, at, want, got);
	else if (json_object_is_type(want, json_type_string) && json_object_is_type(got, json_type_string)) {
		if (!compare_text(string_of(want), string_of(got)))
			differs(compare, at, want, true, got, true);
	} else if (!json_equal(want, got))
		differs(compare, at, want, true, got, true);
}

void compare_json(const char *at, const struct json_object *want, const struct json_object *got,
		  compare_fn *fn, void *arg)
{
	struct compare compare = { fn, arg };
	compare_values(&compare, at, want, got);
}
