#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/timefmt.h"
#include "nodeagent/probe.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void init(struct probe_schedule *s, enum probe_kind kind, const char *text)
{
	CLEANUP(json_putp) struct json_object *probe = parse(text);

	probe_schedule_init(s, kind, probe);
}

static void test_defaults(void **state)
{
	struct probe_schedule s;

	(void)state;
	init(&s, PROBE_LIVENESS, "{\"tcpSocket\":{\"port\":1}}");
	assert_int_equal(s.period_ms, 10000);
	assert_int_equal(s.timeout_ms, 1000);
	assert_int_equal(s.success_threshold, 1);
	assert_int_equal(s.failure_threshold, 3);
	assert_int_equal(probe_schedule_first_ms(&s), 10000);
	init(&s, PROBE_READINESS, "{\"initialDelaySeconds\":2}");
	assert_int_equal(probe_schedule_first_ms(&s), 2000);
}

/* Tries after 10, 20, 40 ms ... none counted, and the first that counts is a whole period after the first try. */
static void test_fast_phase(void **state)
{
	struct probe_schedule s;
	int64_t at = 0, next;
	int tries = 0;
	bool counted = false;

	(void)state;
	init(&s, PROBE_READINESS, "{\"periodSeconds\":1,\"failureThreshold\":2}");
	while (!counted) {
		enum probe_verdict v = probe_schedule_result(&s, PROBE_FAILURE, &counted, &next);
		assert_int_equal(v, PROBE_VERDICT_NONE);
		if (counted)
			break;
		if (tries++ == 0)
			assert_int_equal(next, 10);
		at += next;
	}
	assert_int_equal(at, 1000);
	assert_in_range(tries, 5, 9);
	assert_int_equal(next, 1000);
	assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_BAD);
}

static void test_success_ends_the_fast_phase(void **state)
{
	struct probe_schedule s;
	int64_t next;
	bool counted;

	(void)state;
	init(&s, PROBE_READINESS, "{\"periodSeconds\":5,\"failureThreshold\":2}");
	assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_NONE);
	assert_int_equal(probe_schedule_result(&s, PROBE_SUCCESS, &counted, &next), PROBE_VERDICT_GOOD);
	assert_int_equal(next, 5000);
	assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_NONE);
	assert_true(counted);
	assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_BAD);
}

static void test_thresholds_count_in_a_row(void **state)
{
	struct probe_schedule s;
	int64_t next;
	bool counted;

	(void)state;
	init(&s, PROBE_LIVENESS, "{\"failureThreshold\":3}");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_NONE);
		assert_true(counted);
		assert_int_equal(probe_schedule_result(&s, PROBE_FAILURE, &counted, &next), PROBE_VERDICT_NONE);
		assert_int_equal(probe_schedule_result(&s, PROBE_SUCCESS, &counted, &next), PROBE_VERDICT_GOOD);
	}
	init(&s, PROBE_READINESS, "{\"successThreshold\":2}");
	assert_int_equal(probe_schedule_result(&s, PROBE_SUCCESS, &counted, &next), PROBE_VERDICT_NONE);
	assert_int_equal(probe_schedule_result(&s, PROBE_SUCCESS, &counted, &next), PROBE_VERDICT_GOOD);
}

static void test_unknown_does_not_count(void **state)
{
	struct probe_schedule s;
	int64_t next;
	bool counted;

	(void)state;
	init(&s, PROBE_LIVENESS, "{\"failureThreshold\":1}");
	assert_int_equal(probe_schedule_result(&s, PROBE_UNKNOWN, &counted, &next), PROBE_VERDICT_NONE);
	assert_true(counted);
}

static void test_ports(void **state)
{
	CLEANUP(json_putp) struct json_object *container = parse("{\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}");
	CLEANUP(json_putp) struct json_object *ports = parse("[\"http\", 9, \"81\", \"nope\", 70000]");
	static const int expected[] = { 8080, 9, 81, 0, 0 };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(probe_action_port(json_at(ports, i), container), expected[i]);
}

/* -- On a loop, against a socket of our own -- */

struct seen {
	struct loop *loop;
	int changed, failed, unhealthy;
	char message[256];
};

static void on_changed(void *arg)
{
	((struct seen *)arg)->changed++;
}

static void on_failed(enum probe_kind kind, void *arg)
{
	(void)kind;
	((struct seen *)arg)->failed++;
}

static void on_unhealthy(enum probe_kind kind, bool errored, const char *message, void *arg)
{
	struct seen *seen = arg;

	(void)kind;
	(void)errored;
	seen->unhealthy++;
	snprintf(seen->message, sizeof(seen->message), "%s", message);
}

