#include "apiserver/core/history.h"
#include "tests/unit/apiserver/core_fixture.h"

static struct object *at_revision(uint64_t revision)
{
	struct object *object = make(config_maps(), "\"name\":\"a\",\"namespace\":\"d\"}");

	object_set_revision(object, revision);
	return object;
}

/* N changes of one object at revisions 2, 4, 6..., one a second from second 100 on. */
static void fill(struct history *history, unsigned n)
{
	struct object *previous = NULL;

	for (unsigned i = 1; i <= n; i++) {
		struct object *object = at_revision(i * 2);

		history_add(history, object, previous, false, 100 + i);
		object_unref(previous);
		previous = object;
	}
	object_unref(previous);
}

static void test_count(void **state)
{
	(void)state;
	struct history history = { 0 };
	struct history_limits limits = { .events = 10, .bytes = SIZE_MAX, .seconds = 1000 };
	uint64_t superseded, deleted;
	unsigned expired = 0;

	fill(&history, 500);
	while (history_expire(&history, &limits, 600, &superseded, &deleted)) {
		expired++;
		assert_int_equal(superseded, (expired - 1) * 2);
		assert_int_equal(deleted, 0);
	}
	assert_int_equal(expired, 490);
	assert_int_equal(history.n, 10);
	assert_int_equal(history.horizon, 980);
	assert_true(history.cap <= 64);
	assert_int_equal(object_revision(history_at(&history, 0)->object), 982);
	assert_int_equal(history_find(&history, 980), 0);
	assert_int_equal(history_find(&history, 982), 1);
	assert_int_equal(history_find(&history, 983), 1);
	assert_int_equal(history_find(&history, 5000), 10);
	history_close(&history);
}

static void test_age(void **state)
{
	(void)state;
	struct history history = { 0 };
	struct history_limits limits = { .events = 1000, .bytes = SIZE_MAX, .seconds = 50 };
	uint64_t superseded, deleted;

	fill(&history, 5);
	assert_false(history_expire(&history, &limits, 150, &superseded, &deleted));
	assert_true(history_expire(&history, &limits, 151, &superseded, &deleted));
	assert_false(history_expire(&history, &limits, 151, &superseded, &deleted));
	while (history_expire(&history, &limits, 1000, &superseded, &deleted))
		;
	assert_int_equal(history.bytes, 0);
	history_close(&history);
}

static void test_bytes_and_deletion(void **state)
{
	(void)state;
	struct history history = { 0 };
	CLEANUP(object_unrefp) struct object *last = at_revision(20);
	CLEANUP(object_unrefp) struct object *final = at_revision(30);
	struct history_limits limits = { .events = 1000, .bytes = object_size(last) * 2, .seconds = 50 };
	uint64_t superseded, deleted;

	history_add(&history, final, last, true, 10);
	assert_int_equal(history.bytes, object_size(last) * 2);
	assert_false(history_expire(&history, &limits, 10, &superseded, &deleted));
	limits.bytes--;
	assert_true(history_expire(&history, &limits, 10, &superseded, &deleted));
	assert_int_equal(superseded, 20);
	assert_int_equal(deleted, 30);
	assert_int_equal(history.horizon, 30);
	history_close(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_bytes_and_deletion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
