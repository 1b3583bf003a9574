#include "nodeagent/log_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/log_reader.h"
#include "nodeagent/peer.h"
#include "nodeagent/streaming/streaming_server.h"

struct log_server {
	struct agent *agent;
	struct pod_manager *pods;
	struct http_routes *http;
	struct streaming_server *streaming;
};

/* One log being sent. */
struct log_stream {
	struct http_exchange *exchange;
	struct log_reader *reader;
	int inotify;
	struct loop_io *io;
};

static void reply_error(struct http_exchange *exchange, const struct err *err)
{
	http_exchange_reply(exchange, err_http_code(err->kind), "text/plain; charset=utf-8", err->msg,
			    strlen(err->msg));
}

static ssize_t read_log(char *buf, size_t size, void *arg)
{
	struct log_stream *s = arg;

	return log_reader_read(s->reader, buf, size);
}

static void close_log(void *arg)
{
	struct log_stream *s = arg;

	loop_io_free(s->io);
	if (s->inotify >= 0)
		close(s->inotify);
	log_reader_free(s->reader);
	free(s);
}

static void on_folder_changed(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct log_stream *s = arg;
	char drop[4096];

	(void)io;
	(void)events;
	while (read(fd, drop, sizeof(drop)) > 0)
		;
	http_exchange_wake(s->exchange);
}

/* The attempt's folder tells of writes, of rotations and, by exit.json, of the end. */
static int watch_folder(struct log_server *server, struct log_stream *s, const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_dupn(path, (size_t)(strrchr(path, '/') - path));

	s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (s->inotify < 0 || inotify_add_watch(s->inotify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_set_errno(err, errno, "watch %s", dir);
	s->io = loop_io_new(server->agent->loop, s->inotify, EPOLLIN, on_folder_changed, s, err);
	return s->io ? 0 : -1;
}

static bool is_true(const char *value)
{
	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0 || value[0] == '\0');
}

/* A query value as number; IF_ABSENT without one. ERR_BAD_REQUEST when it is no number or negative. */
static int number(const struct http_exchange *exchange, const char *key, int64_t if_absent, int64_t *ret,
		  struct err *err)
{
	const char *text = http_exchange_query(exchange, key);
	char *end;

	*ret = if_absent;
	if (!text)
		return 0;
	*ret = strtoll(text, &end, 10);
	if (text[0] == '\0' || *end || *ret < 0)
		return err_set(err, ERR_BAD_REQUEST, "%s: invalid value %s", key, text);
	return 0;
}

static int parse_options(const struct http_exchange *exchange, struct log_reader_opts *ret, struct err *err)
{
	const char *since = http_exchange_query(exchange, "sinceTime");
	int64_t seconds;

	*ret = (struct log_reader_opts){
		.timestamps = is_true(http_exchange_query(exchange, "timestamps")),
		.follow = is_true(http_exchange_query(exchange, "follow")),
	};
	if (number(exchange, "tailLines", -1, &ret->tail_lines, err) < 0 ||
	    number(exchange, "limitBytes", -1, &ret->limit_bytes, err) < 0 ||
	    number(exchange, "sinceSeconds", 0, &seconds, err) < 0)
		return -1;
	if (since && !time_parse(since, &ret->since_us))
		return err_set(err, ERR_BAD_REQUEST, "sinceTime: invalid value %s", since);
	if (seconds > 0)
		ret->since_us = time_add_s(time_now_us(), -seconds);
	return 0;
}

/* Path of the log that the request's path and query name. */
static int find_log(struct log_server *server, const struct http_exchange *exchange, char **ret,
		    struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_dup(http_exchange_path(exchange) + strlen("/containerLogs/"));
	char *save = NULL;
	const char *namespace_ = strtok_r(path, "/", &save), *pod = strtok_r(NULL, "/", &save);
	const char *container = strtok_r(NULL, "/", &save), *more = strtok_r(NULL, "/", &save);

	if (!container || more)
		return err_set(err, ERR_BAD_REQUEST, "the path is /containerLogs/NAMESPACE/POD/CONTAINER");
	const struct pod_worker *worker = pod_manager_find(server->pods, namespace_, pod);
	if (!worker)
		return err_set(err, ERR_NOT_FOUND, "pod does not exist");
	return pod_worker_log_path(worker, container, is_true(http_exchange_query(exchange, "previous")), ret,
				   err);
}

static void on_logs(struct http_exchange *exchange, void *arg)
{
	struct log_server *server = arg;
	CLEANUP(mem_freep) char *path = NULL;
	struct log_reader_opts opts;
	struct err err = ERR_INIT;

	if (!peer_may(exchange))
		return;
	if (parse_options(exchange, &opts, &err) < 0 || find_log(server, exchange, &path, &err) < 0) {
		reply_error(exchange, &err);
		return;
	}
	struct log_stream *s = mem_zalloc(sizeof(*s));
	s->exchange = exchange;
	s->inotify = -1;
	s->reader = log_reader_new(path, &opts, &err);
	if (!s->reader || (opts.follow && watch_folder(server, s, path, &err) < 0)) {
		close_log(s);
		reply_error(exchange, &err);
		return;
	}
	http_exchange_stream(exchange, "text/plain", read_log, close_log, s);
}

static void on_pods(struct http_exchange *exchange, void *arg)
{
	struct log_server *server = arg;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct pod_worker *worker;
	bool first = true;

	if (!peer_may(exchange))
		return;
	buf_str(&body, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[");
	for (size_t i = 0; (worker = pod_manager_next(server->pods, &i));) {
		const struct json_object *status, *pod = pod_worker_pod(worker, &status);
		buf_str(&body, first ? "{\"metadata\":" : ",{\"metadata\":");
		json_write(&body, json_get(pod, "metadata"));
		buf_str(&body, ",\"spec\":");
		json_write(&body, json_get(pod, "spec"));
		buf_str(&body, ",\"status\":");
		json_write(&body, status);
		buf_char(&body, '}');
		first = false;
	}
	buf_str(&body, "]}\n");
	http_exchange_reply(exchange, 200, "application/json", body.data, body.len);
}

static void on_exec(struct http_exchange *exchange, void *arg)
{
	streaming_exec(((const struct log_server *)arg)->streaming, exchange);
}

static void on_attach(struct http_exchange *exchange, void *arg)
{
	streaming_attach(((const struct log_server *)arg)->streaming, exchange);
}

static void on_forward(struct http_exchange *exchange, void *arg)
{
	streaming_forward(((const struct log_server *)arg)->streaming, exchange);
}

static const struct http_route routes[] = {
	{ .method = "GET", .path = "/containerLogs/", .fn = on_logs },
	{ .method = "GET", .path = "/pods", .fn = on_pods },
	{ .path = "/exec/", .fn = on_exec },
	{ .path = "/attach/", .fn = on_attach },
	{ .path = "/portForward/", .fn = on_forward },
	{ .path = NULL },
};

struct log_server *log_server_new(struct agent *agent, struct pod_manager *pods,
				  const struct http_routes_opts *opts, struct err *err)
{
	struct log_server *server = mem_zalloc(sizeof(*server));

	server->agent = agent;
	server->pods = pods;
	server->http = http_routes_new(agent->loop, opts, routes, server, err);
	if (!server->http) {
		free(server);
		return NULL;
	}
	server->streaming = streaming_server_new(agent, pods);
	return server;
}

void log_server_free(struct log_server *server)
{
	if (!server)
		return;
	streaming_server_free(server->streaming);
	http_routes_free(server->http);
	free(server);
}

uint16_t log_server_port(const struct log_server *server)
{
	return http_routes_port(server->http);
}
