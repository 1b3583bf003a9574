#include "apiserver/core/index.h"
#include "apiserver/core/owners.h"
#include "tests/support/rng.h"
#include "tests/unit/apiserver/core_fixture.h"

#define KEYS 3000U

static struct object *numbered(unsigned i)
{
	return make(config_maps(), "\"name\":\"k%05u\",\"namespace\":\"n%u\"}", i, i % 3);
}

/* Whether INDEX holds exactly the objects that EXPECTED says, in order. */
static void assert_same(const struct index *index, struct object *const *expected)
{
	struct index_cursor cursor = { 0, 0 };
	const char *last = "";
	struct object *object;
	size_t n = 0, count = 0;

	while ((object = index_next(index, &cursor))) {
		assert_true(strcmp(last, object_key(object)) < 0);
		last = object_key(object);
		n++;
	}
	for (unsigned i = 0; i < KEYS; i++) {
		if (!expected[i])
			continue;
		count++;
		assert_ptr_equal(index_get(index, object_key(expected[i])), expected[i]);
	}
	assert_int_equal(n, count);
	assert_int_equal(index->count, count);
}

static void test_random_changes(void **state)
{
	(void)state;
	struct index index = INDEX_INIT;
	struct object **held = mem_zalloc(KEYS * sizeof(struct object *));
	struct rng rng = rng_of(7, 0);

	for (unsigned step = 0; step < 30000; step++) {
		unsigned i = rng_below(&rng, KEYS);
		/* Grows in the first half, shrinks in the second. */
		bool put = rng_below(&rng, 4) != (step < 15000 ? 0 : 1) ? step < 15000 : step >= 15000;

		if (put) {
			struct object *object = numbered(i), *old = index_put(&index, object);

			assert_ptr_equal(old, held[i]);
			object_unref(old);
			held[i] = object;
		} else {
			struct object *probe = numbered(i), *old = index_remove(&index, object_key(probe));

			assert_ptr_equal(old, held[i]);
			object_unref(old);
			object_unref(probe);
			held[i] = NULL;
		}
		if (step % 5000 == 0)
			assert_same(&index, held);
	}
	assert_same(&index, held);
	index_close(&index);
	free(held);
}

static void test_seek(void **state)
{
	(void)state;
	struct index index = INDEX_INIT;
	struct index_cursor cursor = index_seek(&index, "a", false);

	assert_null(index_next(&index, &cursor));
	for (unsigned i = 0; i < 1000; i++)
		assert_null(index_put(&index, numbered(i * 2)));
	cursor = index_seek(&index, "n1/", false);
	assert_string_equal(object_key(index_next(&index, &cursor)), "n1/k00004");
	cursor = index_seek(&index, "n1/k00004", false);
	assert_string_equal(object_key(index_next(&index, &cursor)), "n1/k00004");
	cursor = index_seek(&index, "n1/k00004", true);
	assert_string_equal(object_key(index_next(&index, &cursor)), "n1/k00010");
	cursor = index_seek(&index, "n1/k00005", true);
	assert_string_equal(object_key(index_next(&index, &cursor)), "n1/k00010");
	cursor = index_seek(&index, "n2/z", false);
	assert_null(index_next(&index, &cursor));
	cursor = index_seek(&index, "", false);
	assert_string_equal(object_key(index_next(&index, &cursor)), "n0/k00000");
	index_close(&index);
}

static void test_leaves_are_full_after_appends(void **state)
{
	(void)state;
	struct index index = INDEX_INIT;

	for (unsigned i = 0; i < 1280; i++)
		index_put(&index, make(config_maps(), "\"name\":\"k%05u\"}", i));
	assert_int_equal(index.n_leaves, 10);
	index_close(&index);
}

static struct object *owned(const char *name, const char *owners)
{
	return make(pods(), "\"name\":\"%s\",\"namespace\":\"d\",\"ownerReferences\":[%s]}", name, owners);
}

static void assert_owned(const struct owners *owners, const char *uid, const char *names)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t n;
	struct object **objects = owners_list(owners, uid, &n);

	buf_str(&b, "");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%s ", object_name(objects[i]));
		object_unref(objects[i]);
	}
	free(objects);
	assert_string_equal(b.data ? b.data : "", names);
}

static void test_owners(void **state)
{
	(void)state;
	struct owners owners = OWNERS_INIT;
	CLEANUP(object_unrefp) struct object *a = owned("a", "{\"uid\":\"x\"},{\"uid\":\"y\"}");
	CLEANUP(object_unrefp) struct object *a2 = owned("a", "{\"uid\":\"y\"},{\"uid\":\"y\"}");
	CLEANUP(object_unrefp) struct object *b = owned("b", "{\"uid\":\"x\"}");
	CLEANUP(object_unrefp) struct object *map =
		make(config_maps(), "\"name\":\"b\",\"namespace\":\"d\",\"ownerReferences\":[{\"uid\":\"x\"}]}");

	owners_change(&owners, NULL, b);
	owners_change(&owners, NULL, map);
	owners_change(&owners, NULL, a);
	assert_owned(&owners, "x", config_maps()->index < pods()->index ? "b a b " : "a b b ");
	assert_owned(&owners, "y", "a ");
	owners_change(&owners, a, a2);
	assert_owned(&owners, "x", "b b ");
	assert_owned(&owners, "y", "a ");
	owners_change(&owners, b, NULL);
	owners_change(&owners, map, NULL);
	owners_change(&owners, a2, NULL);
	assert_owned(&owners, "x", "");
	assert_owned(&owners, "y", "");
	assert_int_equal(owners.by_uid.count, 0);
	owners_change(&owners, NULL, a);
	owners_close(&owners);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_leaves_are_full_after_appends),
		cmocka_unit_test(test_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
