#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kubectl-lite/fetch.h"

/* A server that gives one answer to one connection. */
struct server {
	int fd;
	pthread_t thread;
	const char *answer;
	char url[64];
};

static void *serve(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->fd, NULL, NULL);
	char request[4096];

	if (fd < 0 || read(fd, request, sizeof(request)) <= 0)
		return "no request";
	ssize_t n = write(fd, server->answer, strlen(server->answer));
	close(fd);
	return n < 0 ? "no answer" : NULL;
}

static void server_start(struct server *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u/pod.yaml", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_end(struct server *server)
{
	void *fault;

	pthread_join(server->thread, &fault);
	assert_null(fault);
	close(server->fd);
}

static void answers(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT_MAX(100), small = BUF_INIT_MAX(3);
	struct server server;
	struct err err = ERR_INIT;

	(void)state;
	server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\na: b\n");
	assert_int_equal(fetch(server.url, &b, &err), 0);
	assert_string_equal(b.data, "a: b\n");
	server_end(&server);

	server_start(&server, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
	assert_int_equal(fetch(server.url, &b, &err), -1);
	assert_non_null(strstr(err.msg, "status code=404"));
	server_end(&server);

	server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\na: b\n");
	assert_int_equal(fetch(server.url, &small, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	server_end(&server);
	/* Nobody listens there any more. */
	assert_int_equal(fetch(server.url, &b, &err), -1);
	assert_non_null(strstr(err.msg, server.url));
}

static void urls(void **state)
{
	(void)state;
	assert_true(fetch_is_url("http://a/b"));
	assert_true(fetch_is_url("https://a"));
	assert_false(fetch_is_url("ftp://a"));
	assert_false(fetch_is_url("http:"));
	assert_false(fetch_is_url("a.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(urls) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
