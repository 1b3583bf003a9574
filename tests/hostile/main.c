/* knarr-hostile-check: clients that lie or stall against an apiserver, and what others feel of it.
 * docs/RELIABILITY.md says what is promised. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/program.h"
#include "lib/spawn.h"
#include "lib/timefmt.h"
#include "tests/hostile/hostile.h"

#define OBJECTS        200
#define OBJECT_BYTES   (16 * 1024)
#define SETTLE_MS      60000
#define OVERFLOW_FILES 2000
#define GROWTH_MIB     64 /* of the server's memory, whatever the peers */
/* What others may feel at most, on whatever machine this runs: not a figure to be proud of, but to see a
 * stall. */
#define P99_MAX_US 5000000

static const char *server_path, *seconds_text = "0", *report_path, *only;

static const struct program_flag flags[] = {
	{ "server", "PATH", "the knarr-apiserver", &server_path, NULL, true },
	{ "seconds", "N", "the long form, for about so long (0: the short one)", &seconds_text, NULL, false },
	{ "only", "TEXT", "modes whose name holds it", &only, NULL, false },
	{ "report", "FILE", "writes the counts there, as JSON", &report_path, NULL, false },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

/* Of all modes. */
static struct counts {
	unsigned modes, peers, answered;
	int64_t calm_p99_us, coming_p99_us, there_p99_us;
	unsigned peak_mib;
} counts;

static void fault(struct hostile *h, const char *format, ...) PRINTF_LIKE(2, 3);
static void fault(struct hostile *h, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&h->faults, format, ap);
	va_end(ap);
	buf_char(&h->faults, '\n');
}

/* --- the server --- */

static void server_ready(void *arg)
{
	(void)arg;
}

static void server_ended(int status, void *arg)
{
	struct hostile *h = arg;

	if (!h->stopping)
		fault(h, "the server ended with status %x", (unsigned)status);
}

static void start_server(struct hostile *h)
{
	struct err err = ERR_INIT;

	if (apiserver_process_start(&h->server, NULL, &err) < 0) {
		fprintf(stderr, "knarr-hostile-check: %s\n", err.msg);
		exit(1);
	}
	while (!h->server.is_ready && h->server.run)
		loop_turn(h->loop, 1000);
}

static void stop_server(struct hostile *h)
{
	h->stopping = true;
	apiserver_process_kill(&h->server, SIGTERM);
	while (h->server.run)
		loop_turn(h->loop, 1000);
	h->stopping = false;
}

/* A line of /proc/PID/status in MiB: "VmRSS:", "VmHWM:". */
static unsigned memory_mib(const struct hostile *h, const char *line)
{
	CLEANUP(buf_close) struct buf status = BUF_INIT;
	CLEANUP(mem_freep)
	char *path = mem_printf("/proc/%d/status", h->server.run ? (int)spawn_pid(h->server.run) : 0);
	const char *at = buf_read_file(&status, path, 65536, NULL) < 0 ? NULL : strstr(status.data, line);

	return at ? (unsigned)(strtoul(at + strlen(line), NULL, 10) / 1024) : 0;
}

static void run_for(struct hostile *h, int64_t ms)
{
	int64_t until_ms = time_mono_ms() + ms;

	for (int64_t now_ms; (now_ms = time_mono_ms()) < until_ms && h->server.run;)
		loop_turn(h->loop, (int)(until_ms - now_ms));
}

/* --- large objects, written all the time --- */

static void write_next(struct hostile *h);

static void written(const struct api_response *response, void *arg)
{
	struct hostile *h = arg;

	if (response->err.kind != ERR_NONE)
		fault(h, "a write was answered: %s", response->err.msg);
	h->written++;
	write_next(h);
}

static void object_body(struct buf *b, unsigned i, unsigned version)
{
	buf_printf(b, "{\"metadata\":{\"name\":\"large-%u\"},\"data\":{\"version\":\"%u\",\"x\":\"", i,
		   version);
	for (size_t k = 0; k < OBJECT_BYTES; k++)
		buf_char(b, 'x');
	buf_str(b, "\"}}");
}

static void write_next(struct hostile *h)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	unsigned i = h->written % OBJECTS;
	CLEANUP(mem_freep) char *path = mem_printf("/api/v1/namespaces/default/configmaps/large-%u", i);

	object_body(&body, i, h->written);
	api_client_call(h->writer, "PUT", path, NULL, body.data, body.len, written, h);
}

static void fill(struct hostile *h)
{
	struct err err = ERR_INIT;
	struct api_client *client =
	    api_client_new(h->loop, &h->server.config, "knarr-hostile-check/fill", &err);

	for (unsigned i = 0; client && i < OBJECTS; i++) {
		CLEANUP(buf_close) struct buf body = BUF_INIT, answer = BUF_INIT;

		object_body(&body, i, 0);
		if (api_client_do(client, "POST", "/api/v1/namespaces/default/configmaps", NULL, NULL,
				  body.data, body.len, &answer, NULL, &err) < 0)
			break;
	}
	if (err.kind != ERR_NONE)
		fault(h, "objects cannot be made: %s", err.msg);
	api_client_free(client);
}

