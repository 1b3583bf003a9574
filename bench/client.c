#include "bench/client.h"

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

struct client_sender {
	struct api_client *client;
	const char *method;
	size_t n, next, answered;
	client_make_fn make;
	void *arg;
	struct stats *waited_ms;
	struct exchange {
		struct client_sender *sender;
		int64_t began_us;
	} exchanges[CLIENT_CONNECTIONS];
};

void client_config(const char *path, struct kubeconfig *ret)
{
	struct kubeconfig_overrides overrides = { .path = path };
	struct err err = ERR_INIT;

	if (kubeconfig_load(&overrides, ret, &err) < 0)
		bench_die("%s", err.msg);
}

struct api_client *client_new(struct loop *loop, const char *kubeconfig)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	struct err err = ERR_INIT;

	client_config(kubeconfig, &config);
	struct api_client *client = api_client_new(loop, &config, "knarr-bench", &err);
	if (!client)
		bench_die("%s", err.msg);
	return client;
}

void client_do(struct api_client *client, const char *method, const char *path, const char *content_type,
	       const char *body, struct buf *ret_body)
{
	struct err err = ERR_INIT;

	if (api_client_do(client, method, path, NULL, content_type, body, body ? strlen(body) : 0, ret_body,
			  NULL, &err) < 0)
		bench_die("%s %s: %s", method, path, err.msg);
}

static void answered(const struct api_response *response, void *arg);

static void send_next(struct exchange *exchange)
{
	struct client_sender *s = exchange->sender;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	s->make(s->next++, &path, &body, s->arg);
	exchange->began_us = time_mono_us();
	api_client_call(s->client, s->method, path.data, NULL, body.data, body.len, answered, exchange);
}

static void answered(const struct api_response *response, void *arg)
{
	struct exchange *exchange = arg;
	struct client_sender *s = exchange->sender;

	if (response->err.kind != ERR_NONE)
		bench_die("%s", response->err.msg);
	if (s->waited_ms)
		stats_add(s->waited_ms, (double)(time_mono_us() - exchange->began_us) / 1000);
	s->answered++;
	if (s->next < s->n)
		send_next(exchange);
}

struct client_sender *client_send(struct api_client *client, const char *method, size_t n,
				  client_make_fn make, void *arg, struct stats *waited_ms)
{
	struct client_sender *s = mem_zalloc(sizeof(*s));

	*s = (struct client_sender){
		.client = client, .method = method, .n = n, .make = make, .arg = arg, .waited_ms = waited_ms
	};
	for (size_t i = 0; i < CLIENT_CONNECTIONS && s->next < n; i++) {
		s->exchanges[i].sender = s;
		send_next(&s->exchanges[i]);
	}
	return s;
}

void client_sender_finish(struct client_sender *sender, struct loop *loop)
{
	while (sender->answered < sender->n)
		loop_turn(loop, -1);
	free(sender);
}
