#include "launcher/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/encryption_key.h"
#include "launcher/progress.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/spawn.h"
#include "lib/timefmt.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10 * 1000,
	HEALTHY_MS = 10 * 1000,
	STOP_GRACE_MS = 10 * 1000,
	LOG_CHECK_MS = 3600 * 1000,
	LOG_MAX_BYTES = 16 * 1024 * 1024,
	LOG_TAIL_BYTES = 2048,
	MAX_ARGS = 40,
};

enum program_state { STOPPED, STARTING, READY, WAITING };

struct program {
	struct supervisor *supervisor;
	const struct program_row *row;
	enum program_state state;
	bool was_ready;
	struct spawn *run;
	struct loop_io *ready_io;
	int ready_fd;
	int64_t started_ms;
	int64_t backoff_ms;
	off_t log_start;         /* where the log of this run begins */
	struct loop_timer timer; /* restart, or the KILL of a stop */
};

struct supervisor {
	struct loop *loop;
	const struct cluster *cluster;
	char *bin_dir;
	size_t n_programs; /* the agent is the last, and may be left out */
	void (*ready)(void *arg);
	void (*failed)(const struct err *err, void *arg);
	void (*stopped)(void *arg);
	void *arg;
	bool announced;
	bool stopping;
	struct loop_timer log_timer;
	struct program programs[SUPERVISOR_PROGRAMS];
};

/* Arguments of one program, each its own allocation. */
struct args {
	char *list[MAX_ARGS + 1];
	size_t n;
};

static void args_close(struct args *args)
{
	for (size_t i = 0; i < args->n; i++)
		free(args->list[i]);
}

static void add(struct args *args, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct args *args, const char *format, ...)
{
	va_list ap;

	if (args->n == MAX_ARGS)
		abort();
	va_start(ap, format);
	args->list[args->n++] = mem_vprintf(format, ap);
	va_end(ap);
}

static void add_server(struct args *args, const struct cluster *c, const char *certificate,
		       unsigned port_offset)
{
	add(args, "--listen=%s:%u", c->address, c->port + port_offset);
	add(args, "--tls-cert=%s/pki/%s.crt", c->dir, certificate);
	add(args, "--tls-key=%s/pki/%s.key", c->dir, certificate);
	add(args, "--client-ca=%s/pki/ca.crt", c->dir);
}

/* With a policy in the cluster's folder. */
static void add_audit(struct args *args, const struct cluster *c)
{
	CLEANUP(mem_freep) char *policy = cluster_path(c, "auth/audit-policy.yaml");

	if (access(policy, F_OK) < 0)
		return;
	add(args, "--audit-policy-file=%s", policy);
	add(args, "--audit-log-path=%s/log/audit.log", c->dir);
	add(args, "--audit-log-maxbackup=10");
}

static void apiserver_args(struct args *args, const struct cluster *c)
{
	add_server(args, c, "apiserver", 0);
	add(args, "--data-dir=%s/apiserver", c->dir);
	add(args, "--token-file=%s/auth/tokens.csv", c->dir);
	add(args, "--service-account-signing-key-file=%s/pki/sa.key", c->dir);
	add(args, "--service-account-key-file=%s/pki/sa.pub", c->dir);
	CLEANUP(mem_freep) char *encryption = encryption_key_config(c);
	if (encryption)
		add(args, "--encryption-provider-config=%s", encryption);
	add_audit(args, c);
	if (c->service_cidr)
		add(args, "--service-cluster-ip-range=%s", c->service_cidr);
	if (c->node_ports)
		add(args, "--service-node-port-range=%s", c->node_ports);
	add(args, "--kubelet-client-cert=%s/pki/kubelet-client.crt", c->dir);
	add(args, "--kubelet-client-key=%s/pki/kubelet-client.key", c->dir);
	add(args, "--kubelet-ca=%s/pki/ca.crt", c->dir);
}

static void scheduler_args(struct args *args, const struct cluster *c)
{
	add_server(args, c, "scheduler-server", 1);
	add(args, "--kubeconfig=%s/auth/scheduler.kubeconfig", c->dir);
}

