#include "tests/unit/launcher/fixture.h"

#include <fcntl.h>
#include <signal.h>

#include "launcher/supervisor.h"
#include "lib/log.h"
#include "tests/support/test_server.h"

/* The programs are scripts that write what happens to them into ROOT/events. */
struct setup {
	struct fixture *files;
	struct loop *loop;
	struct supervisor *supervisor;
	char *bin;
	unsigned ready, failed, stopped;
	char message[1024];
};

#define SAY(what)   "echo \"" what " $(basename $0)\" >> \"$(dirname \"$0\")/../events\"\n"
#define READY_FD    "for a; do case $a in --ready-fd=*) fd=${a#*=};; esac; done\n"
/* By path: a plain shell names descriptors up to 9 only. */
#define SAY_READY   "echo r > /proc/self/fd/$fd\n"
#define WAIT_FOR_TERM "trap '" "echo \"end $(basename $0)\" >> \"$(dirname \"$0\")/../events\"; exit 0' TERM\n"
/* For its end, without a child of its own. */
#define WAIT        "mkfifo \"$0.fifo\" 2>/dev/null\nexec 3<>\"$0.fifo\"\nread x <&3\n"

static const char good[] = "#!/bin/sh\n" READY_FD WAIT_FOR_TERM SAY("start") SAY_READY WAIT;

static void program(struct setup *s, const char *name, const char *text)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", s->bin, name);

	fixture_write(path, text, 0755);
}

static int begin(void **state)
{
	struct setup *s = mem_zalloc(sizeof(*s));
	void *files;

	fixture_begin(&files);
	s->files = files;
	fixture_open(s->files);
	log_init("test", LOG_LEVEL_ERROR, false);
	s->bin = mem_printf("%s/bin", s->files->root);
	assert_int_equal(mkdir(s->bin, 0700), 0);
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++)
		program(s, supervisor_program(i), good);
	s->loop = loop_new(NULL);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;
	void *files = s->files;

	supervisor_free(s->supervisor);
	loop_free(s->loop);
	free(s->bin);
	free(s);
	return fixture_end(&files);
}

static void ready(void *arg)
{
	((struct setup *)arg)->ready++;
}

static void failed(const struct err *err, void *arg)
{
	struct setup *s = arg;

	s->failed++;
	snprintf(s->message, sizeof(s->message), "%s", err->msg);
}

static void stopped(void *arg)
{
	((struct setup *)arg)->stopped++;
}

static void start(struct setup *s, bool with_agent)
{
	s->supervisor = supervisor_new(s->loop, &s->files->cluster, s->bin, with_agent, ready, failed, s);
}

static void stop(struct setup *s)
{
	supervisor_stop(s->supervisor, stopped);
	supervisor_stop(s->supervisor, stopped); /* a second SIGTERM */
	LOOP_UNTIL(s->loop, s->stopped == 1);
}

static bool happened(struct setup *s, const char *text)
{
	CLEANUP(buf_close) struct buf events = BUF_INIT;
	CLEANUP(mem_freep) char *path = mem_printf("%s/events", s->files->root);

	buf_read_file(&events, path, 1 << 20, NULL);
	return events.data && strstr(events.data, text);
}

static void starts_and_stops_in_order(void **state)
{
	struct setup *s = *state;

	start(s, true);
	LOOP_UNTIL(s->loop, s->ready == 1);
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++)
		assert_true(supervisor_program_pid(&s->files->cluster, supervisor_program(i)) > 0);
	stop(s);
	assert_int_equal(s->failed, 0);
	CLEANUP(buf_close) struct buf events = fixture_read(s->files->root, "events");
	assert_int_equal(strncmp(events.data, "start knarr-apiserver\n", 22), 0);
	assert_non_null(strstr(events.data, "end knarr-nodeagent\nend knarr-controller\nend knarr-scheduler\nend knarr-apiserver\n"));
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS; i++)
		assert_int_equal(supervisor_program_pid(&s->files->cluster, supervisor_program(i)), 0);
}

static void without_agent(void **state)
{
	struct setup *s = *state;

	start(s, false);
	LOOP_UNTIL(s->loop, s->ready == 1);
	stop(s);
	assert_false(happened(s, "nodeagent"));
}

