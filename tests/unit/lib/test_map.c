#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/map.h"

#define N 5000

static char keys[N][16];

static int make_keys(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		snprintf(keys[i], sizeof(keys[i]), "key-%d", i);
	return 0;
}

static void test_empty(void **state)
{
	struct map m = MAP_INIT;
	size_t cursor = 0;

	(void)state;
	assert_null(map_get(&m, "a"));
	assert_null(map_remove(&m, "a"));
	assert_false(map_next(&m, &cursor, NULL, NULL));
	map_close(&m);
}

static void test_replace_gives_back_and_moves_the_key(void **state)
{
	char first[] = "a", second[] = "a";
	struct map m = MAP_INIT;
	const char *key;
	size_t cursor = 0;

	(void)state;
	assert_null(map_put(&m, first, "1"));
	assert_string_equal(map_put(&m, second, "2"), "1");
	assert_int_equal(m.count, 1);
	first[0] = 'z';
	assert_string_equal(map_get(&m, "a"), "2");
	assert_true(map_next(&m, &cursor, &key, NULL));
	assert_ptr_equal(key, second);
	map_close(&m);
}

static void test_empty_key(void **state)
{
	struct map m = MAP_INIT;

	(void)state;
	map_put(&m, "", "empty");
	assert_string_equal(map_get(&m, ""), "empty");
	assert_string_equal(map_remove(&m, ""), "empty");
	assert_null(map_get(&m, ""));
	map_close(&m);
}

static void test_many(void **state)
{
	struct map m = MAP_INIT;

	(void)state;
	for (int i = 0; i < N; i++)
		assert_null(map_put(&m, keys[i], keys[i]));
	assert_int_equal(m.count, N);
	for (int i = 0; i < N; i += 2)
		assert_ptr_equal(map_remove(&m, keys[i]), keys[i]);
	for (int i = 0; i < N; i++)
		assert_ptr_equal(map_get(&m, keys[i]), i % 2 ? keys[i] : NULL);
	assert_int_equal(m.count, N / 2);
	map_close(&m);
}

static void test_churn_does_not_grow(void **state)
{
	struct map m = MAP_INIT;

	(void)state;
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 20; i++)
			map_put(&m, keys[round * 20 + i], keys[i]);
		for (int i = 0; i < 20; i++)
			assert_ptr_equal(map_remove(&m, keys[round * 20 + i]), keys[i]);
	}
	assert_int_equal(m.count, 0);
	assert_true(m.capacity <= 64);
	map_close(&m);
}

static void test_removal_while_walking(void **state)
{
	struct map m = MAP_INIT;
	const char *key;
	void *value;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		map_put(&m, keys[i], keys[i]);
	for (size_t i = 0; map_next(&m, &i, &key, &value); seen++) {
		assert_ptr_equal(key, value);
		map_remove(&m, key);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(m.count, 0);
	map_close(&m);
}

static void test_hash_depends_on_every_byte(void **state)
{
	char text[40] = { 0 };
	size_t differing = 0;

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++) {
		uint64_t before = map_hash(text, len);

		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			differing += map_hash(text, len) != before;
			text[i] ^= 1;
		}
		assert_true(map_hash(text, len - 1) != before);
	}
	assert_int_equal(differing, 40 * 41 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_replace_gives_back_and_moves_the_key),
		cmocka_unit_test(test_empty_key),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_churn_does_not_grow),
		cmocka_unit_test(test_removal_while_walking),
		cmocka_unit_test(test_hash_depends_on_every_byte),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