static void controller_args(struct args *args, const struct cluster *c)
{
	add_server(args, c, "controller-server", 2);
	add(args, "--kubeconfig=%s/auth/controller.kubeconfig", c->dir);
	add(args, "--cluster-cidr=%s", c->cluster_cidr);
	add(args, "--root-ca-file=%s/pki/ca.crt", c->dir);
}

static void agent_args(struct args *args, const struct cluster *c)
{
	char name[32];

	add_server(args, c, "agent-server", 3);
	add(args, "--kubeconfig=%s/auth/agent.kubeconfig", c->dir);
	add(args, "--data-dir=%s/agent", c->dir);
	add(args, "--node-name=%s", c->node_name);
	add(args, "--node-ip=%s", c->address);
	add(args, "--runtime=%s", c->runtime);
	add(args, "--cluster-cidr=%s", c->cluster_cidr);
	add(args, "--bridge=%s", cluster_bridge(c, name, sizeof(name)));
	add(args, "--cgroup-parent=%s", cluster_cgroup(c, name, sizeof(name)));
}

/* In the order of starting; stopped in the reverse order. */
static const struct program_row {
	const char *name;
	const char *what;
	void (*args)(struct args *args, const struct cluster *cluster);
} program_rows[SUPERVISOR_PROGRAMS] = {
	{ "knarr-apiserver", "the API server", apiserver_args },
	{ "knarr-scheduler", "the scheduler", scheduler_args },
	{ "knarr-controller", "the controllers", controller_args },
	{ "knarr-nodeagent", "the node agent", agent_args },
};

const char *supervisor_program(size_t i)
{
	return program_rows[i].name;
}

static char *log_path(const struct cluster *cluster, const char *name)
{
	return mem_printf("%s/log/%s.log", cluster->dir, name);
}

static char *pid_path(const struct cluster *cluster, const char *name)
{
	return mem_printf("%s/run/%s.pid", cluster->dir, name);
}

/* The pid file is believed only while that process has the program's name: pids are used again. */
int supervisor_program_pid(const struct cluster *cluster, const char *name)
{
	CLEANUP(mem_freep) char *path = pid_path(cluster, name);
	CLEANUP(buf_close) struct buf text = BUF_INIT, comm = BUF_INIT;
	char comm_path[64];

	if (buf_read_file(&text, path, 64, NULL) < 0 || text.len == 0)
		return 0;
	long pid = strtol(text.data, NULL, 10);
	if (pid <= 0)
		return 0;
	snprintf(comm_path, sizeof(comm_path), "/proc/%ld/comm", pid);
	if (buf_read_file(&comm, comm_path, 64, NULL) < 0 || comm.len == 0)
		return 0;
	comm.data[strcspn(comm.data, "\n")] = '\0';
	return strncmp(comm.data, name, 15) == 0 ? (int)pid : 0;
}

/* Keeps one old log. Copied, not renamed: the program writes on into the file it has open (O_APPEND). */
static void log_rotate(const char *path)
{
	CLEANUP(mem_closep) int from = open(path, O_RDWR | O_CLOEXEC);
	CLEANUP(mem_freep) char *old = mem_printf("%s.1", path);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || st.st_size < LOG_MAX_BYTES)
		return;
	CLEANUP(mem_closep) int to = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while (to >= 0 && copy_file_range(from, NULL, to, NULL, LOG_MAX_BYTES, 0) > 0)
		;
	if (ftruncate(from, 0) < 0)
		log_warn("cannot rotate a log", "file", path, "error", strerror(errno), NULL);
}

static void logs_check(struct loop_timer *timer, void *arg)
{
	struct supervisor *s = arg;

	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++) {
		CLEANUP(mem_freep) char *path = log_path(s->cluster, program_rows[i].name);
		log_rotate(path);
	}
	loop_timer_arm(timer, LOG_CHECK_MS);
}

/* The last lines that this run of the program logged. */
static void log_tail(const struct program *p, struct buf *ret)
{
	CLEANUP(mem_freep) char *path = log_path(p->supervisor->cluster, p->row->name);
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[LOG_TAIL_BYTES];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	off_t from = st.st_size - (off_t)sizeof(text);
	ssize_t n = pread(fd, text, sizeof(text), from > p->log_start ? from : p->log_start);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0)
		buf_add(ret, text, (size_t)n);
}

