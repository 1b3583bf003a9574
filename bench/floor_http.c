/* The floor under every request: the HTTPS server of lib/ saying hello, set up as the API server sets it up
 * but with nothing behind it. Prints "ready 1" and serves until it is killed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/http_exchange.h"

enum { MAX_PEM_BYTES = 64 * 1024 };

static void hello(struct http_exchange *exchange, void *arg)
{
	static const char text[] = "{\"hello\":\"world\"}";

	(void)arg;
	http_exchange_reply(exchange, 200, "application/json", text, sizeof(text) - 1);
}

static const struct http_handler handler = { .whole = hello };

static void *run(void *arg)
{
	loop_run(arg);
	return NULL;
}

int bench_floor_http(int argc, char **argv)
{
	CLEANUP(buf_close) struct buf cert = BUF_INIT, key = BUF_INIT;
	struct http_server_opts opts = { .max_connections = 1000 };
	size_t n = (size_t)bench_count(argv[3]);
	pthread_t thread = pthread_self();
	struct err err = ERR_INIT;

	(void)argc;
	if (buf_read_file(&cert, argv[1], MAX_PEM_BYTES, &err) < 0 ||
	    buf_read_file(&key, argv[2], MAX_PEM_BYTES, &err) < 0 ||
	    !(opts.credentials = http_credentials_new(cert.data, key.data, NULL, &err)) ||
	    !(opts.listener = http_listener_new("127.0.0.1", (uint16_t)bench_count(argv[0]), &err)))
		bench_die("%s", err.msg);
	for (size_t i = 0; i < n; i++) {
		struct loop *loop = loop_new(&err);

		if (!loop || !http_server_new(loop, &opts, &handler, NULL, &err) ||
		    pthread_create(&thread, NULL, run, loop) != 0)
			bench_die("the HTTP server does not start on port %s", argv[0]);
	}
	bench_figure("ready", 1);
	pthread_join(thread, NULL);
	return 0;
}
