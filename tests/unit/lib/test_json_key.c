#include "lib/json_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/mem.h"

static const char *const names[] = { "a", "b", "ab", "kind", "name", "names", "namespace", "metadata" };

static int learn(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_key_learn(names[i]);
	return 0;
}

static struct json_object *parse(const char *text, size_t *ret_duplicates)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, ret_duplicates, NULL), 0);
	return obj;
}

static void check_text(const struct json_object *obj, const char *expected)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	json_write(&b, obj);
	assert_string_equal(b.data, expected);
}

static const struct lh_entry *entry_of(const struct json_object *obj, const char *key)
{
	return lh_table_lookup_entry(json_object_get_object(obj), key);
}

static void names_are_found_and_nothing_else(void **state)
{
	CLEANUP(json_putp) struct json_object *any = json_object_new_object();
	unsigned long hash;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_ptr_equal(json_key_find(names[i], strlen(names[i]), &hash), names[i]);
		assert_int_equal(hash, lh_get_hash(json_object_get_object(any), names[i]));
	}
	assert_ptr_equal(json_key_find("names", 4, &hash), names[4]);
	assert_null(json_key_find("", 0, &hash));
	assert_null(json_key_find("c", 1, &hash));
	assert_null(json_key_find("nam", 3, &hash));
	assert_null(json_key_find("namesp", 6, &hash));
	assert_null(json_key_find("metadatas", 9, &hash));
}

static void parsed_members_need_no_copy_of_a_name(void **state)
{
	CLEANUP(json_putp)
	struct json_object *obj = parse("{\"kind\":1,\"kin\\u0064s\":2,\"na\\u006de\":3,\"other\":4}", NULL);

	(void)state;
	assert_ptr_equal(lh_entry_k(entry_of(obj, "kind")), names[3]);
	assert_ptr_equal(lh_entry_k(entry_of(obj, "name")), names[4]);
	assert_true(lh_entry_k_is_constant(entry_of(obj, "kind")));
	assert_false(lh_entry_k_is_constant(entry_of(obj, "kinds")));
	assert_false(lh_entry_k_is_constant(entry_of(obj, "other")));
	check_text(obj, "{\"kind\":1,\"kinds\":2,\"name\":3,\"other\":4}");
}

static void the_last_of_a_repeated_key_counts(void **state)
{
	size_t duplicates = 0;
	CLEANUP(json_putp)
	struct json_object *obj = parse("{\"a\":{},\"x\":1,\"a\":[2],\"x\":\"y\",\"a\":3}", &duplicates);

	(void)state;
	assert_int_equal(duplicates, 3);
	check_text(obj, "{\"a\":3,\"x\":\"y\"}");
}

static void members_are_set_replaced_and_removed(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	char key[] = "made";

	(void)state;
	json_set_int(obj, "name", 1);
	json_set_int(obj, key, 2);
	json_set_int(obj, "name", 3);
	json_set_int(obj, key, 4);
	key[0] = 'f'; /* the object has its own copy */
	json_set(obj, "kind", NULL);
	check_text(obj, "{\"name\":3,\"made\":4,\"kind\":null}");
	json_object_object_del(obj, "name");
	json_object_object_del(obj, "made");
	check_text(obj, "{\"kind\":null}");
}

static void copies_are_equal_and_outlive_the_original(void **state)
{
	static const char text[] = "{\"metadata\":{\"name\":\"a\\u0000b\",\"x\":[null,true,-1,1.50,[],{}]},"
				   "\"n\":[18446744073709551615,9223372036854775807,-9223372036854775808]}";
	struct json_object *obj = parse(text, NULL);
	CLEANUP(json_putp)
	struct json_object *clone = json_clone(obj), *copy = json_copy(obj), *shared = json_share(obj);

	(void)state;
	assert_ptr_equal(json_get(shared, "metadata"), json_get(obj, "metadata"));
	assert_ptr_not_equal(json_get(clone, "metadata"), json_get(obj, "metadata"));
	assert_ptr_not_equal(json_path(clone, "metadata", "name", NULL), json_path(obj, "metadata", "name", NULL));
	assert_true(json_equal(clone, obj));
	assert_ptr_not_equal(json_path(copy, "metadata", "x", NULL), json_path(obj, "metadata", "x", NULL));
	assert_ptr_equal(json_path(copy, "metadata", "name", NULL), json_path(obj, "metadata", "name", NULL));
	json_set(json_get(copy, "metadata"), "y", NULL);
	json_set(json_get(clone, "metadata"), "x", NULL);
	check_text(obj, text);
	json_object_put(obj);
	check_text(shared, text);
	assert_non_null(json_str(json_get(copy, "metadata"), "name"));
}

/* A full table goes on to find what it has. Last: it stays full. */
static void there_is_an_end_to_names(void **state)
{
	static char more[JSON_KEYS_MAX + 10][8];
	unsigned long hash;
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		snprintf(more[i], sizeof(more[i]), "m%zu", i);
		json_key_learn(more[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		found += json_key_find(more[i], strlen(more[i]), &hash) == more[i];
	assert_int_equal(found, JSON_KEYS_MAX - ARRAY_SIZE(names));
	names_are_found_and_nothing_else(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_and_nothing_else),
		cmocka_unit_test(parsed_members_need_no_copy_of_a_name),
		cmocka_unit_test(the_last_of_a_repeated_key_counts),
		cmocka_unit_test(members_are_set_replaced_and_removed),
		cmocka_unit_test(copies_are_equal_and_outlive_the_original),
		cmocka_unit_test(there_is_an_end_to_names),
	};

	return cmocka_run_group_tests(tests, learn, NULL);
}
