#include "tests/churn/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/spawn.h"
#include "tests/churn/churn.h"

enum { MAX_ARGS = 64, MAX_CMDLINE = 65536, STOP_MS = 15000 };

static const char *const names[PROGRAMS] = { "knarr-apiserver", "knarr-scheduler", "knarr-controller",
					     "knarr-nodeagent" };

struct one {
	struct programs *programs;
	enum program which;
	char *argv[MAX_ARGS + 1]; /* none: not of this cluster */
	size_t argc;
	struct spawn *run;
	bool killed; /* by us, this run of it */
	unsigned kills;
	struct loop_timer timer; /* the next start */
};

struct programs {
	struct churn *churn;
	char *dir;
	bool stopping;
	struct one list[PROGRAMS];
};

const char *programs_name(enum program which)
{
	return names[which];
}

/* --- the command lines --- */

static int learn(struct one *one, const struct programs_extra *extra, struct err *err)
{
	CLEANUP(mem_freep)
	char *pid_file = mem_printf("%s/run/%s.pid", one->programs->dir, names[one->which]);
	CLEANUP(buf_close) struct buf pid = BUF_INIT;
	CLEANUP(buf_close) struct buf cmdline = BUF_INIT;

	if (buf_read_file(&pid, pid_file, 64, NULL) < 0)
		return 0; /* a cluster without a node agent */
	pid.data[strcspn(pid.data, " \n")] = '\0';
	CLEANUP(mem_freep) char *path = mem_printf("/proc/%s/cmdline", pid.data);
	if (buf_read_file(&cmdline, path, MAX_CMDLINE, err) < 0)
		return -1;
	for (size_t at = 0; at < cmdline.len; at += strlen(cmdline.data + at) + 1)
		if (strncmp(cmdline.data + at, "--ready-fd", 10) != 0 && one->argc < MAX_ARGS)
			one->argv[one->argc++] = mem_dup(cmdline.data + at);
	for (; extra->flag; extra++)
		if (extra->program == one->which && one->argc < MAX_ARGS)
			one->argv[one->argc++] = mem_dup(extra->flag);
	return 0;
}

static int stop_supervisor(const char *bin_dir, const char *dir, struct err *err)
{
	CLEANUP(mem_freep) char *knarr = mem_printf("%s/knarr", bin_dir);
	const char *argv[] = { knarr, "down", "--data", dir, NULL };
	const struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct spawn_result result;
	char how[64];

	if (spawn_run(&opts, &result, err) < 0)
		return -1;
	int failed = result.status == 0 ? 0
					: err_set(err, ERR_INTERNAL, "knarr down: %s: %s",
						  spawn_status_text(result.status, how, sizeof(how)),
						  result.err.len ? result.err.data : "no message");
	buf_close(&result.out);
	buf_close(&result.err);
	return failed;
}

const char *programs_flag(const struct programs *programs, enum program which, const char *flag)
{
	const struct one *one = &programs->list[which];
	size_t len = strlen(flag);

	for (size_t i = 1; i < one->argc; i++)
		if (strncmp(one->argv[i], "--", 2) == 0 && strncmp(one->argv[i] + 2, flag, len) == 0 &&
		    one->argv[i][2 + len] == '=')
			return one->argv[i] + 3 + len;
	return NULL;
}

/* --- their lives --- */

static void start(struct loop_timer *timer, void *arg);

static void ended(struct spawn_result *result, void *arg)
{
	struct one *one = arg;
	struct programs *programs = one->programs;
	char how[64];

	one->run = NULL;
	if (programs->stopping || one->killed)
		return;
	churn_fault(programs->churn, "%s ended by itself: %s; its log is %s/log/%s.log", names[one->which],
		    spawn_status_text(result->status, how, sizeof(how)), programs->dir, names[one->which]);
	loop_timer_arm(&one->timer, 100);
}

/* In the child. We may have died before the request to die with us was made. */
static int die_with_us(void *arg)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	return getppid() == *(pid_t *)arg ? 0 : -1;
}

