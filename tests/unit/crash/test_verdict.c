/* False histories, and the fault that is to be found in each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/crash/verdict.h"

enum { CONFIG_MAP, OTHER_CONFIG_MAP, POD, OBJECTS };

static const struct history_object objects[OBJECTS] = { { HISTORY_CONFIG_MAP, 0 },
							{ HISTORY_CONFIG_MAP, 1 },
							{ HISTORY_POD, 0 } };

struct fixture {
	struct history history;
	size_t scribe[HISTORY_RESOURCES], watcher;
	struct state now[OBJECTS];
	uint64_t revision; /* of the server */
	uint64_t uid;
};

static size_t add_stream(struct history *history, const char *name, struct selection selection, bool scribe)
{
	struct stream stream = { .selection = selection, .scribe = scribe, .start = 10 };

	snprintf(stream.name, sizeof(stream.name), "%s", name);
	return history_stream(history, &stream);
}

/* A chapter that begins at revision 10 with nothing there. */
static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	history_init(&f->history, objects, OBJECTS);
	history_next_chapter(&f->history, 10, NULL, 0);
	f->revision = 10;
	f->uid = 100;
	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		f->scribe[i] = add_stream(&f->history, "scribe", SELECT_ALL((enum history_resource)i), true);
	f->watcher = add_stream(&f->history, "watcher", SELECT_ALL(HISTORY_CONFIG_MAP), false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	history_close(&f->history);
	free(f);
	return 0;
}

/* --- what happens on a server that is right --- */

static uint32_t begin(struct fixture *f, enum op_kind kind, unsigned object, uint64_t if_revision)
{
	struct op op = { .kind = kind, .object = object, .if_revision = if_revision };

	op.slot = kind == OP_BIND || (kind == OP_PATCH && objects[object].resource == HISTORY_CONFIG_MAP);
	op.carried = f->now[object].slots[1];
	op.expect = f->now[object].slots[0];
	return history_begin(&f->history, &op);
}

/* The write NUMBER happens. */
static void happen(struct fixture *f, uint32_t number)
{
	const struct op *op = history_op(&f->history, number);
	struct state *state = &f->now[op->object];

	f->revision++;
	if (op->kind == OP_CREATE)
		*state = (struct state){ .uid = f->uid++ };
	state->revision = f->revision;
	if (op->kind != OP_DELETE)
		state->slots[op->slot] = number;
}

static void see(struct fixture *f, size_t stream, enum sighting_type type, unsigned object)
{
	struct sighting sighting = { type, object, f->now[object] };

	history_sighting(&f->history, stream, &sighting);
}

/* The scribe, and for ConfigMaps the watcher, see what OBJECT became. */
static void show(struct fixture *f, enum sighting_type type, unsigned object)
{
	see(f, f->scribe[objects[object].resource], type, object);
	if (objects[object].resource == HISTORY_CONFIG_MAP)
		see(f, f->watcher, type, object);
	if (type == SEEN_DELETED)
		f->now[object] = (struct state){ 0 };
}

/* A write from beginning to end. */
static uint32_t write_done(struct fixture *f, enum op_kind kind, unsigned object)
{
	uint32_t number = begin(f, kind, object, kind == OP_UPDATE ? f->now[object].revision : 0);

	happen(f, number);
	if (kind == OP_DELETE)
		history_done(&f->history, number, &(struct state){ .uid = f->now[object].uid });
	else
		history_done(&f->history, number, &f->now[object]);
	show(f, kind == OP_CREATE ? SEEN_ADDED : kind == OP_DELETE ? SEEN_DELETED : SEEN_MODIFIED, object);
	return number;
}

static void get(struct fixture *f, unsigned object, const struct state *shown)
{
	uint32_t number = begin(f, OP_GET, object, 0);

	if (shown)
		history_done(&f->history, number, shown);
	else
		history_refused(&f->history, number, 404);
}

static void refuse(struct fixture *f, enum op_kind kind, unsigned object, uint64_t if_revision, int code)
{
	history_refused(&f->history, begin(f, kind, object, if_revision), code);
}

static void list(struct fixture *f, uint64_t asked, uint64_t revision, const struct item *items, size_t n)
{
	struct list record = { .selection = SELECT_ALL(HISTORY_CONFIG_MAP), .asked = asked };

	record.began = history_tick(&f->history);
	record.floor = f->history.seen;
	record.ended = history_tick(&f->history);
	record.revision = revision;
	history_list(&f->history, &record, items, n);
	history_saw(&f->history, revision);
}

/* --- judging --- */

static void expect_sound(struct fixture *f)
{
	struct verdict verdict = { 0 };

	verdict_judge(&verdict, &f->history);
	if (verdict.faults)
		fail_msg("found in a sound history: %s", verdict.text.data);
	verdict_close(&verdict);
}

static void expect_fault(struct fixture *f, const char *text)
{
	struct verdict verdict = { 0 };

	verdict_judge(&verdict, &f->history);
	if (!verdict.faults)
		fail_msg("not found: %s", text);
	if (!strstr(verdict.text.data, text))
		fail_msg("\"%s\" is not in: %s", text, verdict.text.data);
	verdict_close(&verdict);
}

/* --- sound histories --- */

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

/* --- false ones --- */

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

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_all_kinds_are_sound),
		CASE(test_lost_writes_may_have_happened),
		CASE(test_chapters_follow_each_other),
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
		CASE(test_order_against_time),
		CASE(test_unanswered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
