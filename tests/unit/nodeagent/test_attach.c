/* The shim's side of being attached: clients on its socket, a container that does not read. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "nodeagent/shim/attach.h"

static char folder[] = "/tmp/knarr-attach.XXXXXX";
static int input[2]; /* of the container */

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return unlink("attach") | chdir("/") | rmdir(folder);
}

/* What the shim does when poll(2) has something to tell within WAIT_MS; false: it has not. */
static bool turn(int wait_ms)
{
	struct pollfd fds[ATTACH_POLLS];

	attach_watch(fds);
	if (poll(fds, ATTACH_POLLS, wait_ms) <= 0)
		return false;
	attach_serve(fds);
	return true;
}

static int attach_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "attach" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(turn(60000));
	assert_true(attach_any());
	return fd;
}

static void open_container(void)
{
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(attach_open(input[1], false), 0);
}

static void input_and_output(void **state)
{
	char text[16];

	(void)state;
	open_container();
	int client = attach_client();
	assert_int_equal(send(client, "ihello", 6, 0), 6);
	assert_true(turn(60000));
	assert_int_equal(read(input[0], text, sizeof(text)), 5);
	assert_memory_equal(text, "hello", 5);
	attach_send(2, "oh", 2);
	assert_int_equal(recv(client, text, sizeof(text), 0), 3);
	assert_memory_equal(text, "2oh", 3);
	close(client);
	assert_true(turn(60000));
	assert_false(attach_any());
	attach_input_gone(input[1]);
	close(input[0]);
	close(input[1]);
}

/* A client that leaves while its input waits for the container costs nothing until the container reads. */
static void a_client_leaves_input_behind(void **state)
{
	char packet[1 + ATTACH_INPUT_MAX] = "i", block[65536];
	size_t sent = 0, taken = 0;

	(void)state;
	open_container();
	int client = attach_client();
	do {
		while (send(client, packet, sizeof(packet), 0) > 0)
			sent += ATTACH_INPUT_MAX;
		assert_int_equal(errno, EAGAIN);
	} while (turn(0));
	close(client);
	assert_false(turn(0));
	fcntl(input[0], F_SETFL, O_NONBLOCK);
	while (attach_any()) {
		ssize_t n = read(input[0], block, sizeof(block));
		taken += n > 0 ? (size_t)n : 0;
		assert_true(turn(60000));
	}
	for (ssize_t n; (n = read(input[0], block, sizeof(block))) > 0;)
		taken += (size_t)n;
	assert_int_equal(taken, sent);
	attach_input_gone(input[1]);
	close(input[0]);
	close(input[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_and_output),
		cmocka_unit_test(a_client_leaves_input_behind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