static const struct probe_set_ops ops = { on_changed, on_failed, on_unhealthy };

static int listen_somewhere(int *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* Turns until *VALUE is not zero; a test that never gets there fails by its time. */
static void turn_until(struct loop *loop, const int *value)
{
	int64_t end = time_mono_ms() + 60000;

	while (!*value && time_mono_ms() < end)
		loop_turn(loop, 100);
	assert_true(*value);
}

static struct probe_set *start(struct seen *seen, const struct json_object *container, bool was_ready)
{
	const struct probe_target target = {
		.loop = seen->loop, .address = "127.0.0.1", .container_spec = container,
	};

	return probe_set_new(&target, time_now_us(), false, was_ready, &ops, seen);
}

static void test_ready_as_soon_as_it_listens(void **state)
{
	struct seen seen = { .loop = loop_new(NULL) };
	int port, fd = listen_somewhere(&port);
	CLEANUP(mem_freep) char *text = mem_printf("{\"readinessProbe\":{\"tcpSocket\":{\"port\":%d},\"periodSeconds\":60}}", port);
	CLEANUP(json_putp) struct json_object *container = parse(text);
	struct probe_set *set = start(&seen, container, false);

	(void)state;
	assert_false(probe_set_ready(set));
	loop_turn(seen.loop, 20);
	assert_int_equal(listen(fd, 8), 0);
	turn_until(seen.loop, &seen.changed);
	assert_true(probe_set_ready(set));
	assert_int_equal(seen.unhealthy, 0);
	probe_set_free(set);
	close(fd);
	loop_free(seen.loop);
}

static void test_startup_comes_before_readiness(void **state)
{
	struct seen seen = { .loop = loop_new(NULL) };
	int port, fd = listen_somewhere(&port);
	CLEANUP(mem_freep) char *text = mem_printf("{\"startupProbe\":{\"tcpSocket\":{\"port\":%d},\"periodSeconds\":60},"
						   "\"readinessProbe\":{\"tcpSocket\":{\"port\":%d}}}", port, port);
	CLEANUP(json_putp) struct json_object *container = parse(text);
	struct probe_set *set = start(&seen, container, false);

	(void)state;
	assert_int_equal(listen(fd, 8), 0);
	assert_false(probe_set_started(set));
	turn_until(seen.loop, &seen.changed);
	assert_true(probe_set_started(set));
	assert_false(probe_set_ready(set));
	seen.changed = 0;
	turn_until(seen.loop, &seen.changed);
	assert_true(probe_set_ready(set));
	probe_set_free(set);
	close(fd);
	loop_free(seen.loop);
}

static void test_failure_is_told_in_words(void **state)
{
	struct seen seen = { .loop = loop_new(NULL) };
	int port, fd = listen_somewhere(&port);
	CLEANUP(mem_freep) char *text = mem_printf("{\"livenessProbe\":{\"tcpSocket\":{\"port\":%d},\"periodSeconds\":1,"
						   "\"failureThreshold\":1}}", port);
	CLEANUP(mem_freep) char *words = mem_printf("dial tcp 127.0.0.1:%d: connect: connection refused", port);
	CLEANUP(json_putp) struct json_object *container = parse(text);
	struct probe_set *set = start(&seen, container, false);

	(void)state;
	assert_true(probe_set_ready(set)); /* no readiness probe */
	turn_until(seen.loop, &seen.failed);
	assert_int_equal(seen.unhealthy, 1);
	assert_string_equal(seen.message, words);
	probe_set_free(set);
	close(fd);
	loop_free(seen.loop);
}

static void test_stays_ready_over_a_restart_of_the_agent(void **state)
{
	struct seen seen = { .loop = loop_new(NULL) };
	CLEANUP(json_putp) struct json_object *container =
		parse("{\"readinessProbe\":{\"tcpSocket\":{\"port\":1},\"periodSeconds\":1,\"failureThreshold\":2}}");
	struct probe_set *set = start(&seen, container, true);

	(void)state;
	assert_true(probe_set_ready(set));
	turn_until(seen.loop, &seen.unhealthy);
	assert_true(probe_set_ready(set));
	turn_until(seen.loop, &seen.changed);
	assert_false(probe_set_ready(set));
	probe_set_free(set);
	loop_free(seen.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_fast_phase),
		cmocka_unit_test(test_success_ends_the_fast_phase),
		cmocka_unit_test(test_thresholds_count_in_a_row),
		cmocka_unit_test(test_unknown_does_not_count),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ready_as_soon_as_it_listens),
		cmocka_unit_test(test_startup_comes_before_readiness),
		cmocka_unit_test(test_failure_is_told_in_words),
		cmocka_unit_test(test_stays_ready_over_a_restart_of_the_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
