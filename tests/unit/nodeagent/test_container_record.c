#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/container_record.h"
#include "nodeagent/process_id.h"
#include "tests/support/node_fixture.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_round_trip(void **state)
{
	(void)state;
	struct node_fixture f;
	struct err err = ERR_INIT;
	node_fixture_open(&f);
	struct container_record record = { .id = ID, .cgroup = "knarr/burstable/podx/" ID, .stop_signal = 15 }, record2;
	struct state_record init;
	struct exit_record end = { .exit_code = 137, .signal = 9, .oom_killed = true, .finished_us = 3 }, end2;
	assert_int_equal(container_record_read(f.dir, &record2, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(container_record_write(f.dir, &record, &err), 0);
	static const char state_text[] = "{\"pid\":77,\"start_time\":1234567,\"started_us\":2}\n";
	assert_int_equal(container_record_write_file(f.dir, "state.json", state_text, strlen(state_text), &err), 0);
	assert_int_equal(container_record_write_exit(f.dir, &end, &err), 0);
	assert_int_equal(container_record_read(f.dir, &record2, &err), 0);
	assert_int_equal(container_record_read_state(f.dir, &init, &err), 0);
	assert_int_equal(container_record_read_exit(f.dir, &end2, &err), 0);
	assert_string_equal(record.id, record2.id);
	assert_string_equal(record.cgroup, record2.cgroup);
	assert_true(init.pid == 77 && init.start_time == 1234567 && init.started_us == 2);
	assert_true(end2.exit_code == 137 && end2.signal == 9 && end2.oom_killed && end2.finished_us == 3);
	node_fixture_close(&f);
}

static void test_every_cut_is_corrupt(void **state)
{
	(void)state;
	static const char text[] = "{\"exit_code\":3,\"signal\":0,\"oom_killed\":false,\"finished_us\":1795245189103934}";
	struct exit_record end;
	struct err err = ERR_INIT;
	assert_int_equal(container_record_parse_exit(text, strlen(text), &end, &err), 0);
	for (size_t len = 0; len < strlen(text); len++) {
		assert_int_equal(container_record_parse_exit(text, len, &end, &err), -1);
		assert_int_equal(err.kind, ERR_CORRUPT);
	}
}

/* A record says what gets signals and what gets killed: nothing out of bounds is taken. */
static const char *const bad_containers[] = {
	"[]", "{}", "{\"id\":\"x\",\"cgroup\":\"a\",\"stop_signal\":15}",
	"{\"id\":\"" ID "\",\"cgroup\":\"/a\",\"stop_signal\":15}",
	"{\"id\":\"" ID "\",\"cgroup\":\"a/../..\",\"stop_signal\":15}",
	"{\"id\":\"" ID "\",\"cgroup\":\"\",\"stop_signal\":15}",
	"{\"id\":\"" ID "\",\"cgroup\":\"a\",\"stop_signal\":0}",
	"{\"id\":\"" ID "\",\"cgroup\":\"a\",\"stop_signal\":\"15\"}",
};
static const char *const bad_processes[] = {
	"{\"pid\":1,\"start_time\":5}", "{\"pid\":-1,\"start_time\":5}", "{\"pid\":0,\"start_time\":5}",
	"{\"pid\":99999999999,\"start_time\":5}", "{\"pid\":7}", "{\"pid\":7,\"start_time\":-5}",
};

static void test_out_of_bounds(void **state)
{
	(void)state;
	struct container_record record;
	struct shim_record shim;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(bad_containers); i++)
		assert_int_equal(container_record_parse(bad_containers[i], strlen(bad_containers[i]), &record, &err), -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad_processes); i++)
		assert_int_equal(container_record_parse_shim(bad_processes[i], strlen(bad_processes[i]), &shim, &err), -1);
}

static void test_process_identity(void **state)
{
	(void)state;
	uint64_t start_time = process_start_time(getpid());
	assert_true(start_time > 0);
	int fd = process_open(getpid(), start_time);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(process_open(getpid(), start_time + 1), -1);
	assert_int_equal(process_signal(getpid(), start_time + 1, 9), -1);
	assert_int_equal(process_signal(getpid(), start_time, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut_is_corrupt),
		cmocka_unit_test(test_out_of_bounds),
		cmocka_unit_test(test_process_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