/* --- a mode --- */

static void open_peers(struct hostile *h, const struct mode *mode, size_t n)
{
	h->n = n;
	h->peers = mem_zalloc(n * sizeof(*h->peers));
	h->texts = mem_zalloc(n * sizeof(*h->texts));
	for (unsigned i = 0; i < n; i++) {
		struct peer_plan plan;

		mode->plan(h, i, &plan);
		peer_open(&h->peers[i], h->loop, h->server.port, &plan);
		if (i % 50 == 49)
			loop_turn(h->loop, 0); /* the server's queue of connections is 1,024 long */
	}
}

static void close_peers(struct hostile *h)
{
	for (size_t i = 0; i < h->n; i++) {
		peer_close(&h->peers[i]);
		free(h->texts[i]);
	}
	free(TAKE(h->peers));
	free(TAKE(h->texts));
	h->n = 0;
}

static void keep_peers(struct hostile *h)
{
	h->staying = TAKE(h->peers);
	h->n_staying = h->n;
	for (size_t i = 0; i < h->n; i++)
		free(h->texts[i]);
	free(TAKE(h->texts));
	h->n = 0;
}

static size_t count_settled(const struct hostile *h, const struct mode *mode)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += mode->settled(&h->peers[i]);
	return n;
}

static unsigned count_faults_of_server(const struct hostile *h)
{
	unsigned n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->peers[i].answers[5];
	return n;
}

/* COMING: while the peers come; THERE: while they are there. */
static void report_mode(const char *name, size_t n, const struct gauge_reading *coming,
			const struct gauge_reading *there, unsigned mib)
{
	printf("%-40s %6zu peers  others: p99 %7.2f ms while they come, p50 %5.2f p99 %7.2f ms after (%u "
	       "answers)  "
	       "memory %4u MiB\n",
	       name, n, (double)coming->p99_us / 1000, (double)there->p50_us / 1000,
	       (double)there->p99_us / 1000, coming->answered + there->answered, mib);
	fflush(stdout);
}

static void judge_others(struct hostile *h, const struct mode *mode, const struct gauge_reading *reading)
{
	if (reading->failed)
		fault(h, "%s: %u of %u requests of others failed: %s", mode->name, reading->failed,
		      reading->answered, reading->fault);
	if (reading->p99_us > P99_MAX_US)
		fault(h, "%s: others waited %lld ms", mode->name, (long long)reading->p99_us / 1000);
}

