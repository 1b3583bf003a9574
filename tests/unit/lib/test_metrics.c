#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/metrics.h"
#include "lib/timefmt.h"

static int64_t seventeen(void *arg)
{
	(void)arg;
	return 17;
}

static struct metric gets = {
	.name = "requests_total", .help = "Requests.", .labels = "verb=\"GET\"", .kind = METRIC_KIND_COUNTER
};
static struct metric depth = METRIC_GAUGE("queue_depth", "Keys waiting.");
static struct metric puts_ = {
	.name = "requests_total", .help = "Requests.", .labels = "verb=\"PUT\"", .kind = METRIC_KIND_COUNTER
};
static struct metric asked = {
	.name = "asked", .help = "Asked at exposition.", .kind = METRIC_KIND_GAUGE, .read = seventeen
};
static struct metric took = METRIC_HISTOGRAM("took_seconds", "How long it took.");

static int register_all(void **state)
{
	(void)state;
	metrics_register(&gets);
	metrics_register(&depth);
	metrics_register(&puts_);
	metrics_register(&asked);
	metrics_register(&took);
	metrics_register(&depth); /* a second time changes nothing */
	return 0;
}

static void test_exposition(void **state)
{
	static const char expected[] =
	    "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
	    "requests_total{verb=\"GET\"} 3\nrequests_total{verb=\"PUT\"} 0\n"
	    "# HELP queue_depth Keys waiting.\n# TYPE queue_depth gauge\nqueue_depth -4\n"
	    "# HELP asked Asked at exposition.\n# TYPE asked gauge\nasked 17\n"
	    "# HELP took_seconds How long it took.\n# TYPE took_seconds histogram\n"
	    "took_seconds_bucket{le=\"0.0001\"} 1\ntook_seconds_bucket{le=\"0.0002\"} 2\n";
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	metric_add(&gets, 1);
	metric_add(&gets, 2);
	metric_set(&depth, -4);
	metric_observe_us(&took, 100);
	metric_observe_us(&took, 101);
	metric_observe_us(&took, 3276800);
	metric_observe_us(&took, 3276801);
	metrics_write(&b);
	assert_memory_equal(b.data, expected, sizeof(expected) - 1);
	assert_non_null(strstr(b.data,
			       "took_seconds_bucket{le=\"3.2768\"} 3\ntook_seconds_bucket{le=\"+Inf\"} 4\n"
			       "took_seconds_sum 6.553802\ntook_seconds_count 4\n"));
}

static double value_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	assert_non_null(line);
	return strtod(line + strlen(name), NULL);
}

static void test_process(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	double start;

	(void)state;
	metrics_write(&b);
	start = value_of(b.data, "\nprocess_start_time_seconds ");
	assert_true(start > (double)time_now_us() / 1e6 - 600 && start < (double)time_now_us() / 1e6 + 2);
	assert_true(value_of(b.data, "\nprocess_resident_memory_bytes ") > 100000);
	assert_true(value_of(b.data, "\nprocess_virtual_memory_bytes ") > 100000);
	assert_true(value_of(b.data, "\nprocess_open_fds ") >= 3);
	assert_true(value_of(b.data, "\nprocess_max_fds ") >= 3);
	assert_true(value_of(b.data, "\nprocess_cpu_seconds_total ") >= 0);
}

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100000; i++)
		metric_add(&puts_, 1);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(puts_.value, 400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exposition),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, register_all, NULL);
}
