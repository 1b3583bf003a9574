#include "lib/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/timefmt.h"

#define FIRST_BUCKET_US 100

static struct metric *registered;

/* Metrics of one name stand together, as the format asks. */
void metrics_register(struct metric *metric)
{
	struct metric **place = NULL, **p;

	for (p = &registered; *p; p = &(*p)->next) {
		if (*p == metric)
			return;
		if (strcmp((*p)->name, metric->name) == 0)
			place = &(*p)->next;
	}
	if (!place)
		place = p;
	metric->next = *place;
	*place = metric;
}

void metric_add(struct metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, int64_t us)
{
	size_t i = 0;

	while (i < METRIC_BUCKETS && us > ((int64_t)FIRST_BUCKET_US << i))
		i++;
	atomic_fetch_add_explicit(&metric->buckets[i], 1, memory_order_relaxed);
	metric_add(metric, us);
}

static void write_head(struct buf *b, const char *name, const char *help, const char *kind)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* "name_suffix{labels,extra} ". */
static void write_name(struct buf *b, const struct metric *metric, const char *suffix, const char *extra)
{
	buf_printf(b, "%s%s", metric->name, suffix);
	if (metric->labels || extra)
		buf_printf(b, "{%s%s%s}", metric->labels ? metric->labels : "",
			   metric->labels && extra ? "," : "", extra ? extra : "");
	buf_char(b, ' ');
}

static void write_histogram(struct buf *b, const struct metric *metric)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
		char le[48] = "le=\"+Inf\"";

		if (i < METRIC_BUCKETS)
			snprintf(le, sizeof(le), "le=\"%.10g\"",
				 (double)((int64_t)FIRST_BUCKET_US << i) / 1e6);
		total += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
		write_name(b, metric, "_bucket", le);
		buf_uint(b, total);
		buf_char(b, '\n');
	}
	write_name(b, metric, "_sum", NULL);
	buf_printf(b, "%.10g\n", (double)atomic_load_explicit(&metric->value, memory_order_relaxed) / 1e6);
	write_name(b, metric, "_count", NULL);
	buf_uint(b, total);
	buf_char(b, '\n');
}

static void write_metric(struct buf *b, const struct metric *metric)
{
	if (metric->kind == METRIC_KIND_HISTOGRAM) {
		write_histogram(b, metric);
		return;
	}
	write_name(b, metric, "", NULL);
	buf_int(b, metric->read ? metric->read(metric->read_arg)
				: atomic_load_explicit(&metric->value, memory_order_relaxed));
	buf_char(b, '\n');
}

static void write_process(struct buf *b, const char *name, const char *help, const char *kind, double value)
{
	write_head(b, name, help, kind);
	buf_printf(b, "%s %.15g\n", name, value);
}

static double open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and the folder's own */

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Field N (from 1, after 2: the name in parentheses may hold spaces) of /proc/self/stat. */
static double stat_field(int n)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	const char *p;

	if (buf_read_file(&b, "/proc/self/stat", 4096, NULL) < 0 || !b.data || !(p = strrchr(b.data, ')')))
		return 0;
	for (int i = 2; i < n && p; i++)
		p = strchr(p + 1, ' ');
	return p ? strtod(p, NULL) : 0;
}

static void write_process_metrics(struct buf *b)
{
	struct rlimit files = { 0 };
	struct rusage usage;
	double cpu, ticks = (double)sysconf(_SC_CLK_TCK), start;

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	start = (double)(time_now_us() - time_boot_ms() * 1000) / 1e6 + stat_field(22) / ticks;
	write_process(b, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
		      "counter", cpu);
	write_process(b, "process_max_fds", "Maximum number of open file descriptors.", "gauge",
		      (double)files.rlim_cur);
	write_process(b, "process_open_fds", "Number of open file descriptors.", "gauge", open_fds());
	write_process(b, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge",
		      stat_field(24) * (double)sysconf(_SC_PAGESIZE));
	write_process(b, "process_start_time_seconds",
		      "Start time of the process since unix epoch in seconds.", "gauge", start);
	write_process(b, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge",
		      stat_field(23));
}

void metrics_write(struct buf *b)
{
	static const char *const kinds[] = {
		[METRIC_KIND_COUNTER] = "counter",
		[METRIC_KIND_GAUGE] = "gauge",
		[METRIC_KIND_HISTOGRAM] = "histogram",
	};
	const char *previous = "";

	for (const struct metric *metric = registered; metric; metric = metric->next) {
		if (strcmp(previous, metric->name) != 0)
			write_head(b, metric->name, metric->help, kinds[metric->kind]);
		previous = metric->name;
		write_metric(b, metric);
	}
	write_process_metrics(b);
}