static void judge_mode(struct hostile *h, const struct mode *mode, unsigned before_mib, unsigned mib)
{
	size_t n = h->n, settled = count_settled(h, mode);

	if (settled < n)
		fault(h, "%s: %zu of %zu were not %s", mode->name, n - settled, n, mode->promise);
	if (count_faults_of_server(h))
		fault(h, "%s: %u answers 5xx", mode->name, count_faults_of_server(h));
	if (mib > before_mib + GROWTH_MIB + n * mode->growth_kib / 1024)
		fault(h, "%s: memory grew from %u to %u MiB", mode->name, before_mib, mib);
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void run_mode(struct hostile *h, const struct mode *mode, size_t n, int64_t ms)
{
	struct gauge_reading coming, there;
	int64_t until_ms = time_mono_ms() + SETTLE_MS;
	unsigned mib;

	gauge_read(h->gauge, &coming); /* of the time before */
	unsigned before_mib = memory_mib(h, "VmRSS:");
	open_peers(h, mode, n);
	if (mode->writes) {
		h->writer = api_client_new(h->loop, &h->server.config, "knarr-hostile-check/writer", NULL);
		write_next(h);
	}
	while (count_settled(h, mode) < n && time_mono_ms() < until_ms && h->server.run)
		run_for(h, 20);
	gauge_read(h->gauge, &coming);
	run_for(h, ms);
	gauge_read(h->gauge, &there);
	mib = memory_mib(h, "VmRSS:");
	report_mode(mode->name, n, &coming, &there, mib);
	judge_mode(h, mode, before_mib, mib);
	judge_others(h, mode, &coming);
	judge_others(h, mode, &there);
	if (!there.answered)
		fault(h, "%s: others were not answered", mode->name);
	api_client_free(TAKE(h->writer));
	counts.modes++;
	counts.peers += (unsigned)n;
	counts.answered += coming.answered + there.answered;
	counts.coming_p99_us = max_of(counts.coming_p99_us, coming.p99_us);
	counts.there_p99_us = max_of(counts.there_p99_us, there.p99_us);
	if (mode->stays)
		keep_peers(h);
	else
		close_peers(h);
}

/* Somebody new is served once the flood is over. */
static void check_served_again(struct hostile *h)
{
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	struct api_client *client =
	    api_client_new(h->loop, &h->server.config, "knarr-hostile-check/after", &err);

	if (!client ||
	    api_client_do(client, "GET", "/api/v1/namespaces", NULL, NULL, NULL, 0, &answer, NULL, &err) < 0)
		fault(h, "a new client after the flood: %s", err.msg);
	api_client_free(client);
}

/* A server with few descriptors: those it has go on, those it cannot take are refused, and it goes on after
 * them. */
static void run_overflow(struct hostile *h, int64_t ms)
{
	h->server.max_files = OVERFLOW_FILES;
	start_server(h);
	fill(h);
	h->gauge = gauge_start(&h->server.config, NULL);
	run_for(h, 500);
	run_mode(h, &overflow_mode, overflow_mode.n_long, ms);
	check_served_again(h);
	gauge_stop(TAKE(h->gauge));
	stop_server(h);
	h->server.max_files = 0;
}

/* Those who misbehave have machines of their own; on this one they come last. Of this thread only. */
static void step_back(void)
{
	if (setpriority(PRIO_PROCESS, 0, 10) < 0)
		fprintf(stderr, "knarr-hostile-check: setpriority: %s\n", strerror(errno));
}

static void run_modes(struct hostile *h, int64_t seconds)
{
	struct gauge_reading calm;
	int64_t ms = seconds ? seconds * 1000 / 18 : 1000;

	run_overflow(h, ms);
	start_server(h);
	h->gauge = gauge_start(&h->server.config, NULL);
	step_back();
	run_for(h, 500);
	gauge_read(h->gauge, &calm); /* warm */
	run_for(h, ms * 2);
	gauge_read(h->gauge, &calm);
	counts.calm_p99_us = calm.p99_us;
	report_mode("calm", 0, &(struct gauge_reading){ 0 }, &calm, memory_mib(h, "VmRSS:"));
	for (const struct mode *mode = modes; mode->name && h->server.run; mode++)
		if (!only || strstr(mode->name, only))
			run_mode(h, mode, seconds ? mode->n_long : mode->n_short, ms);
	for (size_t i = 0; i < h->n_staying; i++) {
		if (h->staying[i].state != PEER_OPEN)
			fault(h, "an idle watch was closed");
		peer_close(&h->staying[i]);
	}
	free(TAKE(h->staying));
	counts.peak_mib = memory_mib(h, "VmHWM:");
}

static int write_report(int64_t seconds, bool failed)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;

	buf_printf(&json,
		   "{\"part\":\"clients that lie or stall\",\"seconds\":%lld,\"failed\":%s,\"counts\":{"
		   "\"ways to misbehave\":%u,\"misbehaving clients\":%u,\"requests of others answered\":%u,"
		   "\"µs p99 of them when calm\":%lld,\"µs at worst while misbehaving clients come\":%lld,"
		   "\"µs at worst while they are there\":%lld,\"MiB at most\":%u}}\n",
		   (long long)seconds, failed ? "true" : "false", counts.modes, counts.peers, counts.answered,
		   (long long)counts.calm_p99_us, (long long)counts.coming_p99_us,
		   (long long)counts.there_p99_us, counts.peak_mib);
	return buf_write_file_atomic(report_path, json.data, json.len, 0644, NULL);
}

static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int main(int argc, char **argv)
{
	struct hostile h = { 0 };
	struct err err = ERR_INIT;
	const char *tmp = getenv("TMPDIR");
	CLEANUP(mem_freep) char *dir = mem_printf("%s/knarr-hostile.XXXXXX", tmp ? tmp : "/tmp");
	int64_t began_ms = time_mono_ms();

	program_flags("knarr-hostile-check",
		      "Clients that lie or stall against an apiserver, and what others feel of it.", flags,
		      argc, argv);
	raise_files();
	h.loop = loop_new(&err);
	if (!h.loop || !mkdtemp(dir) ||
	    apiserver_process_init(&h.server, h.loop, server_path, dir, &err) < 0) {
		fprintf(stderr, "knarr-hostile-check: %s: %s\n", dir, err.msg[0] ? err.msg : strerror(errno));
		return 1;
	}
	h.server.ready = server_ready;
	h.server.ended = server_ended;
	h.server.arg = &h;
	run_modes(&h, strtol(seconds_text, NULL, 10));
	gauge_stop(h.gauge);
	stop_server(&h);
	printf("clients that lie or stall: %u ways, %u clients; p99 of others %.2f ms when calm, at worst "
	       "%.2f ms while they come "
	       "and %.2f ms while they are there; %u MiB at most\n",
	       counts.modes, counts.peers, (double)counts.calm_p99_us / 1000,
	       (double)counts.coming_p99_us / 1000, (double)counts.there_p99_us / 1000, counts.peak_mib);
	if (report_path)
		write_report((time_mono_ms() - began_ms) / 1000, h.faults.len > 0);
	if (h.faults.len) {
		printf("%sFAILED: the server's folder and log are in %s\n", h.faults.data, dir);
		return 1;
	}
	apiserver_process_close(&h.server);
	apiserver_process_remove_folder(dir);
	loop_free(h.loop);
	return 0;
}
