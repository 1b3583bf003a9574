#include "lib/json_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"

/* Values of 24 bytes and more are kept. */
#define SPEC   "{\"list\":[\"aaaaaaaaaaaaaaaaaaaaaaaa\"],\"map\":{\"b\":\"bbbbbbbbbbbbbbbbbbbbbbbb\"},\"n\":1}"
#define STATUS "{\"deep\":{\"er\":{\"c\":\"cccccccccccccccccccccccc\"}},\"short\":{}}"
#define TEXT   "{\"name\":\"x\",\"spec\":" SPEC ",\"status\":" STATUS "}"

struct parsed {
	struct json_origin *origin;
	struct json_object *obj;
};

static void parsed_close(struct parsed *parsed)
{
	json_origin_free(parsed->origin);
	json_object_put(parsed->obj);
}

static struct parsed parse(const char *text)
{
	struct parsed parsed = { .origin = json_origin_new() };

	assert_int_equal(json_parse_with_origin(text, strlen(text), &parsed.obj, parsed.origin, NULL), 0);
	return parsed;
}

static void check(const struct json_object *obj, const struct json_origin *origin, const char *expected)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	json_write_from(&b, obj, origin);
	assert_string_equal(b.data, expected);
}

static bool keeps(const struct parsed *parsed, const struct json_object *value)
{
	for (size_t i = 0; i < parsed->origin->n; i++)
		if (parsed->origin->values[i].value == value)
			return true;
	return false;
}

static void outer_values_are_kept(void **state)
{
	CLEANUP(parsed_close) struct parsed parsed = parse(TEXT);
	const struct json_object *status = json_get(parsed.obj, "status");

	(void)state;
	assert_false(keeps(&parsed, parsed.obj));
	assert_true(keeps(&parsed, json_get(parsed.obj, "spec")));
	assert_true(keeps(&parsed, json_path(parsed.obj, "spec", "list", NULL)));
	assert_true(keeps(&parsed, json_path(parsed.obj, "spec", "map", NULL)));
	assert_true(keeps(&parsed, json_get(status, "deep")));
	assert_false(keeps(&parsed, json_path(status, "deep", "er", NULL)));
	assert_false(keeps(&parsed, json_get(status, "short")));
	check(parsed.obj, parsed.origin, TEXT);
	check(parsed.obj, NULL, TEXT);
}

static void what_is_the_same_comes_from_the_text(void **state)
{
	char text[] = TEXT;
	CLEANUP(parsed_close) struct parsed parsed = parse(text);
	CLEANUP(json_putp) struct json_object *obj = json_share(parsed.obj);

	(void)state;
	/* Seen where the text says something else by now. */
	memset(strstr(text, "bbb"), 'B', 3);
	memset(strstr(text, "ccc"), 'C', 3);
	json_set(obj, "spec", json_share(json_get(parsed.obj, "spec")));
	json_set_int(json_get(obj, "spec"), "n", 2);
	json_set(obj, "status", json_clone(json_get(parsed.obj, "status")));
	json_set(obj, "more", json_object_new_object());
	check(obj, parsed.origin,
	      "{\"name\":\"x\",\"spec\":{\"list\":[\"aaaaaaaaaaaaaaaaaaaaaaaa\"],"
	      "\"map\":{\"b\":\"BBBbbbbbbbbbbbbbbbbbbbbb\"},\"n\":2},\"status\":" STATUS ",\"more\":{}}");
	check(json_get(parsed.obj, "status"), parsed.origin,
	      "{\"deep\":{\"er\":{\"c\":\"CCCccccccccccccccccccccc\"}},\"short\":{}}");
}

/* An address that was let go does not come back as another value's while the origin is there. */
static void values_are_held(void **state)
{
	CLEANUP(parsed_close) struct parsed parsed = parse(TEXT);
	const struct json_object *spec = json_get(parsed.obj, "spec");

	(void)state;
	json_set(parsed.obj, "spec", NULL);
	for (int i = 0; i < 100; i++) {
		struct json_object *other = json_object_new_object();

		assert_ptr_not_equal(other, spec);
		json_object_array_add(json_ensure_array(parsed.obj, "others"), other);
	}
	check(spec, parsed.origin, SPEC);
}

static void a_copy_of_two_pieces_is_put_back(void **state)
{
	static const char first[] = "{\"name\":\"x\",\"spec\":{\"list\":[\"AAAAAAAAAAAAAAAAAAAAAAAA\"]";
	static const char second[] =
	    ",\"map\":{\"b\":\"BBBBBBBBBBBBBBBBBBBBBBBB\"},\"n\":1},\"status\":" STATUS "}";
	CLEANUP(parsed_close) struct parsed parsed = { 0 };
	char *text = mem_dup(TEXT);

	(void)state;
	parsed = parse(text);
	json_origin_move(parsed.origin, text, strlen(first), first, second);
	free(text);
	assert_false(keeps(&parsed, json_get(parsed.obj, "spec"))); /* lies in both */
	check(parsed.obj, parsed.origin,
	      "{\"name\":\"x\",\"spec\":{\"list\":[\"AAAAAAAAAAAAAAAAAAAAAAAA\"],"
	      "\"map\":{\"b\":\"BBBBBBBBBBBBBBBBBBBBBBBB\"},\"n\":1},\"status\":" STATUS "}");
}

static void no_more_than_there_is_room_for(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < JSON_ORIGIN_VALUES + 20; i++)
		buf_printf(&b, "%s\"m%d\":[\"aaaaaaaaaaaaaaaaaaaaaaaa\"]", i ? "," : "{", i);
	buf_char(&b, '}');
	CLEANUP(parsed_close) struct parsed parsed = parse(b.data);
	assert_int_equal(parsed.origin->n, JSON_ORIGIN_VALUES);
	check(parsed.obj, parsed.origin, b.data);
}

static void faults_are_those_of_the_parser(void **state)
{
	struct json_origin *origin = json_origin_new();
	struct json_object *obj = NULL;

	(void)state;
	assert_int_equal(json_parse_with_origin(TEXT, strlen(TEXT) - 1, &obj, origin, NULL), -1);
	assert_null(obj);
	json_origin_free(origin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outer_values_are_kept),
		cmocka_unit_test(what_is_the_same_comes_from_the_text),
		cmocka_unit_test(values_are_held),
		cmocka_unit_test(a_copy_of_two_pieces_is_put_back),
		cmocka_unit_test(no_more_than_there_is_room_for),
		cmocka_unit_test(faults_are_those_of_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
