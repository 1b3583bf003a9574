#include "nodeagent/shim/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET "attach"

static struct {
	int listener, input;
	bool tty;
	int clients[ATTACH_CLIENTS];
	time_t full_since; /* someone does not read; 0: nobody */
	size_t at, len;    /* of the packet: input that the container has not taken */
	char packet[1 + ATTACH_INPUT_MAX];
} attach = { .listener = -1, .input = -1 };

int attach_open(int input, bool tty)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	for (size_t i = 0; i < ATTACH_CLIENTS; i++)
		attach.clients[i] = -1;
	attach.input = input;
	attach.tty = tty;
	attach.listener = fd;
	unlink(SOCKET);
	if (input >= 0 && fcntl(input, F_SETFL, O_NONBLOCK))
		return -1;
	return fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(SOCKET, 0600) ||
		       listen(fd, ATTACH_CLIENTS)
		   ? -1
		   : 0;
}

static void drop(int *client)
{
	close(*client);
	*client = -1;
}

void attach_watch(struct pollfd *fds)
{
	short events = (short)((attach.len ? 0 : POLLIN) | (attach.full_since ? POLLOUT : 0));

	/* A hang-up is told whether one asks for it or not: who is not asked for anything is left out. */
	for (size_t i = 0; i < ATTACH_CLIENTS; i++)
		fds[i] = (struct pollfd){ .fd = events ? attach.clients[i] : -1, .events = events };
	fds[ATTACH_CLIENTS] = (struct pollfd){ .fd = attach.len ? attach.input : -1, .events = POLLOUT };
	fds[ATTACH_CLIENTS + 1] = (struct pollfd){ .fd = attach.listener, .events = POLLIN };
}

/* --- input --- */

/* The container's reader may be gone: nobody will take it. */
static void write_input(void)
{
	while (attach.len > 0) {
		ssize_t n = write(attach.input, attach.packet + attach.at, attach.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		attach.at += n > 0 ? (size_t)n : 0;
		attach.len = n > 0 ? attach.len - (size_t)n : 0;
	}
}

static void end_input(void)
{
	if (attach.tty || attach.input < 0)
		return;
	close(attach.input);
	attach.input = -1;
}

void attach_input_gone(int fd)
{
	if (attach.input != fd)
		return;
	attach.input = -1;
	attach.len = 0;
}

static void resize(const char *sizes)
{
	uint16_t size[2];

	memcpy(size, sizes, sizeof(size));
	struct winsize window = { .ws_row = size[0], .ws_col = size[1] };
	if (attach.tty && attach.input >= 0)
		ioctl(attach.input, TIOCSWINSZ, &window);
}

static void take_packet(int *client)
{
	ssize_t n = read(*client, attach.packet, sizeof(attach.packet));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(client);
	} else if (attach.packet[0] == 'i' && attach.input >= 0) {
		attach.at = 1;
		attach.len = (size_t)n - 1;
		write_input();
	} else if (attach.packet[0] == 'e') {
		end_input();
	} else if (attach.packet[0] == 'w' && n == 1 + 2 * (ssize_t)sizeof(uint16_t)) {
		resize(attach.packet + 1);
	}
}

/* Beyond the limit a connection is closed at once. */
static void take_client(void)
{
	// cppcheck-suppress nullPointer // accept4 takes NULL from who does not want the address
	int fd = accept4(attach.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; i < ATTACH_CLIENTS; i++) {
		if (attach.clients[i] < 0) {
			attach.clients[i] = fd;
			return;
		}
	}
	close(fd);
}

void attach_serve(const struct pollfd *fds)
{
	if (fds[ATTACH_CLIENTS].revents)
		write_input();
	/* One packet at a time: with more waiting, its place is taken. */
	for (size_t i = 0; i < ATTACH_CLIENTS && attach.len == 0; i++)
		if (attach.clients[i] >= 0 && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			take_packet(&attach.clients[i]);
	if (fds[ATTACH_CLIENTS + 1].revents)
		take_client();
}

/* --- output --- */

static bool can_take(int client, int wait_ms)
{
	struct pollfd fd = { .fd = client, .events = POLLOUT };

	return poll(&fd, 1, wait_ms) > 0;
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + 1;
}

bool attach_any(void)
{
	for (size_t i = 0; i < ATTACH_CLIENTS; i++)
		if (attach.clients[i] >= 0)
			return true;
	return false;
}

bool attach_has_room(void)
{
	int *slow = NULL;

	for (size_t i = 0; i < ATTACH_CLIENTS; i++)
		if (attach.clients[i] >= 0 && !can_take(attach.clients[i], 0))
			slow = &attach.clients[i];
	if (!slow) {
		attach.full_since = 0;
	} else if (!attach.full_since) {
		attach.full_since = now();
	} else if (now() - attach.full_since > ATTACH_PATIENCE_S) {
		drop(slow);
		attach.full_since = 0;
	}
	return !slow;
}

/* There was room; what does not fit nevertheless, at the container's end, waits a little. */
void attach_send(unsigned stream, const char *data, size_t len)
{
	char kind = (char)('0' + stream);
	const struct iovec parts[] = { { &kind, 1 }, { (void *)(uintptr_t)data, len } };

	for (size_t i = 0; i < ATTACH_CLIENTS; i++) {
		int *client = &attach.clients[i];
		if (*client < 0)
			continue;
		ssize_t n = writev(*client, parts, 2);
		if (n < 0 && errno == EAGAIN && can_take(*client, 1000))
			n = writev(*client, parts, 2);
		if (n < 0)
			drop(client);
	}
}
