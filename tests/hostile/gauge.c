#include "tests/hostile/gauge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api_client.h"
#include "lib/buf.h"
#include "lib/timefmt.h"

#define CLIENTS   4
#define PAUSE_MS  5
#define BODY_SIZE 1024

/* One client with a connection of its own.
 *
 *     create ──▶ get ──pause──▶ update ──pause──▶ get ...
 */
struct client {
	struct gauge *gauge;
	struct api_client *api;
	struct loop_timer timer;
	char path[96];
	struct buf body;
	bool made, updates;
	int64_t sent_us;
};

struct gauge {
	pthread_t thread;
	struct loop *loop;
	struct loop_wake *wake;
	struct client clients[CLIENTS];
	pthread_mutex_t lock; /* over what follows */
	struct buf times;     /* int64_t microseconds each */
	unsigned failed;
	char fault[1024];
};

static void record(struct gauge *gauge, int64_t took_us, const struct err *err)
{
	pthread_mutex_lock(&gauge->lock);
	buf_add(&gauge->times, &took_us, sizeof(took_us));
	if (err->kind != ERR_NONE && gauge->failed++ == 0)
		snprintf(gauge->fault, sizeof(gauge->fault), "%s", err->msg);
	pthread_mutex_unlock(&gauge->lock);
}

static void answered(const struct api_response *response, void *arg)
{
	struct client *client = arg;

	if (client->made)
		record(client->gauge, time_mono_us() - client->sent_us, &response->err);
	client->made = true;
	client->updates = !client->updates;
	loop_timer_arm(&client->timer, PAUSE_MS);
}

static void ask(struct loop_timer *timer, void *arg)
{
	struct client *client = arg;

	(void)timer;
	client->sent_us = time_mono_us();
	if (!client->made)
		api_client_call(client->api, "POST", "/api/v1/namespaces/default/configmaps", NULL,
				client->body.data, client->body.len, answered, client);
	else if (client->updates)
		api_client_call(client->api, "PUT", client->path, NULL, client->body.data, client->body.len,
				answered, client);
	else
		api_client_call(client->api, "GET", client->path, NULL, NULL, 0, answered, client);
}

static int client_init(struct client *client, struct gauge *gauge, unsigned i,
		       const struct kubeconfig *config, struct err *err)
{
	client->gauge = gauge;
	snprintf(client->path, sizeof(client->path), "/api/v1/namespaces/default/configmaps/gauge-%u", i);
	buf_printf(&client->body, "{\"metadata\":{\"name\":\"gauge-%u\"},\"data\":{\"x\":\"", i);
	for (unsigned k = 0; k < BODY_SIZE; k++)
		buf_char(&client->body, 'x');
	buf_str(&client->body, "\"}}");
	loop_timer_init(&client->timer, gauge->loop, ask, client);
	client->api = api_client_new(gauge->loop, config, "knarr-hostile-check/gauge", err);
	return client->api ? 0 : -1;
}

static void *run(void *arg)
{
	struct gauge *gauge = arg;

	for (size_t i = 0; i < CLIENTS; i++)
		loop_timer_arm(&gauge->clients[i].timer, 0);
	loop_run(gauge->loop);
	return NULL;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

struct gauge *gauge_start(const struct kubeconfig *config, struct err *err)
{
	struct gauge *gauge = mem_zalloc(sizeof(*gauge));

	gauge->loop = loop_new(err);
	gauge->wake = gauge->loop ? loop_wake_new(gauge->loop, stop, gauge->loop, err) : NULL;
	if (!gauge->wake)
		abort();
	pthread_mutex_init(&gauge->lock, NULL);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (client_init(&gauge->clients[i], gauge, i, config, err) < 0)
			abort();
	if (pthread_create(&gauge->thread, NULL, run, gauge))
		abort();
	return gauge;
}

void gauge_stop(struct gauge *gauge)
{
	if (!gauge)
		return;
	loop_wake_send(gauge->wake);
	pthread_join(gauge->thread, NULL);
	for (size_t i = 0; i < CLIENTS; i++) {
		loop_timer_disarm(&gauge->clients[i].timer);
		api_client_free(gauge->clients[i].api);
		buf_close(&gauge->clients[i].body);
	}
	loop_wake_free(gauge->wake);
	loop_free(gauge->loop);
	buf_close(&gauge->times);
	pthread_mutex_destroy(&gauge->lock);
	free(gauge);
}

static int compare(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

void gauge_read(struct gauge *gauge, struct gauge_reading *ret)
{
	pthread_mutex_lock(&gauge->lock);
	struct buf times = gauge->times;
	size_t n = times.len / sizeof(int64_t);
	CLEANUP(mem_freep) int64_t *sorted = mem_alloc((n + 1) * sizeof(int64_t));

	*ret = (struct gauge_reading){ .answered = (unsigned)n, .failed = gauge->failed };
	memcpy(ret->fault, gauge->fault, sizeof(ret->fault));
	gauge->times = BUF_INIT;
	gauge->failed = 0;
	gauge->fault[0] = '\0';
	pthread_mutex_unlock(&gauge->lock);
	if (n) {
		memcpy(sorted, times.data, times.len);
		qsort(sorted, n, sizeof(*sorted), compare);
		ret->p50_us = sorted[n / 2];
		ret->p99_us = sorted[n * 99 / 100];
		ret->max_us = sorted[n - 1];
	}
	buf_close(&times);
}
