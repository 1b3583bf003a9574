#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/timefmt.h"

static struct loop *loop;

static int set_up(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

/* --- timers --- */

static struct buf trace;

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	buf_str(&trace, arg);
	if (strcmp(arg, "end") == 0)
		loop_stop(loop);
}

static void test_timers_run_in_order(void **state)
{
	struct loop_timer a, b, c, end, never;
	int64_t start = time_mono_ms();

	(void)state;
	buf_reset(&trace);
	loop_timer_init(&a, loop, on_timer, "a");
	loop_timer_init(&b, loop, on_timer, "b");
	loop_timer_init(&c, loop, on_timer, "c");
	loop_timer_init(&end, loop, on_timer, "end");
	loop_timer_init(&never, loop, on_timer, "never");
	/* The same moment for all, however slowly this runs. */
	loop_timer_arm_at(&end, start + 30);
	loop_timer_arm_at(&c, start + 20);
	loop_timer_arm_at(&a, start + 500);
	loop_timer_arm_at(&b, start + 10);
	loop_timer_arm_at(&never, start + 5);
	loop_timer_arm_at(&a, start); /* moved */
	loop_timer_disarm(&never);
	assert_true(loop_timer_armed(&a));
	assert_false(loop_timer_armed(&never));
	loop_run(loop);
	assert_string_equal(trace.data, "abcend");
	assert_false(loop_timer_armed(&end));
	assert_true(time_mono_ms() - start >= 30);
	assert_true(loop_now_ms(loop) >= start + 30);
	buf_close(&trace);
}

static int64_t last_due;
static size_t fired;

static void on_many(struct loop_timer *timer, void *arg)
{
	(void)arg;
	assert_true(timer->due_ms >= last_due);
	last_due = timer->due_ms;
	fired++;
}

static void test_a_heap_of_timers(void **state)
{
	static struct loop_timer timers[1000];
	size_t armed = 0;

	(void)state;
	fired = 0;
	last_due = 0;
	for (size_t i = 0; i < 1000; i++) {
		loop_timer_init(&timers[i], loop, on_many, NULL);
		loop_timer_arm(&timers[i], (int64_t)(i * 7919 % 50));
	}
	for (size_t i = 0; i < 1000; i += 3)
		loop_timer_disarm(&timers[i]);
	for (size_t i = 0; i < 1000; i += 2)
		loop_timer_arm(&timers[i], (int64_t)(i * 104729 % 40));
	for (size_t i = 0; i < 1000; i++)
		armed += loop_timer_armed(&timers[i]);
	while (fired < armed)
		loop_turn(loop, -1);
	for (size_t i = 0; i < 1000; i++)
		assert_false(loop_timer_armed(&timers[i]));
}

static void on_rearm(struct loop_timer *timer, void *arg)
{
	++*(int *)arg;
	loop_timer_arm(timer, 0);
}

static void test_timer_that_rearms_itself_leaves_turns(void **state)
{
	struct loop_timer timer;
	int count = 0;

	(void)state;
	loop_timer_init(&timer, loop, on_rearm, &count);
	loop_timer_arm(&timer, 0);
	for (int i = 0; i < 5; i++)
		loop_turn(loop, -1);
	assert_int_equal(count, 5);
	loop_timer_disarm(&timer);
}

static void test_turn_ends_at_its_timeout(void **state)
{
	int64_t start = time_mono_ms();

	(void)state;
	loop_turn(loop, 20);
	assert_true(time_mono_ms() - start >= 19);
	loop_turn(loop, 0);
}

/* --- descriptors --- */

static struct loop_io *sources[3];
static int calls;

static void on_free_all(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	(void)io;
	(void)fd;
	(void)arg;
	assert_true(events & EPOLLIN);
	calls++;
	for (int i = 0; i < 3; i++) {
		loop_io_free(sources[i]);
		sources[i] = NULL;
	}
}