static void program_start(struct program *p);

static bool all_ready(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n_programs; i++)
		if (s->programs[i].state != READY)
			return false;
	return true;
}

static void ready_close(struct program *p)
{
	loop_io_free(TAKE(p->ready_io));
	mem_closep(&p->ready_fd);
	p->ready_fd = -1;
}

static void program_says_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct program *p = arg;
	struct supervisor *s = p->supervisor;
	char text[16];
	ssize_t n = read(fd, text, sizeof(text));

	(void)io;
	(void)events;
	ready_close(p);
	if (n <= 0 || s->stopping)
		return; /* it ended: program_ended says so */
	p->state = READY;
	p->was_ready = true;
	log_info("program ready", "program", p->row->name, "ms",
		 log_num(loop_now_ms(s->loop) - p->started_ms), NULL);
	if (!s->announced && p == &s->programs[0]) {
		progress_done();
		progress_begin("starting the scheduler, the controllers%s",
			       s->n_programs == SUPERVISOR_PROGRAMS ? " and the node agent" : "");
		for (size_t i = 1; i < s->n_programs && !s->stopping; i++)
			if (s->programs[i].state == STOPPED)
				program_start(&s->programs[i]);
	}
	if (!s->announced && all_ready(s)) {
		s->announced = true;
		progress_done();
		s->ready(s->arg);
	}
}

static void stop_next(struct supervisor *s);

static void program_give_up(struct program *p, const char *how)
{
	CLEANUP(buf_close) struct buf tail = BUF_INIT;
	struct err err = ERR_INIT;

	log_tail(p, &tail);
	err_set(&err, ERR_INTERNAL, "%s did not start (%s)%s%s", p->row->what, how, tail.len ? ":\n" : "",
		tail.len ? tail.data : "");
	progress_fail();
	p->supervisor->failed(&err, p->supervisor->arg);
}

static void program_ended(struct spawn_result *result, void *arg)
{
	struct program *p = arg;
	struct supervisor *s = p->supervisor;
	CLEANUP(mem_freep) char *pid_file = pid_path(s->cluster, p->row->name);
	char how[64];

	p->run = NULL;
	ready_close(p);
	unlink(pid_file);
	spawn_status_text(result->status, how, sizeof(how));
	loop_timer_disarm(&p->timer);
	if (s->stopping) {
		p->state = STOPPED;
		stop_next(s);
		return;
	}
	if (!p->was_ready) {
		p->state = STOPPED;
		program_give_up(p, how);
		return;
	}
	if (loop_now_ms(s->loop) - p->started_ms >= HEALTHY_MS)
		p->backoff_ms = BACKOFF_FIRST_MS;
	log_warn("program ended, starting it again", "program", p->row->name, "how", how, "after_ms",
		 log_num(p->backoff_ms), NULL);
	p->state = WAITING;
	loop_timer_arm(&p->timer, p->backoff_ms);
	p->backoff_ms = p->backoff_ms * 2 < BACKOFF_MAX_MS ? p->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* In the child. The supervisor may have died before the request to die with it was made. */
static int die_with_supervisor(void *arg)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -1;
	return getppid() == *(pid_t *)arg ? 0 : -1;
}

