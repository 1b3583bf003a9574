#include "tests/support/test_server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void listen_again(struct test_server *server)
{
	struct http_routes_opts opts = {
		.address = "127.0.0.1",
		.port = server->port,
		.cert_pem = server->server_pair.cert_pem,
		.key_pem = server->server_pair.key_pem,
		.client_ca_pem = server->ca.pem.cert_pem,
		.max_body_bytes = (size_t)1 << 20,
	};

	server->http = http_routes_new(server->loop, &opts, server->routes, server->arg, NULL);
	if (!server->http)
		abort();
	server->port = http_routes_port(server->http);
}

void test_server_start(struct test_server *server, void (*fn)(struct http_exchange *exchange, void *arg),
		       void *arg)
{
	*server = (struct test_server){ .arg = arg, .routes = { { .path = "/", .fn = fn } } };
	signal(SIGPIPE, SIG_IGN);
	server->loop = loop_new(NULL);
	pki_ca_init(&server->ca, "test CA");
	server->server_pair = pki_server(&server->ca, "api.test");
	server->client_pair = pki_client(&server->ca, "tester", "system:masters");
	listen_again(server);
	server->config = (struct kubeconfig){
		.server = mem_printf("https://127.0.0.1:%u", server->port),
		.ca_pem = mem_dup(server->ca.pem.cert_pem),
		.cert_pem = mem_dup(server->client_pair.cert_pem),
		.key_pem = mem_dup(server->client_pair.key_pem),
	};
}

void test_server_stop(struct test_server *server)
{
	http_routes_free(TAKE(server->http));
}

void test_server_restart(struct test_server *server)
{
	listen_again(server);
}

void test_server_close(struct test_server *server)
{
	test_server_stop(server);
	kubeconfig_close(&server->config);
	pki_pair_close(&server->server_pair);
	pki_pair_close(&server->client_pair);
	pki_ca_close(&server->ca);
	loop_free(server->loop);
}

static ssize_t stream_read(char *buf, size_t size, void *arg)
{
	struct test_stream *stream = arg;
	size_t n = stream->out.len < size ? stream->out.len : size;

	if (n == 0)
		return stream->ended ? -1 : 0;
	memcpy(buf, stream->out.data, n);
	buf_consume(&stream->out, n);
	return (ssize_t)n;
}

static void stream_closed(void *arg)
{
	struct test_stream *stream = arg;

	stream->exchange = NULL;
	buf_close(&stream->out);
}

void test_stream_begin(struct test_stream *stream, struct http_exchange *exchange, const char *content_type)
{
	*stream = (struct test_stream){ .exchange = exchange };
	http_exchange_stream(exchange, content_type, stream_read, stream_closed, stream);
}

void test_stream_write(struct test_stream *stream, const char *text)
{
	buf_str(&stream->out, text);
	http_exchange_wake(stream->exchange);
}

void test_stream_end(struct test_stream *stream)
{
	stream->ended = true;
	http_exchange_wake(stream->exchange);
}

void test_stream_tear(struct test_stream *stream)
{
	http_exchange_abort(stream->exchange);
}

void reply_json(struct http_exchange *exchange, int code, const char *json)
{
	http_exchange_reply(exchange, code, "application/json", json, strlen(json));
}
