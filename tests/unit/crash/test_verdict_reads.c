/* False histories of reads, lists and watches, and the fault that is to be found in each. */
#include "tests/unit/crash/verdict_fixture.h"

static void test_missing_object(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	get(f, CONFIG_MAP, NULL);
	expect_fault(f, "get 2 of configmap 0 was refused with 404 without a reason");
}

static void test_stale_read(void **state)
{
	struct fixture *f = *state;
	struct state old;

	write_done(f, OP_CREATE, CONFIG_MAP);
	old = f->now[CONFIG_MAP];
	write_done(f, OP_PATCH, CONFIG_MAP);
	get(f, CONFIG_MAP, &old);
	expect_fault(f, "stale read");
}

static void test_torn_read(void **state)
{
	struct fixture *f = *state;
	struct state torn;

	write_done(f, OP_CREATE, CONFIG_MAP);
	torn = f->now[CONFIG_MAP];
	torn.torn = true;
	get(f, CONFIG_MAP, &torn);
	expect_fault(f, "torn");
}

static void test_stale_list(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	list(f, 0, f->revision - 1, NULL, 0);
	expect_fault(f, "stale list");
}

static void test_list_that_lacks_an_object(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	list(f, 0, f->revision, NULL, 0);
	expect_fault(f, "shows configmap 0 at (not there)");
}

static void test_list_of_two_revisions(void **state)
{
	struct fixture *f = *state;
	struct item items[2] = { { .object = CONFIG_MAP }, { .object = OTHER_CONFIG_MAP } };

	write_done(f, OP_CREATE, CONFIG_MAP);
	write_done(f, OP_CREATE, OTHER_CONFIG_MAP);
	items[1].state = f->now[OTHER_CONFIG_MAP];
	write_done(f, OP_PATCH, CONFIG_MAP);
	items[0].state = f->now[CONFIG_MAP];
	list(f, f->revision - 1, f->revision - 1, items, 2);
	expect_fault(f, "a list at revision 12 shows configmap 0");
}

static void test_list_with_an_object_twice(void **state)
{
	struct fixture *f = *state;
	struct item items[2] = { { .object = CONFIG_MAP }, { .object = CONFIG_MAP } };

	write_done(f, OP_CREATE, CONFIG_MAP);
	items[0].state = items[1].state = f->now[CONFIG_MAP];
	list(f, 0, f->revision, items, 2);
	expect_fault(f, "has 2 items; there were 1");
}

static void test_missed_event(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	happen(f, begin(f, OP_PATCH, CONFIG_MAP, 0));
	history_done(&f->history, 2, &f->now[CONFIG_MAP]);
	see(f, f->scribe[HISTORY_CONFIG_MAP], SEEN_MODIFIED, CONFIG_MAP);
	write_done(f, OP_TEST, CONFIG_MAP);
	expect_fault(f, "watcher, event 1: saw configmap 0");
}

/* The last event is the missed one: only that nothing more is to come tells. */
static void test_missed_last_event(void **state)
{
	struct fixture *f = *state;
	struct sighting all = { .type = SEEN_ALL_TO };

	happen(f, begin(f, OP_CREATE, CONFIG_MAP, 0));
	history_done(&f->history, 1, &f->now[CONFIG_MAP]);
	see(f, f->scribe[HISTORY_CONFIG_MAP], SEEN_ADDED, CONFIG_MAP);
	all.state.revision = f->revision;
	history_sighting(&f->history, f->watcher, &all);
	expect_fault(f, "watcher missed an event");
}

static void test_repeated_event(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	see(f, f->watcher, SEEN_ADDED, CONFIG_MAP);
	expect_fault(f, "to be seen was nothing");
}

static void test_event_of_the_wrong_type(void **state)
{
	struct fixture *f = *state;

	happen(f, begin(f, OP_CREATE, CONFIG_MAP, 0));
	history_done(&f->history, 1, &f->now[CONFIG_MAP]);
	see(f, f->scribe[HISTORY_CONFIG_MAP], SEEN_ADDED, CONFIG_MAP);
	see(f, f->watcher, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "saw configmap 0, modified");
}

/* A watcher that selects by a label sees an object go when its label changes. */
static void test_object_that_leaves_a_selection(void **state)
{
	struct fixture *f = *state;
	struct selection odd = SELECT_ALL(HISTORY_CONFIG_MAP);
	size_t stream;

	odd.half = 1;
	stream = add_stream(&f->history, "watcher by label", odd, false);
	write_done(f, OP_CREATE, CONFIG_MAP);
	see(f, stream, SEEN_ADDED, CONFIG_MAP);
	write_done(f, OP_UPDATE, CONFIG_MAP);
	see(f, stream, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "watcher by label, event 1");
}

static void test_expired_too_early(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	history_expired(&f->history, HISTORY_CONFIG_MAP, 10);
	expect_fault(f, "revision 10 expired though only 1 changes came after it");
}

static void test_expired_when_it_may(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	for (size_t i = 0; i < VERDICT_WINDOW_CHANGES; i++)
		write_done(f, OP_PATCH, CONFIG_MAP);
	history_expired(&f->history, HISTORY_CONFIG_MAP, 10);
	expect_sound(f);
}

/* After a write that began when another had ended, the other has the smaller revision. */

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_missing_object),
		CASE(test_stale_read),
		CASE(test_torn_read),
		CASE(test_stale_list),
		CASE(test_list_that_lacks_an_object),
		CASE(test_list_of_two_revisions),
		CASE(test_list_with_an_object_twice),
		CASE(test_missed_event),
		CASE(test_missed_last_event),
		CASE(test_repeated_event),
		CASE(test_event_of_the_wrong_type),
		CASE(test_object_that_leaves_a_selection),
		CASE(test_expired_too_early),
		CASE(test_expired_when_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
