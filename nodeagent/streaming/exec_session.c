#include "nodeagent/streaming/exec_session.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include "lib/fd_pipe.h"
#include "nodeagent/streaming/command_end.h"

#define SIZE_MS 100 /* that the size of a terminal is waited for */

struct exec_session {
	struct session session;
	struct streaming *streaming;
	struct channels *channels;
	struct channels_wanted wanted;
	char **argv;
	struct exec_target target;
	struct exec_process *process;     /* NULL: not yet, or it has ended */
	struct byte_pipe *in, *out, *err; /* a terminal is IN and OUT */
	bool input_over, said;
	bool ready, starting, sized;
	struct winsize size; /* from before there was a terminal */
	struct buf early;    /* input from before there was a program */
	struct loop_timer timer;
};

static void exec_session_free(struct session *session)
{
	struct exec_session *s = CONTAINER_OF(session, struct exec_session, session);

	LIST_REMOVE(session, link);
	exec_process_abandon(s->process);
	channels_close(s->channels);
	if (s->in != s->out)
		byte_pipe_close(s->in);
	byte_pipe_close(s->out);
	byte_pipe_close(s->err);
	loop_timer_disarm(&s->timer);
	buf_close(&s->early);
	for (char **arg = s->argv; *arg; arg++)
		free(*arg);
	free(s->argv);
	s->target.free(s->target.arg);
	free(s);
}

/* The client has heard it; it is its turn to close. */
static void said(struct exec_session *s)
{
	s->said = true;
	loop_timer_arm(&s->timer, SESSION_CLOSE_MS);
}

/* --- output --- */

static void set_reading_output(struct exec_session *s, bool reading)
{
	if (s->out)
		byte_pipe_set_reading(s->out, reading);
	if (s->err)
		byte_pipe_set_reading(s->err, reading);
}

static void put(struct exec_session *s, enum channel channel, const void *data, size_t len)
{
	channels_write(s->channels, channel, data, len);
	if (channels_room(s->channels) == 0)
		set_reading_output(s, false);
}

static void on_out(void *data, size_t len, void *arg)
{
	put(arg, CHANNEL_STDOUT, data, len);
}

static void on_err(void *data, size_t len, void *arg)
{
	put(arg, CHANNEL_STDERR, data, len);
}

static void on_output_ended(const struct err *err, void *arg)
{
	/* The program's own end is what counts. */
	(void)err;
	(void)arg;
}

static void on_input_drained(void *arg)
{
	struct exec_session *s = arg;

	channels_hold_input(s->channels, byte_pipe_unsent(s->in));
}

static const struct byte_pipe_user in_user = { NULL, on_input_drained, on_output_ended };
static const struct byte_pipe_user out_user = { on_out, on_input_drained, on_output_ended };
static const struct byte_pipe_user err_user = { on_err, NULL, on_output_ended };

/* --- the program --- */

static void resize(struct exec_session *s)
{
	if (s->out && s->wanted.tty && s->sized)
		ioctl(fd_pipe_fd(s->out), TIOCSWINSZ, &s->size);
}

static void end_input(struct exec_session *s)
{
	s->input_over = true;
	if (s->in && !s->wanted.tty)
		byte_pipe_finish(s->in);
}

static void pass_early_input(struct exec_session *s)
{
	if (s->in && s->early.len > 0)
		byte_pipe_write(s->in, s->early.data, s->early.len);
	buf_close(&s->early);
	channels_hold_input(s->channels, s->in ? byte_pipe_unsent(s->in) : 0);
	if (s->input_over)
		end_input(s);
}

static void on_started(const struct exec_process_streams *streams, void *arg)
{
	struct exec_session *s = arg;
	struct loop *loop = s->streaming->loop;
	struct err err = ERR_INIT;

	if (s->wanted.tty && streams->out >= 0) {
		s->in = s->out = fd_pipe_new(loop, streams->out, streams->out, &out_user, s, &err);
	} else if (!s->wanted.tty) {
		if (streams->in >= 0)
			s->in = fd_pipe_new(loop, -1, streams->in, &in_user, s, &err);
		s->out = fd_pipe_new(loop, streams->out, -1, &out_user, s, &err);
		s->err = fd_pipe_new(loop, streams->err, -1, &err_user, s, &err);
	} else {
		err_set(&err, ERR_INTERNAL, "the runtime gave no terminal");
	}
	if (err.kind) {
		command_end_error(s->channels, "executing command in", &err);
		said(s);
		return;
	}
	resize(s);
	pass_early_input(s);
}

