#include "nodeagent/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "nodeagent/container.h"

#define MAX_MESSAGE 4096
#define MAX_CONFIG  ((size_t)16 << 20)

struct exec_process {
	LIST_ENTRY(exec_process) link;
	struct loop *loop;
	const struct exec_process_user *user; /* NULL: abandoned */
	void *arg;
	struct spawn *run;
	struct loop_io *word;
	char *pid_file, *console_path, *spec_path; /* the latter for a terminal only, else NULL */
	bool tty, started;
	int word_fd, console;
	struct exec_process_streams ours, theirs;
};

static void close_fd(int *fd)
{
	mem_closep(fd);
	*fd = -1;
}

static void close_streams(struct exec_process_streams *s)
{
	close_fd(&s->in);
	close_fd(&s->out);
	close_fd(&s->err);
}

static void process_free(struct exec_process *p)
{
	LIST_REMOVE(p, link);
	loop_io_free(p->word);
	mem_closep(&p->word_fd);
	mem_closep(&p->console);
	close_streams(&p->ours);
	close_streams(&p->theirs);
	if (p->pid_file)
		unlink(p->pid_file);
	if (p->console_path)
		unlink(p->console_path);
	if (p->spec_path)
		unlink(p->spec_path);
	free(p->pid_file);
	free(p->console_path);
	free(p->spec_path);
	free(p);
}

/* --- its streams --- */

/* READS: whether ours is the end that reads. */
static int make_pipe(int *ours, int *theirs, bool reads, struct err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set_errno(err, errno, "pipe");
	*ours = fd[reads ? 0 : 1];
	*theirs = fd[reads ? 1 : 0];
	return 0;
}

