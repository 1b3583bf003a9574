/* Sound histories, and those that time alone makes false. */
#include "tests/unit/crash/verdict_fixture.h"

static void test_all_kinds_are_sound(void **state)
{
	struct fixture *f = *state;
	struct item item = { .object = CONFIG_MAP };
	uint64_t first;

	write_done(f, OP_CREATE, CONFIG_MAP);
	first = f->revision;
	item.state = f->now[CONFIG_MAP];
	write_done(f, OP_UPDATE, CONFIG_MAP);
	write_done(f, OP_PATCH, CONFIG_MAP);
	write_done(f, OP_TEST, CONFIG_MAP);
	get(f, CONFIG_MAP, &f->now[CONFIG_MAP]);
	list(f, first, first, &item, 1);
	item.state = f->now[CONFIG_MAP];
	list(f, 0, f->revision, &item, 1);
	refuse(f, OP_CREATE, CONFIG_MAP, 0, 409);
	refuse(f, OP_UPDATE, CONFIG_MAP, first, 409);
	write_done(f, OP_DELETE, CONFIG_MAP);
	get(f, CONFIG_MAP, NULL);
	refuse(f, OP_DELETE, CONFIG_MAP, 0, 404);
	write_done(f, OP_CREATE, POD);
	write_done(f, OP_BIND, POD);
	refuse(f, OP_BIND, POD, 0, 409);
	list(f, 0, f->revision, NULL, 0);
	expect_sound(f);
}

/* What a kill cuts off may have happened, wholly, or not. */
static void test_lost_writes_may_have_happened(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_PATCH, CONFIG_MAP, 0);
	history_lost(&f->history, begin(f, OP_PATCH, CONFIG_MAP, 0));
	happen(f, number);
	history_lost(&f->history, number);
	history_server_died(&f->history);
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	number = begin(f, OP_DELETE, CONFIG_MAP, 0);
	happen(f, number);
	history_lost(&f->history, number);
	history_server_died(&f->history);
	show(f, SEEN_DELETED, CONFIG_MAP);
	expect_sound(f);
}

static void test_chapters_follow_each_other(void **state)
{
	struct fixture *f = *state;
	struct item item = { .object = CONFIG_MAP };

	write_done(f, OP_CREATE, CONFIG_MAP);
	item.state = f->now[CONFIG_MAP];
	history_next_chapter(&f->history, f->revision, &item, 1);
	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		add_stream(&f->history, "scribe", SELECT_ALL((enum history_resource)i), true);
	f->history
	    .streams[f->watcher = add_stream(&f->history, "watcher", SELECT_ALL(HISTORY_CONFIG_MAP), false)]
	    .start = f->revision;
	write_done(f, OP_UPDATE, CONFIG_MAP);
	expect_sound(f);
}

static void test_order_against_time(void **state)
{
	struct fixture *f = *state;
	uint32_t first = begin(f, OP_CREATE, CONFIG_MAP, 0), second;

	history_done(&f->history, first, &(struct state){ 0 });
	second = begin(f, OP_CREATE, OTHER_CONFIG_MAP, 0);
	happen(f, second);
	history_done(&f->history, second, &f->now[OTHER_CONFIG_MAP]);
	show(f, SEEN_ADDED, OTHER_CONFIG_MAP);
	happen(f, first);
	show(f, SEEN_ADDED, CONFIG_MAP);
	expect_fault(f, "and one that began after its end has");
}

static void test_unanswered(void **state)
{
	struct fixture *f = *state;

	begin(f, OP_CREATE, CONFIG_MAP, 0);
	expect_fault(f, "was never answered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_all_kinds_are_sound),
		CASE(test_lost_writes_may_have_happened),
		CASE(test_chapters_follow_each_other),
		CASE(test_order_against_time),
		CASE(test_unanswered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
