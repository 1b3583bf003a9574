#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/mem.h"

#define MANY 100 /* members: more than are found by looking at each */

static void check_written(struct json_object *obj, const char *expected)
{
	assert_string_equal(json_object_get_string(obj), expected);
}

static struct json_object *object_of_many(unsigned n)
{
	struct json_object *obj = json_object_new_object();
	char key[16];

	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		json_object_object_add(obj, key, json_object_new_int64(i));
	}
	return obj;
}

static void members_keep_their_order(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();

	(void)state;
	json_object_object_add(obj, "b", json_object_new_int(1));
	json_object_object_add(obj, "a", NULL);
	json_object_object_add(obj, "b", json_object_new_string("two"));
	check_written(obj, "{\"b\":\"two\",\"a\":null}");
	assert_true(json_object_object_addn(obj, "cx", 1, json_object_new_boolean(true)));
	assert_false(json_object_object_addn(obj, "ax", 1, json_object_new_boolean(false)));
	check_written(obj, "{\"b\":\"two\",\"a\":false,\"c\":true}");
	assert_int_equal(json_object_object_length(obj), 3);
	json_object_object_del(obj, "c"); /* the last */
	json_object_object_del(obj, "none");
	json_object_object_add(obj, "d", json_object_new_int(4));
	json_object_object_del(obj, "b"); /* the first */
	check_written(obj, "{\"a\":false,\"d\":4}");
}

static void null_is_there(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	struct json_object *value = obj;

	(void)state;
	json_object_object_add(obj, "null", NULL);
	assert_true(json_object_object_get_ex(obj, "null", &value));
	assert_null(value);
	value = obj;
	assert_false(json_object_object_get_ex(obj, "nothing", &value));
	assert_null(value);
	assert_false(json_object_object_get_ex(NULL, "nothing", NULL));
	assert_true(json_object_is_type(NULL, json_type_null));
}

static void large_objects_are_indexed(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = object_of_many(MANY);
	char key[16];

	(void)state;
	for (unsigned i = 0; i < MANY; i += 2) {
		snprintf(key, sizeof(key), "k%u", i);
		json_object_object_del(obj, key);
	}
	assert_false(json_object_object_addn(obj, "k99x", 3, json_object_new_int(7)));
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(json_int(obj, key, -1), i % 2 == 0 ? -1 : i == 99 ? 7 : (int)i);
	}
	assert_int_equal(json_object_object_length(obj), MANY / 2);
	assert_true(json_object_object_addn(obj, "k0", 2, NULL));
	assert_true(json_object_object_get_ex(obj, "k0", NULL));
}

static void walks_bear_changes(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = object_of_many(20);
	unsigned n = 0;

	(void)state;
	json_object_object_foreach(obj, key, value)
	{
		if (json_object_get_int64(value) % 2)
			json_object_object_del(obj, key);
		else
			json_object_object_add(obj, key, NULL);
		n++;
	}
	assert_int_equal(n, 20);
	assert_int_equal(json_object_object_length(obj), 10);
	json_object_object_foreach(NULL, none, nothing)
	{
		(void)none;
		fail_msg("%s in null", none);
	}
}

static void references_are_counted(void **state)
{
	CLEANUP(json_putp) struct json_object *a = json_object_new_object();
	CLEANUP(json_putp) struct json_object *b = json_object_new_array();
	struct json_object *shared = object_of_many(3);

	(void)state;
	json_object_array_add(b, json_object_get(shared));
	json_object_object_add(a, "shared", shared);
	json_object_object_del(a, "shared");
	check_written(b, "[{\"k0\":0,\"k1\":1,\"k2\":2}]");
	assert_null(json_object_get(NULL));
	json_object_put(NULL);
}

static int by_number(const void *a, const void *b)
{
	return (int)(json_object_get_int64(*(struct json_object *const *)a) -
		     json_object_get_int64(*(struct json_object *const *)b));
}

static void arrays(void **state)
{
	CLEANUP(json_putp) struct json_object *array = json_object_new_array();

	(void)state;
	json_object_array_sort(array, by_number);
	json_object_array_put_idx(array, 2, json_object_new_int(3));
	check_written(array, "[null,null,3]");
	json_object_array_put_idx(array, 0, json_object_new_int(9));
	json_object_array_put_idx(array, 1, json_object_new_int(5));
	json_object_array_sort(array, by_number);
	for (int i = 0; i < 20; i++)
		json_object_array_add(array, json_object_new_int(100 + i));
	json_object_array_del_idx(array, 4, 19);
	check_written(array, "[3,5,9,100]");
	json_object_array_del_idx(array, 3, 2); /* beyond the end: nothing */
	json_object_array_del_idx(array, 0, 1);
	check_written(array, "[5,9,100]");
	assert_null(json_object_array_get_idx(array, 3));
	assert_int_equal(json_object_array_length(NULL), 0);
}

static void scalars_convert(void **state)
{
	static const struct {
		const char *text;
		int64_t integer;
		uint64_t natural;
		double real;
		bool boolean;
	} cases[] = {
		{ "0", 0, 0, 0, false },
		{ "-7", -7, 0, -7, true },
		{ "18446744073709551615", INT64_MAX, UINT64_MAX, 18446744073709551615.0, true },
		{ "1.5", 1, 1, 1.5, true },
		{ "1e300", INT64_MAX, INT64_MAX, 1e300, true },
		{ "-1e300", INT64_MIN, 0, -1e300, true },
		{ "true", 1, 1, 1, true },
		{ "false", 0, 0, 0, false },
		{ "\"12\"", 12, 12, 12, true },
		{ "\"\"", 0, 0, 0, false },
		{ "[1]", 0, 0, 0, false },
		{ "null", 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *obj = NULL;
		CLEANUP(json_putp) struct json_object *copy = NULL;

		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &obj, NULL, NULL), 0);
		copy = json_clone(obj);
		assert_true(json_equal(obj, copy));
		assert_int_equal(json_object_get_int64(copy), cases[i].integer);
		assert_int_equal(json_object_get_uint64(copy), cases[i].natural);
		assert_float_equal(json_object_get_double(copy), cases[i].real, 0);
		assert_int_equal(json_object_get_boolean(copy), cases[i].boolean);
	}
}

static void strings_hold_anything(void **state)
{
	CLEANUP(json_putp) struct json_object *s = json_object_new_string_len("a\0b", 3);
	CLEANUP(json_putp) struct json_object *copy = json_clone(s);

	(void)state;
	assert_int_equal(json_object_get_string_len(copy), 3);
	assert_memory_equal(json_object_get_string(copy), "a\0b", 4);
	assert_int_equal(json_object_get_string_len(NULL), 0);
	assert_null(json_object_get_string(NULL));
}

static void texts_follow_changes(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = object_of_many(1);
	CLEANUP(json_putp) struct json_object *real = json_object_new_double_s(0.1, "1e-1");

	(void)state;
	check_written(obj, "{\"k0\":0}");
	json_set_bool(obj, "k0", true);
	check_written(obj, "{\"k0\":true}");
	check_written(real, "1e-1");
	assert_string_equal(json_object_get_double_text(real), "1e-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_order),  cmocka_unit_test(null_is_there),
		cmocka_unit_test(large_objects_are_indexed), cmocka_unit_test(walks_bear_changes),
		cmocka_unit_test(references_are_counted),    cmocka_unit_test(arrays),
		cmocka_unit_test(scalars_convert),           cmocka_unit_test(strings_hold_anything),
		cmocka_unit_test(texts_follow_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
