/* The API server killed in the middle of everything: how long until the one that its supervisor starts
 * answers, until every watch is open again, and how many lists were asked for meanwhile. A watcher that
 * resumes asks for none. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "lib/timefmt.h"

enum { ASK_MS = 5, GIVE_UP_MS = 60000 };

/* The sum of a metric's series that have LABEL; -1 when the server does not answer. */
static double metric(struct api_client *client, const char *name, const char *label)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	size_t len = strlen(name);
	double sum = 0;

	if (api_client_do(client, "GET", "/metrics", "*/*", NULL, NULL, 0, &text, NULL, NULL) < 0)
		return -1;
	char *save;
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, name, len) == 0 && strstr(line, label))
			sum += strtod(strrchr(line, ' '), NULL);
	return sum;
}

static double watches(struct api_client *client)
{
	return metric(client, "apiserver_longrunning_requests", "verb=\"WATCH\"");
}

static void wait_ms(struct loop *loop, int ms)
{
	int64_t until_ms = time_mono_ms() + ms;

	for (int64_t left = ms; left > 0; left = until_ms - time_mono_ms())
		loop_turn(loop, (int)left);
}

static pid_t read_pid(const char *file)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	if (buf_read_file(&text, file, 64, &err) < 0)
		bench_die("%s", err.msg);
	text.data[strcspn(text.data, "\n")] = '\0';
	return (pid_t)bench_count(text.data);
}

int bench_restart(int argc, char **argv)
{
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);
	double open = watches(client);
	pid_t pid = read_pid(argv[1]);

	(void)argc;
	if (open < 1)
		bench_die("restart: nobody watches");
	int64_t began_ms = time_mono_ms(), answered_ms, resumed_ms;
	if (kill(pid, SIGKILL) < 0)
		bench_die("kill %d: %s", (int)pid, strerror(errno));
	while (api_client_do(client, "GET", "/readyz", "*/*", NULL, NULL, 0, NULL, NULL, NULL) < 0) {
		if (time_mono_ms() - began_ms > GIVE_UP_MS)
			bench_die("the API server does not come back");
		wait_ms(loop, ASK_MS);
	}
	answered_ms = time_mono_ms();
	while (watches(client) < open) {
		if (time_mono_ms() - began_ms > GIVE_UP_MS)
			bench_die("%g of %g watches are open again", watches(client), open);
		wait_ms(loop, ASK_MS);
	}
	resumed_ms = time_mono_ms();
	bench_figure("serving-ms", (double)(answered_ms - began_ms));
	bench_figure("resumed-ms", (double)(resumed_ms - began_ms));
	bench_figure("relists", metric(client, "apiserver_request_total", "verb=\"LIST\""));
	api_client_free(client);
	loop_free(loop);
	return 0;
}