static void test_sources_freed_within_a_batch_are_silent(void **state)
{
	int pipes[3][2];

	(void)state;
	calls = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
		sources[i] = loop_io_new(loop, pipes[i][0], EPOLLIN, on_free_all, NULL, NULL);
		assert_non_null(sources[i]);
	}
	loop_turn(loop, -1);
	loop_turn(loop, 0);
	assert_int_equal(calls, 1);
	for (int i = 0; i < 3; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void note_events(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	(void)io;
	(void)fd;
	*(uint32_t *)arg |= events;
}

static void test_events_can_be_changed(void **state)
{
	uint32_t seen = 0;
	struct loop_io *io;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	io = loop_io_new(loop, ends[1], 0, note_events, &seen, NULL);
	loop_turn(loop, 0);
	assert_int_equal(seen, 0);
	loop_io_set(io, EPOLLOUT);
	loop_turn(loop, 0);
	assert_int_equal(seen, EPOLLOUT);
	close(ends[0]);
	loop_io_set(io, 0);
	loop_turn(loop, 0);
	assert_true(seen & EPOLLERR);
	loop_io_free(io);
	close(ends[1]);
}

static void test_bad_descriptor(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_null(loop_io_new(loop, 9999, EPOLLIN, note_events, NULL, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	loop_io_free(NULL);
}

/* --- tasks --- */

static struct loop_task first_task, second_task, third_task;

static void on_task(struct loop_task *task, void *arg)
{
	buf_str(&trace, arg);
	if (task == &first_task)
		loop_unpost(loop, &third_task);
}

static void test_tasks_run_once_in_order(void **state)
{
	(void)state;
	buf_reset(&trace);
	first_task = (struct loop_task){ .fn = on_task, .arg = "1" };
	second_task = (struct loop_task){ .fn = on_task, .arg = "2" };
	third_task = (struct loop_task){ .fn = on_task, .arg = "3" };
	loop_post(loop, &first_task);
	loop_post(loop, &second_task);
	loop_post(loop, &third_task);
	loop_post(loop, &first_task);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "12");
	loop_post(loop, &third_task);
	loop_unpost(loop, &second_task); /* not posted: nothing */
	loop_post(loop, &first_task);
	loop_unpost(loop, &first_task);
	loop_turn(loop, 0);
	assert_string_equal(trace.data, "123");
	buf_close(&trace);
}

static void on_endless(struct loop_task *task, void *arg)
{
	if (++*(int *)arg < 1000000)
		loop_post(loop, task);
}

static void test_task_that_posts_itself_does_not_starve(void **state)
{
	int count = 0;
	struct loop_task task = { .fn = on_endless, .arg = &count };
	struct loop_timer end;

	(void)state;
	loop_timer_init(&end, loop, on_timer, "end");
	loop_timer_arm(&end, 5);
	loop_post(loop, &task);
	loop_run(loop);
	assert_true(count > 1 && count < 1000000);
	loop_unpost(loop, &task);
	buf_close(&trace);
}

static void on_stop_with_task(struct loop_timer *timer, void *arg)
{
	(void)timer;
	loop_post(loop, arg);
	loop_stop(loop);
}

static void test_what_is_posted_before_the_stop_still_runs(void **state)
{
	struct loop_task task = { .fn = on_task, .arg = "last" };
	struct loop_timer timer;

	(void)state;
	loop_timer_init(&timer, loop, on_stop_with_task, &task);
	loop_timer_arm(&timer, 0);
	loop_run(loop);
	assert_string_equal(trace.data, "last");
	buf_close(&trace);
	loop_stop(loop);
	loop_run(loop); /* a stop before the run ends it at once */
}

/* --- signals, processes, threads --- */

static void on_signal(int signo, void *arg)
{
	*(int *)arg = signo;
	loop_stop(loop);
}

static void test_signal(void **state)
{
	int user_1 = 0, user_2 = 0;

	(void)state;
	assert_int_equal(loop_signal(loop, SIGUSR1, on_signal, &user_1, NULL), 0);
	assert_int_equal(loop_signal(loop, SIGUSR2, on_signal, &user_2, NULL), 0);
	kill(getpid(), SIGUSR2);
	loop_run(loop);
	assert_int_equal(user_1, 0);
	assert_int_equal(user_2, SIGUSR2);
}

static void on_child(pid_t pid, int status, void *arg)
{
	assert_true(pid > 0);
	*(int *)arg = status;
	loop_stop(loop);
}

static void test_child(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(7);
	assert_non_null(loop_child_new(loop, pid, on_child, &status, NULL));
	loop_run(loop);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* it is reaped */
}

static void test_forgotten_child(void **state)
{
	int status = -1, ends[2];
	struct loop_child *child;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		close(ends[1]);
		_exit(read(ends[0], &c, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	child = loop_child_new(loop, pid, on_child, &status, NULL);
	loop_child_free(child);
	close(ends[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	loop_turn(loop, 0);
	assert_int_equal(status, -1);
	assert_null(loop_child_new(loop, pid, on_child, &status, NULL)); /* no longer there */
}

static void on_end(void *arg)
{
	++*(int *)arg;
	loop_stop(loop);
}

static void test_pidfd_tells_once(void **state)
{
	int ended = 0, fd;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_non_null(loop_pidfd_new(loop, fd, on_end, &ended, NULL));
	loop_run(loop);
	loop_turn(loop, 0);
	assert_int_equal(ended, 1);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void *send_many(void *wake)
{
	for (int i = 0; i < 10000; i++)
		loop_wake_send(wake);
	return NULL;
}

static void count_wake(void *arg)
{
	++*(int *)arg;
}

static void test_wake_from_a_thread(void **state)
{
	int woken = 0;
	struct loop_wake *wake = loop_wake_new(loop, count_wake, &woken, NULL);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, send_many, wake), 0);
	while (woken == 0)
		loop_turn(loop, -1);
	pthread_join(thread, NULL);
	/* Sends that came after the last handling are not lost, and many become one. */
	loop_turn(loop, 0);
	woken = 0;
	loop_turn(loop, 0);
	assert_int_equal(woken, 0);
	loop_wake_send(wake);
	loop_wake_send(wake);
	loop_turn(loop, -1);
	loop_turn(loop, 0);
	assert_int_equal(woken, 1);
	loop_wake_free(wake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_timers_run_in_order),
		TEST(test_a_heap_of_timers),
		TEST(test_timer_that_rearms_itself_leaves_turns),
		TEST(test_turn_ends_at_its_timeout),
		TEST(test_sources_freed_within_a_batch_are_silent),
		TEST(test_events_can_be_changed),
		TEST(test_bad_descriptor),
		TEST(test_tasks_run_once_in_order),
		TEST(test_task_that_posts_itself_does_not_starve),
		TEST(test_what_is_posted_before_the_stop_still_runs),
		TEST(test_signal),
		TEST(test_child),
		TEST(test_forgotten_child),
		TEST(test_pidfd_tells_once),
		TEST(test_wake_from_a_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