/* The folder's path may be longer than a socket's may be. */
static int open_console(struct exec_process *p, const char *dir, const char *name, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(mem_closep) int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	p->console = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (folder < 0 || p->console < 0)
		return err_set_errno(err, errno, "console socket in %s", dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, name);
	if (bind(p->console, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(p->console, 1) < 0)
		return err_set_errno(err, errno, "console socket in %s", dir);
	p->console_path = mem_printf("%s/%s", dir, name);
	return 0;
}

/* The runtime has ended well, so the terminal's message waits in the socket. */
static int receive_terminal(int listener)
{
	// cppcheck-suppress nullPointer // accept4 takes NULL from who does not want the address
	CLEANUP(mem_closep) int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char name[256];
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { name, sizeof(name) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.buf,
				  .msg_controllen = sizeof(control.buf) };
	int fd = -1;

	if (connection < 0 || recvmsg(connection, &message, MSG_CMSG_CLOEXEC) < 0)
		return -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The container's own process (environment, user, rights) with this program and a terminal of that size: only
 * so does the terminal have its size before the program asks. */
static struct json_object *terminal_process(struct json_object *config, const struct exec_process_opts *opts)
{
	struct json_object *process = json_object_get(json_get(config, "process"));
	struct json_object *args = json_object_new_array(), *env = json_ensure_array(process, "env");

	for (const char *const *arg = opts->argv; *arg; arg++)
		json_object_array_add(args, json_object_new_string(*arg));
	json_object_array_add(env, json_object_new_string("TERM=xterm"));
	json_object_object_add(process, "args", args);
	json_set_bool(process, "terminal", true);
	if (opts->size.ws_col && opts->size.ws_row) {
		struct json_object *size = json_object_new_object();
		json_object_object_add(size, "width", json_object_new_int(opts->size.ws_col));
		json_object_object_add(size, "height", json_object_new_int(opts->size.ws_row));
		json_object_object_add(process, "consoleSize", size);
	}
	return process;
}

static int write_spec(struct exec_process *p, const struct container *c, const struct exec_process_opts *opts,
		      unsigned number, struct err *err)
{
	CLEANUP(mem_freep) char *config_path = mem_printf("%s/config.json", c->dir);
	CLEANUP(json_putp) struct json_object *config = NULL, *process = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	char name[32];

	if (buf_read_file(&text, config_path, MAX_CONFIG, err) < 0 ||
	    json_parse(text.data, text.len, &config, NULL, err) < 0 || !json_get(config, "process"))
		return err_wrap(err, "%s", config_path);
	process = terminal_process(config, opts);
	buf_reset(&text);
	json_write(&text, process);
	snprintf(name, sizeof(name), "exec-%u.json", number);
	p->spec_path = mem_printf("%s/%s", c->dir, name);
	return container_record_write_file(c->dir, name, text.data, text.len, err);
}

static int open_streams(struct exec_process *p, const struct container *c,
			const struct exec_process_opts *opts, unsigned number, struct err *err)
{
	char name[32];

	snprintf(name, sizeof(name), "exec-%u.sock", number);
	/* The runtime's words come over stderr, also where the program has a terminal. */
	if (make_pipe(&p->ours.err, &p->theirs.err, true, err) < 0)
		return -1;
	if (opts->tty) {
		p->theirs.out = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (write_spec(p, c, opts, number, err) < 0)
			return -1;
		return open_console(p, c->dir, name, err);
	}
	if (opts->has_stdin && make_pipe(&p->ours.in, &p->theirs.in, false, err) < 0)
		return -1;
	return make_pipe(&p->ours.out, &p->theirs.out, true, err);
}

/* --- how it goes --- */

static void tell_failure(struct exec_process *p, int wait_status)
{
	char text[MAX_MESSAGE];
	struct err err = ERR_INIT;
	int flags = fcntl(p->ours.err, F_GETFL);

	/* Whoever holds the other end: nobody is waited for. */
	fcntl(p->ours.err, F_SETFL, flags | O_NONBLOCK);
	ssize_t n = read(p->ours.err, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	container_runtime_error(text, wait_status, "OCI runtime exec failed", &err);
	if (p->user)
		p->user->failed(&err, p->arg);
}

static void start_now(struct exec_process *p)
{
	p->started = true;
	loop_io_free(TAKE(p->word));
	if (p->tty) {
		p->ours.out = receive_terminal(p->console);
		close_fd(&p->ours.err);
	}
	struct exec_process_streams streams = p->ours;
	p->ours = (struct exec_process_streams){ -1, -1, -1 };
	if (p->user)
		p->user->started(&streams, p->arg);
	else
		close_streams(&streams);
}

/* The word, if it is there. */
static void take_word(struct exec_process *p)
{
	char word[2];

	if (p->started)
		return;
	if (read(p->word_fd, word, sizeof(word)) == sizeof(word))
		start_now(p);
	else
		loop_io_free(TAKE(p->word)); /* it ends, and that is told */
}

static void on_word(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	(void)io;
	(void)fd;
	(void)events;
	take_word(arg);
}

static void on_done(struct spawn_result *result, void *arg)
{
	struct exec_process *p = arg;

	p->run = NULL;
	take_word(p);
	if (!p->started)
		tell_failure(p, result->status);
	else if (p->user)
		p->user->ended(WIFSIGNALED(result->status) ? 128 + WTERMSIG(result->status)
							   : WEXITSTATUS(result->status),
			       p->arg);
	process_free(p);
}

/* --- its start --- */

static char **make_argv(const struct exec_process *p, const struct container *c,
			const struct exec_process_opts *opts, const char *word_fd)
{
	const char *const head[] = {
		c->runtime->shim,    "exec",     p->pid_file,           word_fd, "--",
		c->runtime->program, "--root",   c->runtime->state_dir, "exec",  "--detach",
		"--pid-file",        p->pid_file
	};
	size_t n_args = 0, n = 0;

	while (opts->argv[n_args])
		n_args++;
	const char **argv = mem_zalloc((ARRAY_SIZE(head) + n_args + 8) * sizeof(*argv));
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		argv[n++] = head[i];
	if (opts->tty) {
		argv[n++] = "--console-socket";
		argv[n++] = strrchr(p->console_path, '/') + 1;
		argv[n++] = "--process";
		argv[n++] = p->spec_path;
		argv[n++] = c->record.id;
		return (char **)(uintptr_t)argv;
	}
	argv[n++] = "--tty=false"; /* else as the container has it */
	argv[n++] = c->record.id;
	for (size_t i = 0; i < n_args; i++)
		argv[n++] = opts->argv[i];
	return (char **)(uintptr_t)argv;
}

static int run(struct exec_process *p, const struct container *c, const struct exec_process_opts *opts,
	       struct err *err)
{
	int word[2];
	char number[16];

	if (pipe2(word, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set_errno(err, errno, "pipe");
	p->word_fd = word[0];
	CLEANUP(mem_closep) int theirs = word[1];
	snprintf(number, sizeof(number), "%d", theirs);
	CLEANUP(mem_freep) char **argv = make_argv(p, c, opts, number);
	const struct spawn_opts spawn = { .argv = (const char *const *)argv,
					  .cwd = c->dir,
					  .stdin_fd = p->theirs.in,
					  .stdout_fd = p->theirs.out,
					  .stderr_fd = p->theirs.err,
					  .keep_fds = &theirs,
					  .n_keep_fds = 1 };
	p->word = loop_io_new(p->loop, p->word_fd, EPOLLIN, on_word, p, err);
	if (p->word)
		p->run = spawn_start(p->loop, &spawn, on_done, p, err);
	return p->run ? 0 : -1;
}

struct exec_process *exec_process_start(struct exec_processes *all, struct container *c,
					const struct exec_process_opts *opts,
					const struct exec_process_user *user, void *arg, struct err *err)
{
	struct exec_process *p = mem_zalloc(sizeof(*p));
	unsigned number = c->n_execs++;

	LIST_INSERT_HEAD(all, p, link);
	p->loop = c->runtime->loop;
	p->user = user;
	p->arg = arg;
	p->tty = opts->tty;
	p->word_fd = p->console = -1;
	p->ours = p->theirs = (struct exec_process_streams){ -1, -1, -1 };
	p->pid_file = mem_printf("%s/exec-%u.pid", c->dir, number);
	if (open_streams(p, c, opts, number, err) < 0 || run(p, c, opts, err) < 0) {
		process_free(p);
		return NULL;
	}
	close_streams(&p->theirs);
	return p;
}

void exec_process_abandon(struct exec_process *p)
{
	if (p)
		p->user = NULL;
}

void exec_processes_close(struct exec_processes *all)
{
	while (!LIST_EMPTY(all)) {
		struct exec_process *p = LIST_FIRST(all);
		spawn_cancel(p->run);
		process_free(p);
	}
}
