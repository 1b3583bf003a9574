#include "kubectl-lite/remote_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kubectl-lite/raw_terminal.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/upgrade.h"
#include "lib/fd_pipe.h"
#include "lib/json.h"
#include "lib/websocket_session.h"

#define PROTOCOLS  "v5.channel.k8s.io, v4.channel.k8s.io"
#define MAX_STATUS ((size_t)1 << 20)

/* The channels of the protocol: a message's first byte. */
enum { STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 255, NONE = -1 };

struct remote {
	const struct remote_command *command;
	struct loop *loop;
	struct websocket_session *session;
	struct byte_pipe *in;
	bool says_end; /* version 5 */
	int channel;   /* of the message that is under way */
	struct buf status;
	struct err err;
	bool done;
};

static void finish(struct remote *r)
{
	r->done = true;
	loop_stop(r->loop);
}

static void send(struct remote *r, unsigned char channel, const void *data, size_t len)
{
	const struct iovec parts[] = { { .iov_base = &channel, .iov_len = 1 },
				       { .iov_base = (void *)(uintptr_t)data, .iov_len = len } };

	websocket_session_send(r->session, WEBSOCKET_BINARY, parts, 2);
}

static void send_size(int signo, void *arg)
{
	struct remote *r = arg;
	struct winsize size;
	char text[64];

	(void)signo;
	if (ioctl(r->command->in, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		return;
	int n = snprintf(text, sizeof(text), "{\"Width\":%u,\"Height\":%u}\n", size.ws_col, size.ws_row);
	send(r, RESIZE, text, (size_t)n);
}

/* --- our input --- */

static void on_input(void *data, size_t len, void *arg)
{
	struct remote *r = arg;

	send(r, STDIN, data, len);
	if (websocket_session_unsent(r->session) >= BYTE_PIPE_HIGH)
		byte_pipe_set_reading(r->in, false);
}

static void on_input_ended(const struct err *err, void *arg)
{
	struct remote *r = arg;
	const unsigned char which = STDIN;

	(void)err;
	if (r->says_end)
		send(r, CLOSE, &which, 1);
}

static const struct byte_pipe_user in_user = { on_input, NULL, on_input_ended };

/* --- its output --- */

/* Whoever reads us may be slow: then all waits. */
static bool write_all(int fd, const unsigned char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };
			poll(&wait, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return false;
		}
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct remote *r = arg;
	const unsigned char *data = piece->data;
	size_t len = piece->len;

	if (piece->first)
		r->channel = NONE;
	if (r->channel == NONE && len > 0) {
		r->channel = *data++;
		len--;
	}
	int fd = r->channel == STDOUT ? r->command->out : r->channel == STDERR ? r->command->err : -1;
	if (fd >= 0 && !write_all(fd, data, len)) {
		err_set_errno(&r->err, errno, "write");
		finish(r);
	} else if (r->channel == ERROR) {
		buf_add(&r->status, data, len);
	}
}

static void on_drained(void *arg)
{
	struct remote *r = arg;

	if (r->in)
		byte_pipe_set_reading(r->in, true);
}

static void on_ended(const struct err *err, void *arg)
{
	struct remote *r = arg;

	if (err)
		r->err = *err;
	finish(r);
}

static const struct websocket_session_user session_user = { on_piece, on_drained, on_ended };

/* --- the end --- */

/* The last word is a Status whose cause is the exit code. */
static int read_status(const struct buf *text, int *ret_code, struct err *err)
{
	CLEANUP(json_putp) struct json_object *status = NULL;

	if (json_parse(text->data, text->len, &status, NULL, err) < 0)
		return err_wrap(err, "the command's status");
	*ret_code = 0;
	if (strcmp(json_str_or_empty(status, "status"), "Success") == 0)
		return 0;
	const struct json_object *causes = json_path(status, "details", "causes", NULL);
	for (size_t i = 0; i < json_len(causes); i++)
		if (strcmp(json_str_or_empty(json_at(causes, i), "reason"), "ExitCode") == 0)
			*ret_code = atoi(json_str_or_empty(json_at(causes, i), "message"));
	if (*ret_code > 0)
		return 0;
	return err_set(err, ERR_PARSE, "%s", json_str_or_empty(status, "message"));
}

static int converse(struct remote *r, struct err *err)
{
	const struct remote_command *c = r->command;
	int in = c->in >= 0 ? fcntl(c->in, F_DUPFD_CLOEXEC, 0) : -1;

	if (c->tty &&
	    (raw_terminal_begin(c->in, err) < 0 || loop_signal(r->loop, SIGWINCH, send_size, r, err) < 0))
		return -1;
	if (c->tty)
		send_size(0, r);
	if (in >= 0 && !(r->in = fd_pipe_new(r->loop, in, -1, &in_user, r, err)))
		return -1;
	while (!r->done)
		loop_run(r->loop);
	return 0;
}

int remote_command_run(const struct remote_command *command, int *ret_code, struct err *err)
{
	CLEANUP(mem_freep) char *protocol = NULL;
	struct remote r = { .command = command,
			    .loop = session_open()->loop,
			    .channel = NONE,
			    .status = BUF_INIT_MAX(MAX_STATUS) };
	struct byte_pipe *pipe = upgrade_open(command->path, PROTOCOLS, &protocol, err);

	if (!pipe)
		return -1;
	r.says_end = strncmp(protocol, "v5.", 3) == 0;
	r.session = websocket_session_new(pipe, false, 0, &session_user, &r);
	websocket_session_set_reading(r.session, true);
	int rc = converse(&r, err);
	if (command->tty)
		raw_terminal_end();
	byte_pipe_close(r.in);
	websocket_session_free(r.session);
	if (rc == 0 && r.status.len > 0) {
		rc = read_status(&r.status, ret_code, err);
	} else if (rc == 0) {
		if (!r.err.kind)
			err_set(&r.err, ERR_CONNECTION, "the connection ended before the command did");
		*err = r.err;
		rc = -1;
	}
	buf_close(&r.status);
	return rc;
}
