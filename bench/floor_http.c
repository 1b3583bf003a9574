/* The floor under every request: libmicrohttpd saying hello over TLS, set up as the API server sets it up.
 * Prints "ready 1" and serves until it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

enum { MAX_PEM_BYTES = 64 * 1024 };

static enum MHD_Result hello(void *arg, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload, size_t *upload_len,
			     void **request)
{
	static char text[] = "{\"hello\":\"world\"}";
	struct MHD_Response *response;

	(void)arg;
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_len;
	/* An answer to the first call, before the request is whole, would close the connection. */
	if (!*request) {
		*request = text;
		return MHD_YES;
	}
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

/* Without TCP_NODELAY, which connections inherit, the body waits for the acknowledgement of the head. */
static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0)
		bench_die("listen on port %u: %s", port, strerror(errno));
	return fd;
}

int bench_floor_http(int argc, char **argv)
{
	CLEANUP(buf_close) struct buf cert = BUF_INIT, key = BUF_INIT;
	struct err err = ERR_INIT;

	(void)argc;
	if (buf_read_file(&cert, argv[1], MAX_PEM_BYTES, &err) < 0 ||
	    buf_read_file(&key, argv[2], MAX_PEM_BYTES, &err) < 0)
		bench_die("%s", err.msg);
	struct MHD_Daemon *daemon = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, hello, NULL, MHD_OPTION_LISTEN_SOCKET,
	    listen_on((uint16_t)bench_count(argv[0])), MHD_OPTION_THREAD_POOL_SIZE,
	    (unsigned)bench_count(argv[3]), MHD_OPTION_HTTPS_MEM_CERT, cert.data, MHD_OPTION_HTTPS_MEM_KEY,
	    key.data, MHD_OPTION_END);
	if (!daemon)
		bench_die("the HTTP server does not start on port %s", argv[0]);
	bench_figure("ready", 1);
	pause();
	MHD_stop_daemon(daemon);
	return 0;
}