static int program_spawn(struct program *p, struct err *err)
{
	struct supervisor *s = p->supervisor;
	CLEANUP(mem_freep) char *log_file = log_path(s->cluster, p->row->name);
	CLEANUP(mem_freep) char *pid_file = pid_path(s->cluster, p->row->name);
	CLEANUP(args_close) struct args args = { .n = 0 };
	CLEANUP(mem_closep) int ready_read = -1;
	CLEANUP(mem_closep) int ready_write = -1;
	char pid_text[16];
	int ready[2];
	pid_t self = getpid();

	log_rotate(log_file);
	CLEANUP(mem_closep) int log_fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_set_errno(err, errno, "cannot open %s", log_file);
	p->log_start = lseek(log_fd, 0, SEEK_END);
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set_errno(err, errno, "pipe");
	ready_read = ready[0];
	ready_write = ready[1];

	add(&args, "%s/%s", s->bin_dir, p->row->name);
	p->row->args(&args, s->cluster);
	add(&args, "--ready-fd=%d", ready_write);
	struct spawn_opts opts = {
		.argv = (const char *const *)args.list,
		.stdin_fd = -1,
		.stdout_fd = log_fd,
		.stderr_fd = log_fd,
		.keep_fds = &ready_write,
		.n_keep_fds = 1,
		.child_setup = die_with_supervisor,
		.child_setup_arg = &self,
	};
	p->run = spawn_start(s->loop, &opts, program_ended, p, err);
	if (!p->run)
		return -1;
	p->ready_io = loop_io_new(s->loop, ready_read, EPOLLIN, program_says_ready, p, err);
	if (!p->ready_io) {
		spawn_cancel(TAKE(p->run));
		return -1;
	}
	p->ready_fd = ready_read;
	ready_read = -1;
	int n = snprintf(pid_text, sizeof(pid_text), "%d\n", spawn_pid(p->run));
	if (buf_write_file_atomic(pid_file, pid_text, (size_t)n, 0600, err) < 0)
		log_warn("cannot write a pid file", "file", pid_file, "error", err->msg, NULL);
	return 0;
}

static void program_start(struct program *p)
{
	struct err err = ERR_INIT;

	p->state = STARTING;
	p->started_ms = loop_now_ms(p->supervisor->loop);
	if (program_spawn(p, &err) == 0)
		return;
	if (!p->was_ready) {
		p->state = STOPPED;
		program_give_up(p, err.msg);
		return;
	}
	log_error("cannot start a program", "program", p->row->name, "error", err.msg, NULL);
	p->state = WAITING;
	loop_timer_arm(&p->timer, BACKOFF_MAX_MS);
}

static void program_timer(struct loop_timer *timer, void *arg)
{
	struct program *p = arg;

	(void)timer;
	if (p->supervisor->stopping) {
		log_warn("program does not end, killing it", "program", p->row->name, NULL);
		kill(spawn_pid(p->run), SIGKILL);
		return;
	}
	program_start(p);
}

struct supervisor *supervisor_new(struct loop *loop, const struct cluster *cluster, const char *bin_dir,
				  bool with_agent, void (*ready)(void *arg),
				  void (*failed)(const struct err *err, void *arg), void *arg)
{
	struct supervisor *s = mem_zalloc(sizeof(*s));

	s->loop = loop;
	s->cluster = cluster;
	s->bin_dir = mem_dup(bin_dir);
	s->n_programs = with_agent ? SUPERVISOR_PROGRAMS : SUPERVISOR_PROGRAMS - 1;
	s->ready = ready;
	s->failed = failed;
	s->arg = arg;
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++) {
		struct program *p = &s->programs[i];
		*p = (struct program){ .supervisor = s,
				       .row = &program_rows[i],
				       .ready_fd = -1,
				       .backoff_ms = BACKOFF_FIRST_MS };
		loop_timer_init(&p->timer, loop, program_timer, p);
	}
	loop_timer_init(&s->log_timer, loop, logs_check, s);
	loop_timer_arm(&s->log_timer, LOG_CHECK_MS);
	progress_begin("starting the API server");
	program_start(&s->programs[0]);
	return s;
}

/* Ends the last program that still runs; when none does, tells so. */
static void stop_next(struct supervisor *s)
{
	for (size_t i = SUPERVISOR_PROGRAMS; i-- > 0;) {
		struct program *p = &s->programs[i];
		if (!p->run)
			continue;
		kill(spawn_pid(p->run), SIGTERM);
		loop_timer_arm(&p->timer, STOP_GRACE_MS);
		return;
	}
	s->stopped(s->arg);
}

void supervisor_stop(struct supervisor *s, void (*done)(void *arg))
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stopped = done;
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++)
		loop_timer_disarm(&s->programs[i].timer);
	stop_next(s);
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	loop_timer_disarm(&s->log_timer);
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++) {
		struct program *p = &s->programs[i];
		loop_timer_disarm(&p->timer);
		ready_close(p);
		if (p->run)
			spawn_cancel(p->run);
	}
	free(s->bin_dir);
	free(s);
}