static void a_program_that_dies_is_started_again(void **state)
{
	struct setup *s = *state;
	const struct cluster *c = &s->files->cluster;

	start(s, false);
	LOOP_UNTIL(s->loop, s->ready == 1);
	int64_t waited_ms[2];
	for (size_t i = 0; i < ARRAY_SIZE(waited_ms); i++) {
		int pid = supervisor_program_pid(c, "knarr-scheduler");
		int64_t began_ms = time_mono_ms();
		assert_true(pid > 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		LOOP_UNTIL(s->loop, supervisor_program_pid(c, "knarr-scheduler") > 0 && supervisor_program_pid(c, "knarr-scheduler") != pid);
		waited_ms[i] = time_mono_ms() - began_ms;
	}
	assert_true(waited_ms[0] >= 100);
	assert_true(waited_ms[1] >= 200);
	assert_int_equal(s->failed, 0);
	assert_int_equal(s->ready, 1);
	stop(s);
}

static void one_that_ends_before_it_is_ready(void **state)
{
	struct setup *s = *state;

	program(s, "knarr-apiserver", "#!/bin/sh\necho first line\necho 'error: address in use' >&2\nexit 3\n");
	start(s, true);
	LOOP_UNTIL(s->loop, s->failed == 1);
	assert_string_equal(s->message, "the API server did not start (exit status 3):\nfirst line\nerror: address in use");
	stop(s);
	assert_int_equal(s->ready, 0);
}

/* A later one fails: what runs already is ended. */
static void a_later_one_fails(void **state)
{
	struct setup *s = *state;

	program(s, "knarr-controller", "#!/bin/sh\nkill -KILL $$\n");
	start(s, false);
	LOOP_UNTIL(s->loop, s->failed == 1);
	assert_non_null(strstr(s->message, "the controllers did not start (killed by signal 9"));
	stop(s);
	assert_int_equal(supervisor_program_pid(&s->files->cluster, "knarr-apiserver"), 0);
}

static void one_that_is_not_there(void **state)
{
	struct setup *s = *state;
	CLEANUP(mem_freep) char *path = mem_printf("%s/knarr-apiserver", s->bin);

	assert_int_equal(unlink(path), 0);
	start(s, true);
	LOOP_UNTIL(s->loop, s->failed == 1);
	assert_non_null(strstr(s->message, "the API server did not start"));
	stop(s);
}

/* SIGTERM while the programs start. */
static void stopped_while_starting(void **state)
{
	struct setup *s = *state;

	program(s, "knarr-scheduler", "#!/bin/sh\n" WAIT_FOR_TERM SAY("start") WAIT);
	start(s, true);
	LOOP_UNTIL(s->loop, happened(s, "start knarr-scheduler"));
	stop(s);
	assert_int_equal(s->ready, 0);
	assert_int_equal(s->failed, 0);
	assert_true(happened(s, "end knarr-apiserver"));
}

/* What the log holds of earlier runs is not blamed on this one. */
static void only_this_runs_log(void **state)
{
	struct setup *s = *state;
	CLEANUP(mem_freep) char *log = cluster_path(&s->files->cluster, "log/knarr-apiserver.log");

	fixture_write(log, "of yesterday\n", 0600);
	program(s, "knarr-apiserver", "#!/bin/sh\necho of today\nexit 1\n");
	start(s, true);
	LOOP_UNTIL(s->loop, s->failed == 1);
	assert_string_equal(s->message, "the API server did not start (exit status 1):\nof today");
	stop(s);
	CLEANUP(buf_close) struct buf text = fixture_read(s->files->dir, "log/knarr-apiserver.log");
	assert_string_equal(text.data, "of yesterday\nof today\n");
}

static void large_logs_are_put_aside(void **state)
{
	enum { LARGE = 17 * 1024 * 1024 };
	struct setup *s = *state;
	CLEANUP(mem_freep) char *log = cluster_path(&s->files->cluster, "log/knarr-apiserver.log");
	CLEANUP(mem_freep) char *old = mem_printf("%s.1", log);
	CLEANUP(mem_closep) int fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	assert_int_equal(ftruncate(fd, LARGE), 0);
	start(s, false);
	LOOP_UNTIL(s->loop, s->ready == 1);
	stop(s);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, LARGE);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size < 4096);
}

/* A pid file of a process that is somebody else's by now. */
static void pids_are_not_believed_blindly(void **state)
{
	struct setup *s = *state;
	CLEANUP(mem_freep) char *path = cluster_path(&s->files->cluster, "run/knarr-scheduler.pid");
	char text[32];

	snprintf(text, sizeof(text), "%d\n", getpid());
	fixture_write(path, text, 0600);
	assert_int_equal(supervisor_program_pid(&s->files->cluster, "knarr-scheduler"), 0);
	fixture_write(path, "-1\n", 0600);
	assert_int_equal(supervisor_program_pid(&s->files->cluster, "knarr-scheduler"), 0);
	fixture_write(path, "", 0600);
	assert_int_equal(supervisor_program_pid(&s->files->cluster, "knarr-scheduler"), 0);
	assert_int_equal(supervisor_program_pid(&s->files->cluster, "knarr-apiserver"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_and_stops_in_order, begin, end),
		cmocka_unit_test_setup_teardown(without_agent, begin, end),
		cmocka_unit_test_setup_teardown(a_program_that_dies_is_started_again, begin, end),
		cmocka_unit_test_setup_teardown(one_that_ends_before_it_is_ready, begin, end),
		cmocka_unit_test_setup_teardown(a_later_one_fails, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_not_there, begin, end),
		cmocka_unit_test_setup_teardown(stopped_while_starting, begin, end),
		cmocka_unit_test_setup_teardown(only_this_runs_log, begin, end),
		cmocka_unit_test_setup_teardown(large_logs_are_put_aside, begin, end),
		cmocka_unit_test_setup_teardown(pids_are_not_believed_blindly, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