static void start(struct loop_timer *timer, void *arg)
{
	struct one *one = arg;
	struct programs *programs = one->programs;
	CLEANUP(mem_freep) char *log = mem_printf("%s/log/%s.log", programs->dir, names[one->which]);
	CLEANUP(mem_closep) int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t self = getpid();
	const struct spawn_opts opts = {
		.argv = (const char *const *)one->argv,
		.stdin_fd = -1,
		.stdout_fd = log_fd,
		.stderr_fd = log_fd,
		.child_setup = die_with_us,
		.child_setup_arg = &self,
	};
	struct err err = ERR_INIT;

	if (one->run && one->killed) {
		/* Not reaped yet: its ports may still be taken. */
		loop_timer_arm(timer, 10);
		return;
	}
	one->killed = false;
	one->run = spawn_start(programs->churn->loop, &opts, ended, one, &err);
	if (!one->run)
		churn_fault(programs->churn, "cannot start %s: %s", names[one->which], err.msg);
}

struct programs *programs_new(struct churn *churn, const char *dir, const char *bin_dir,
			      const struct programs_extra *extra, struct err *err)
{
	struct programs *programs = mem_zalloc(sizeof(*programs));
	bool failed = false;

	programs->churn = churn;
	programs->dir = mem_dup(dir);
	for (enum program i = 0; i < PROGRAMS; i++) {
		struct one *one = &programs->list[i];
		one->programs = programs;
		one->which = i;
		loop_timer_init(&one->timer, churn->loop, start, one);
		failed = failed || learn(one, extra, err) < 0;
	}
	if (!failed && !programs->list[PROGRAM_APISERVER].argc)
		failed = err_set(err, ERR_NOT_FOUND,
				 "no cluster runs in %s; start it with: knarr up -d --data %s", dir, dir) < 0;
	if (failed || stop_supervisor(bin_dir, dir, err) < 0) {
		programs->stopping = true;
		programs_free(programs);
		return NULL;
	}
	for (enum program i = 0; i < PROGRAMS; i++)
		if (programs->list[i].argc)
			start(&programs->list[i].timer, &programs->list[i]);
	return programs;
}

static bool any_runs(const struct programs *programs)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs->list[i].run)
			return true;
	return false;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	programs->stopping = true;
	for (size_t i = PROGRAMS; i-- > 0;) {
		loop_timer_disarm(&programs->list[i].timer);
		if (programs->list[i].run)
			kill(spawn_pid(programs->list[i].run), SIGTERM);
	}
	for (int64_t until_ms = loop_now_ms(programs->churn->loop) + STOP_MS;
	     any_runs(programs) && loop_now_ms(programs->churn->loop) < until_ms;)
		loop_turn(programs->churn->loop, 1000);
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (programs->list[i].run) {
			churn_fault(programs->churn, "%s did not end at SIGTERM", names[i]);
			spawn_cancel(programs->list[i].run);
		}
		for (size_t j = 0; j < programs->list[i].argc; j++)
			free(programs->list[i].argv[j]);
	}
	free(programs->dir);
	free(programs);
}

bool programs_kill(struct programs *programs, enum program which, int64_t down_ms)
{
	struct one *one = &programs->list[which];

	if (!one->run || one->killed)
		return false;
	one->killed = true;
	one->kills++;
	kill(spawn_pid(one->run), SIGKILL);
	loop_timer_arm(&one->timer, down_ms);
	return true;
}

bool programs_all_run(const struct programs *programs)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (programs->list[i].argc && (!programs->list[i].run || programs->list[i].killed))
			return false;
	return true;
}

unsigned programs_kills(const struct programs *programs, enum program which)
{
	return programs->list[which].kills;
}

pid_t programs_pid(const struct programs *programs, enum program which)
{
	const struct one *one = &programs->list[which];

	return one->run && !one->killed ? spawn_pid(one->run) : 0;
}
