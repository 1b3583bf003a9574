#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/timefmt.h"
#include "lib/work_queue.h"

static struct loop *loop;
static struct buf trace;

static int set_up(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	buf_reset(&trace);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	buf_close(&trace);
	return 0;
}

static void begin(struct work_queue *queue, const char *key, void *arg)
{
	(void)queue;
	(void)arg;
	buf_printf(&trace, "%s ", key);
}

static void test_a_key_is_in_it_once(void **state)
{
	struct work_queue *queue = work_queue_new(loop, 10, begin, NULL);

	(void)state;
	work_queue_add(queue, "a");
	work_queue_add(queue, "b");
	work_queue_add(queue, "a");
	assert_int_equal(work_queue_depth(queue), 2);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a b ");
	assert_int_equal(work_queue_running(queue), 2);
	work_queue_done(queue, "a", WORK_OK);
	work_queue_done(queue, "b", WORK_OK);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a b ");
	work_queue_free(queue);
}

static void test_added_while_running_runs_again(void **state)
{
	struct work_queue *queue = work_queue_new(loop, 10, begin, NULL);

	(void)state;
	work_queue_add(queue, "a");
	loop_turn(loop, 0);
	work_queue_add(queue, "a");
	work_queue_add(queue, "a");
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a ");
	work_queue_done(queue, "a", WORK_OK);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a a ");
	work_queue_done(queue, "a", WORK_OK);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a a ");
	work_queue_free(queue);
}

static void test_no_more_run_than_may(void **state)
{
	struct work_queue *queue = work_queue_new(loop, 2, begin, NULL);

	(void)state;
	work_queue_add(queue, "a");
	work_queue_add(queue, "b");
	work_queue_add(queue, "c");
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a b ");
	assert_int_equal(work_queue_depth(queue), 1);
	work_queue_done(queue, "b", WORK_OK);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "a b c ");
	work_queue_free(queue); /* with keys running */
}

static void run_at_once(struct work_queue *queue, const char *key, void *arg)
{
	int *left = arg;

	buf_printf(&trace, "%s ", key);
	if (--*left > 0)
		work_queue_add(queue, key);
	work_queue_done(queue, key, WORK_OK);
}

static void test_done_from_within(void **state)
{
	int left = 3;
	struct work_queue *queue = work_queue_new(loop, 1, run_at_once, &left);

	(void)state;
	work_queue_add(queue, "a");
	for (int i = 0; i < 4; i++)
		loop_turn(loop, 0);
	assert_string_equal(trace.data, "a a a ");
	assert_int_equal(work_queue_running(queue), 0);
	work_queue_free(queue);
}

static void fail_some(struct work_queue *queue, const char *key, void *arg)
{
	int *left = arg;

	buf_printf(&trace, "%s ", key);
	if (--*left > 0) {
		work_queue_done(queue, key, WORK_RETRY);
	} else {
		work_queue_done(queue, key, WORK_OK);
		loop_stop(loop);
	}
}

static void test_failures_back_off(void **state)
{
	int64_t start = time_mono_ms(), took;
	int left = 5;
	struct work_queue *queue = work_queue_new(loop, 1, fail_some, &left);

	(void)state;
	work_queue_add(queue, "a");
	loop_run(loop);
	took = time_mono_ms() - start;
	assert_string_equal(trace.data, "a a a a a ");
	assert_true(took >= 5 + 10 + 20 + 40);
	/* Success forgets the failures: the next waits 5 ms again. Were they remembered, it would wait 80 ms, and then twice
	 * as long each time; a slow machine is not that slow each time. */
	bool forgotten = false;
	for (int64_t remembered_ms = 80; !forgotten && remembered_ms < 10000; remembered_ms *= 2) {
		left = 2;
		start = time_mono_ms();
		work_queue_add(queue, "a");
		loop_run(loop);
		forgotten = time_mono_ms() - start < remembered_ms;
	}
	assert_true(forgotten);
	work_queue_free(queue);
}

static void stop_loop(struct work_queue *queue, const char *key, void *arg)
{
	begin(queue, key, arg);
	work_queue_done(queue, key, WORK_OK);
	if (strcmp(key, "end") == 0)
		loop_stop(loop);
}

static void test_earlier_delay_wins(void **state)
{
	struct work_queue *queue = work_queue_new(loop, 1, stop_loop, NULL);
	int64_t start = time_mono_ms();

	(void)state;
	work_queue_add_after(queue, "a", 10);
	work_queue_add_after(queue, "a", 100000);
	work_queue_add_after(queue, "b", 100000);
	work_queue_add_after(queue, "b", 20);
	work_queue_add_after(queue, "now", 0);
	work_queue_add_after(queue, "end", 40);
	assert_int_equal(work_queue_depth(queue), 1);
	loop_run(loop);
	assert_true(time_mono_ms() - start >= 40);
	assert_string_equal(trace.data, "now a b end ");
	work_queue_free(queue);
}

static void test_unknown_and_idle_keys(void **state)
{
	struct work_queue *queue = work_queue_new(loop, 1, begin, NULL);

	(void)state;
	work_queue_done(queue, "never added", WORK_OK);
	work_queue_add(queue, "a");
	work_queue_done(queue, "a", WORK_OK); /* waits, does not run */
	assert_int_equal(work_queue_depth(queue), 1);
	work_queue_add_after(queue, "delayed", 100000);
	work_queue_free(queue);
	work_queue_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_key_is_in_it_once),   TEST(test_added_while_running_runs_again),
		TEST(test_no_more_run_than_may),  TEST(test_done_from_within),
		TEST(test_failures_back_off),     TEST(test_earlier_delay_wins),
		TEST(test_unknown_and_idle_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
