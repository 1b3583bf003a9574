#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "lib/mem.h"

struct bench_sender {
	struct api_client *client;
	size_t n, next, answered;
	const char *method;
	void (*make)(size_t i, struct buf *path, struct buf *body, void *arg);
	void (*finished)(void *arg);
	void *arg;
};

struct api_client *bench_client(struct loop *loop, const char *kubeconfig)
{
	struct kubeconfig_overrides overrides = { .path = kubeconfig };
	struct kubeconfig config = { 0 };
	struct err err = ERR_INIT;
	struct api_client *client = NULL;

	if (kubeconfig_load(&overrides, &config, &err) == 0)
		client = api_client_new(loop, &config, "knarr-bench", &err);
	if (!client) {
		fprintf(stderr, "error: %s\n", err.msg);
		exit(1);
	}
	kubeconfig_close(&config);
	return client;
}

static void answered(const struct api_response *response, void *arg);

static void send_next(struct bench_sender *s)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	s->make(s->next++, &path, &body, s->arg);
	api_client_call(s->client, s->method, path.data, NULL, body.data, body.len, answered, s);
}

static void answered(const struct api_response *response, void *arg)
{
	struct bench_sender *s = arg;

	if (response->err.kind != ERR_NONE) {
		fprintf(stderr, "error: %s\n", response->err.msg);
		exit(1);
	}
	if (s->next < s->n)
		send_next(s);
	if (++s->answered == s->n && s->finished)
		s->finished(s->arg);
}

struct bench_sender *bench_send(struct api_client *client, size_t n, size_t in_flight,
				void (*make)(size_t i, struct buf *path, struct buf *body, void *arg),
				const char *method, void (*finished)(void *arg), void *arg)
{
	struct bench_sender *s = mem_zalloc(sizeof(*s));

	*s = (struct bench_sender){
		.client = client, .n = n, .method = method, .make = make, .finished = finished, .arg = arg
	};
	for (size_t i = 0; i < in_flight && s->next < n; i++)
		send_next(s);
	return s;
}

void bench_sender_free(struct bench_sender *sender)
{
	free(sender);
}

static int compare(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

double bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
