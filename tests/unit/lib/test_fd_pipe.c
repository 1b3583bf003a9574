#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/byte_pump.h"
#include "lib/fd_pipe.h"
#include "tests/support/test_server.h"

struct user {
	struct byte_pipe *pipe;
	struct buf in;
	unsigned drained;
	bool ended;
};

static void on_received(void *data, size_t len, void *arg)
{
	struct user *u = arg;

	assert_false(u->ended);
	buf_add(&u->in, data, len);
}

static void on_drained(void *arg)
{
	((struct user *)arg)->drained++;
}

static void on_ended(const struct err *err, void *arg)
{
	struct user *u = arg;

	assert_null(err);
	u->ended = true;
}

static const struct byte_pipe_user callbacks = { on_received, on_drained, on_ended };

static struct loop *loop;

static int setup(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	return loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void open_pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

static void user_open(struct user *u, int in, int out)
{
	struct err err = ERR_INIT;

	u->pipe = fd_pipe_new(loop, in, out, &callbacks, u, &err);
	assert_non_null(u->pipe);
}

static void user_close(struct user *u)
{
	byte_pipe_close(u->pipe);
	buf_close(&u->in);
}

static void bytes_and_ends(void **state)
{
	struct user a = { 0 }, b = { 0 };
	int fd[2];

	(void)state;
	open_pair(fd);
	user_open(&a, fd[0], fd[0]);
	user_open(&b, fd[1], fd[1]);
	byte_pipe_write(a.pipe, "hello", 5);
	LOOP_UNTIL(loop, b.in.len == 5);
	byte_pipe_finish(a.pipe);
	LOOP_UNTIL(loop, b.ended);
	/* The other direction is open. */
	byte_pipe_write(b.pipe, "bye", 3);
	LOOP_UNTIL(loop, a.in.len == 3);
	assert_false(a.ended);
	user_close(&b);
	LOOP_UNTIL(loop, a.ended);
	user_close(&a);
}

/* What the kernel does not take is kept, and told when it has gone. */
static void back_pressure(void **state)
{
	struct user a = { 0 }, b = { 0 };
	CLEANUP(mem_freep) char *much = mem_zalloc(3000000);
	int fd[2];

	(void)state;
	open_pair(fd);
	user_open(&a, fd[0], fd[0]);
	user_open(&b, fd[1], fd[1]);
	byte_pipe_set_reading(b.pipe, false);
	byte_pipe_write(a.pipe, much, 3000000);
	loop_turn(loop, 0);
	assert_true(byte_pipe_unsent(a.pipe) > BYTE_PIPE_HIGH);
	assert_int_equal(b.in.len, 0);
	byte_pipe_set_reading(b.pipe, true);
	LOOP_UNTIL(loop, b.in.len == 3000000);
	assert_int_equal(a.drained, 1);
	assert_int_equal(byte_pipe_unsent(a.pipe), 0);
	user_close(&a);
	user_close(&b);
}

/* Closing does not lose what was written; a reader that is gone takes nothing, and nobody is told. */
static void closing(void **state)
{
	struct user a = { 0 }, b = { 0 };
	CLEANUP(mem_freep) char *much = mem_zalloc(3000000);
	int fd[2];

	(void)state;
	open_pair(fd);
	user_open(&a, fd[0], fd[0]);
	user_open(&b, fd[1], fd[1]);
	byte_pipe_write(a.pipe, much, 3000000);
	user_close(&a);
	LOOP_UNTIL(loop, b.ended);
	assert_int_equal(b.in.len, 3000000);
	byte_pipe_write(b.pipe, "nobody", 6);
	byte_pipe_write(b.pipe, "nobody", 6);
	assert_int_equal(byte_pipe_unsent(b.pipe), 0);
	user_close(&b);
}

/* Whoever closed it may be gone: it is told nothing while the rest leaves, wherever the borders of its pieces
 * lie. */
static void closed_is_silent(void **state)
{
	CLEANUP(mem_freep) char *much = mem_zalloc(1000000);

	(void)state;
	for (size_t len = 300000; len < 1000000; len += 17000) {
		struct user a = { 0 }, b = { 0 };
		int fd[2];
		open_pair(fd);
		user_open(&a, fd[0], fd[0]);
		user_open(&b, fd[1], fd[1]);
		byte_pipe_write(a.pipe, much, len);
		user_close(&a);
		LOOP_UNTIL(loop, b.ended);
		assert_int_equal(b.in.len, len);
		assert_int_equal(a.drained, 0);
		user_close(&b);
	}
}

static void files_are_read_as_well(void **state)
{
	struct user u = { 0 };
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 10000; i++)
		fprintf(file, "line %d\n", i);
	fflush(file);
	int fd = dup(fileno(file));
	lseek(fd, 0, SEEK_SET);
	user_open(&u, fd, -1);
	LOOP_UNTIL(loop, u.ended);
	assert_int_equal(u.in.len, ftell(file));
	fclose(file);
	user_close(&u);
}

/* Somebody else holds the other end open: what is there is all there is. */
static void draining(void **state)
{
	struct user u = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "last words", 10), 10);
	user_open(&u, fd[0], -1);
	byte_pipe_set_reading(u.pipe, false);
	fd_pipe_drain(u.pipe);
	assert_int_equal(u.in.len, 10);
	assert_false(u.ended);
	close(fd[1]);
	fd_pipe_drain(u.pipe);
	assert_true(u.ended);
	user_close(&u);
}

/* Two joined: bytes both ways, one end ends the other, after what was under way. */
static void pumping(void **state)
{
	struct user a = { 0 }, b = { 0 }, near = { 0 }, far = { 0 };
	CLEANUP(mem_freep) char *much = mem_zalloc(3000000);
	int left[2], right[2];

	(void)state;
	open_pair(left);
	open_pair(right);
	user_open(&a, left[0], left[0]);
	user_open(&near, left[1], left[1]);
	user_open(&far, right[0], right[0]);
	user_open(&b, right[1], right[1]);
	byte_pump_start(near.pipe, far.pipe);
	byte_pipe_set_reading(b.pipe, false);
	byte_pipe_write(a.pipe, much, 3000000);
	for (int i = 0; i < 50; i++)
		loop_turn(loop, 0);
	/* Who does not read stops who writes: what lies between is bounded. */
	assert_true(byte_pipe_unsent(a.pipe) > 1000000);
	byte_pipe_set_reading(b.pipe, true);
	byte_pipe_write(b.pipe, "back", 4);
	LOOP_UNTIL(loop, a.in.len == 4 && byte_pipe_unsent(a.pipe) == 0);
	user_close(&a);
	LOOP_UNTIL(loop, b.ended);
	assert_int_equal(b.in.len, 3000000);
	user_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_ends),
		cmocka_unit_test(back_pressure),
		cmocka_unit_test(closing),
		cmocka_unit_test(closed_is_silent),
		cmocka_unit_test(files_are_read_as_well),
		cmocka_unit_test(draining),
		cmocka_unit_test(pumping),
	};

	signal(SIGPIPE, SIG_IGN); /* as all programs with a loop do */
	return cmocka_run_group_tests(tests, setup, teardown);
}