static void on_process_ended(int exit_code, void *arg)
{
	struct exec_session *s = arg;

	s->process = NULL;
	if (s->said)
		return;
	if (s->out)
		fd_pipe_drain(s->out);
	if (s->err)
		fd_pipe_drain(s->err);
	if (exit_code == 0)
		command_end_well(s->channels);
	else
		command_end_code(s->channels, (const char *const *)s->argv, exit_code);
	said(s);
}

static void on_process_failed(const struct err *err, void *arg)
{
	struct exec_session *s = arg;

	s->process = NULL;
	command_end_error(s->channels, "executing command in", err);
	said(s);
}

static const struct exec_process_user process_user = { on_started, on_process_ended, on_process_failed };

/* --- the client --- */

static void start(struct exec_session *s)
{
	struct err err = ERR_INIT;
	const struct exec_process_opts opts = { .argv = (const char *const *)s->argv,
						.has_stdin = s->wanted.in,
						.tty = s->wanted.tty,
						.size = s->size };

	s->starting = true;
	loop_timer_disarm(&s->timer);
	struct container *container = s->target.find(s->target.arg, &err);
	if (container)
		s->process =
		    exec_process_start(&s->streaming->processes, container, &opts, &process_user, s, &err);
	if (s->process)
		return;
	command_end_error(s->channels, "executing command in", &err);
	said(s);
}

/* The size of a terminal follows at once: with it the program begins. */
static void on_ready(void *arg)
{
	struct exec_session *s = arg;

	s->ready = true;
	if (!s->wanted.tty || s->sized)
		start(s);
	else
		loop_timer_arm(&s->timer, SIZE_MS);
}

static void on_input(const void *data, size_t len, void *arg)
{
	struct exec_session *s = arg;

	if (s->in) {
		byte_pipe_write(s->in, data, len);
		channels_hold_input(s->channels, byte_pipe_unsent(s->in));
	} else if (!s->out && !s->said) {
		buf_add(&s->early, data, len);
		channels_hold_input(s->channels, s->early.len);
	}
}

static void on_input_ended(void *arg)
{
	end_input(arg);
}

static void on_resized(uint16_t columns, uint16_t rows, void *arg)
{
	struct exec_session *s = arg;

	s->size = (struct winsize){ .ws_col = columns, .ws_row = rows };
	s->sized = true;
	if (s->ready && !s->starting)
		start(s);
	else
		resize(s);
}

static void on_writable(void *arg)
{
	struct exec_session *s = arg;

	if (channels_room(s->channels) > 0)
		set_reading_output(s, true);
}

static void on_gone(void *arg)
{
	struct exec_session *s = arg;

	exec_session_free(&s->session);
}

static const struct channels_user channels_user = { on_ready,   on_input,    on_input_ended,
						    on_resized, on_writable, on_gone };

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct exec_session *s = arg;

	(void)timer;
	if (s->ready && !s->starting)
		start(s);
	else
		on_gone(s);
}

void exec_session_new(struct streaming *streaming, struct channels *channels,
		      const struct channels_wanted *wanted, char **argv, const struct exec_target *target)
{
	struct exec_session *s = mem_zalloc(sizeof(*s));

	s->session.free = exec_session_free;
	LIST_INSERT_HEAD(&streaming->sessions, &s->session, link);
	s->streaming = streaming;
	s->channels = channels;
	s->wanted = *wanted;
	s->argv = argv;
	s->target = *target;
	channels->user = &channels_user;
	channels->arg = s;
	loop_timer_init(&s->timer, streaming->loop, on_timer, s);
	loop_timer_arm(&s->timer, SESSION_OPEN_MS);
}
