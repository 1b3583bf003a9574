/* False histories of writes, and the fault that is to be found in each. */
#include "tests/unit/crash/verdict_fixture.h"

static void test_lost_write(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_PATCH, CONFIG_MAP, 0);
	history_done(&f->history, number, &(struct state){ 0 });
	expect_fault(f, "is lost");
}

/* It was acknowledged, the server died, and its revision went to another write. */
static void test_lost_write_whose_revision_is_used_again(void **state)
{
	struct fixture *f = *state;
	struct state before;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	before = f->now[CONFIG_MAP];
	number = begin(f, OP_PATCH, CONFIG_MAP, 0);
	happen(f, number);
	history_done(&f->history, number, &f->now[CONFIG_MAP]);
	f->revision--;
	f->now[CONFIG_MAP] = before;
	write_done(f, OP_PATCH, CONFIG_MAP);
	expect_fault(f, "is lost");
}

/* Nobody was told that it is there, but a reader saw it; after the kill it is another. */
static void test_seen_write_whose_revision_is_used_again(void **state)
{
	struct fixture *f = *state;
	struct state before;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	before = f->now[CONFIG_MAP];
	number = begin(f, OP_PATCH, CONFIG_MAP, 0);
	happen(f, number);
	get(f, CONFIG_MAP, &f->now[CONFIG_MAP]);
	history_lost(&f->history, number);
	history_server_died(&f->history);
	f->revision--;
	f->now[CONFIG_MAP] = before;
	write_done(f, OP_PATCH, CONFIG_MAP);
	expect_fault(f, "a get showed configmap 0");
}

static void test_duplicated_revision(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	f->revision--;
	write_done(f, OP_CREATE, POD);
	expect_fault(f, "revisions do not grow");
}

static void test_revision_goes_back(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	write_done(f, OP_PATCH, CONFIG_MAP);
	f->revision -= 2;
	write_done(f, OP_CREATE, OTHER_CONFIG_MAP);
	expect_fault(f, "revisions do not grow");
}

static void test_revision_smaller_than_one_known_before(void **state)
{
	struct fixture *f = *state;
	struct state known = { 0 };

	write_done(f, OP_CREATE, CONFIG_MAP);
	known = f->now[CONFIG_MAP];
	known.revision += 5;
	get(f, CONFIG_MAP, &known);
	write_done(f, OP_PATCH, CONFIG_MAP);
	expect_fault(f, "was seen before it began");
}

static void test_phantom(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	f->now[CONFIG_MAP].slots[0] = 4711;
	f->now[CONFIG_MAP].revision = ++f->revision;
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "nobody wrote configmap 0");
}

static void test_phantom_deletion(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	f->now[CONFIG_MAP].revision = ++f->revision;
	show(f, SEEN_DELETED, CONFIG_MAP);
	expect_fault(f, "nobody deleted configmap 0");
}

/* The delete that was lost asked for another state. */
static void test_deletion_against_its_precondition(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_DELETE, CONFIG_MAP, f->revision);
	write_done(f, OP_PATCH, CONFIG_MAP);
	happen(f, number);
	history_lost(&f->history, number);
	history_server_died(&f->history);
	show(f, SEEN_DELETED, CONFIG_MAP);
	expect_fault(f, "nobody deleted configmap 0");
}

static void test_one_life_deleted_twice(void **state)
{
	struct fixture *f = *state;
	struct state gone;

	write_done(f, OP_CREATE, CONFIG_MAP);
	gone.uid = f->now[CONFIG_MAP].uid;
	write_done(f, OP_DELETE, CONFIG_MAP);
	history_done(&f->history, begin(f, OP_DELETE, CONFIG_MAP, 0), &(struct state){ .uid = gone.uid });
	expect_fault(f, "is lost");
}

static void test_refused_write_is_there(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_PATCH, CONFIG_MAP, 0);
	happen(f, number);
	history_refused(&f->history, number, 500);
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "was refused with 500 and is there");
}

static void test_write_happens_twice(void **state)
{
	struct fixture *f = *state;
	uint32_t first;

	first = write_done(f, OP_CREATE, CONFIG_MAP);
	write_done(f, OP_TEST, CONFIG_MAP);
	f->now[CONFIG_MAP].slots[0] = first;
	f->now[CONFIG_MAP].revision = ++f->revision;
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "happened twice");
}

/* Two updates asked for the same revision and both were done. */
static void test_compare_and_swap_that_does_not_compare(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_UPDATE, CONFIG_MAP, f->revision);
	write_done(f, OP_UPDATE, CONFIG_MAP);
	happen(f, number);
	history_done(&f->history, number, &f->now[CONFIG_MAP]);
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "happened on a state it must not");
}

static void test_patch_that_undoes_another(void **state)
{
	struct fixture *f = *state;
	uint32_t number;

	write_done(f, OP_CREATE, CONFIG_MAP);
	number = begin(f, OP_TEST, CONFIG_MAP, 0);
	write_done(f, OP_PATCH, CONFIG_MAP);
	happen(f, number);
	f->now[CONFIG_MAP].slots[1] = 0;
	history_done(&f->history, number, &f->now[CONFIG_MAP]);
	show(f, SEEN_MODIFIED, CONFIG_MAP);
	expect_fault(f, "nobody wrote configmap 0");
}

static void test_pod_bound_twice(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, POD);
	write_done(f, OP_BIND, POD);
	write_done(f, OP_BIND, POD);
	expect_fault(f, "happened on a state it must not");
}

static void test_refusal_without_reason(void **state)
{
	struct fixture *f = *state;

	write_done(f, OP_CREATE, CONFIG_MAP);
	refuse(f, OP_UPDATE, CONFIG_MAP, f->revision, 409);
	expect_fault(f, "was refused with 409 without a reason");
}

static void test_server_error(void **state)
{
	struct fixture *f = *state;

	refuse(f, OP_CREATE, CONFIG_MAP, 0, 500);
	expect_fault(f, "was refused with 500 without a reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_lost_write),
		CASE(test_lost_write_whose_revision_is_used_again),
		CASE(test_seen_write_whose_revision_is_used_again),
		CASE(test_duplicated_revision),
		CASE(test_revision_goes_back),
		CASE(test_revision_smaller_than_one_known_before),
		CASE(test_phantom),
		CASE(test_phantom_deletion),
		CASE(test_deletion_against_its_precondition),
		CASE(test_one_life_deleted_twice),
		CASE(test_refused_write_is_there),
		CASE(test_write_happens_twice),
		CASE(test_compare_and_swap_that_does_not_compare),
		CASE(test_patch_that_undoes_another),
		CASE(test_pod_bound_twice),
		CASE(test_refusal_without_reason),
		CASE(test_server_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
