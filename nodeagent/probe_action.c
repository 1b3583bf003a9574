#include "nodeagent/probe_action.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/spawn.h"

#define OUTPUT_MAX 10240

struct probe_action {
	struct loop *loop;
	struct loop_timer timer; /* sleep, timeout of tcp, and results known at once */
	struct http_call *call;
	struct spawn *run;
	struct loop_io *io;
	int fd;
	char *url;     /* http; "ADDRESS:PORT" of tcp */
	char *command; /* exec, as timeouts name it */
	int64_t timeout_ms;
	enum probe_outcome outcome; /* what the timer reports */
	char *message;
	probe_action_fn done;
	void *arg;
};

static void action_free(struct probe_action *a)
{
	loop_timer_disarm(&a->timer);
	loop_io_free(a->io);
	if (a->fd >= 0)
		close(a->fd);
	free(a->url);
	free(a->command);
	free(a->message);
	free(a);
}

/* Frees before it reports: DONE may start the next try or free what the action was about. */
static void finish(struct probe_action *a, enum probe_outcome outcome, const char *message,
		   const char *output)
{
	probe_action_fn done = a->done;
	void *arg = a->arg;
	CLEANUP(mem_freep) char *text = mem_dup(message ? message : "");

	action_free(a);
	done(outcome, text, output ? output : "", arg);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct probe_action *a = arg;
	CLEANUP(mem_freep) char *message = TAKE(a->message);

	(void)timer;
	finish(a, a->outcome, message, NULL);
}

/* Reports from the loop what is known already. */
static void finish_soon(struct probe_action *a, enum probe_outcome outcome, char *message_taken)
{
	free(a->message);
	a->message = message_taken;
	a->outcome = outcome;
	loop_timer_arm(&a->timer, 0);
}

static void on_http(const struct http_response *response, void *arg)
{
	struct probe_action *a = arg;
	CLEANUP(mem_freep) char *message = NULL;

	a->call = NULL;
	if (response->err.kind == ERR_TIMEOUT)
		message = mem_printf(
		    "Get \"%s\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
		    a->url);
	else if (response->err.kind != ERR_NONE || response->code == 0)
		message = mem_printf("Get \"%s\": %s", a->url, response->err.msg);
	else if (response->code < 200 || response->code >= 400)
		message = mem_printf("HTTP probe failed with statuscode: %d", response->code);
	finish(a, message ? PROBE_FAILURE : PROBE_SUCCESS, message, NULL);
}

int probe_action_port(const struct json_object *port, const struct json_object *container_spec)
{
	const struct json_object *ports = json_get(container_spec, "ports");
	int64_t number = 0;

	if (json_object_is_type(port, json_type_int)) {
		number = json_object_get_int64(port);
	} else if (json_object_is_type(port, json_type_string)) {
		const char *name = json_object_get_string((struct json_object *)port);
		char *end;
		for (size_t i = 0; i < json_len(ports); i++)
			if (strcmp(json_str_or_empty(json_at(ports, i), "name"), name) == 0)
				number = json_int(json_at(ports, i), "containerPort", 0);
		if (number == 0) {
			number = strtol(name, &end, 10);
			if (*end)
				number = 0;
		}
	}
	return number > 0 && number < 65536 ? (int)number : 0;
}

/* "Name: value" lines of httpHeaders; User-Agent and Accept are what the kubelet's probes send. */
static char **header_lines(const struct json_object *get)
{
	const struct json_object *list = json_get(get, "httpHeaders");
	char **lines = mem_zalloc((json_len(list) + 2) * sizeof(*lines));
	size_t n = 0;

	lines[n++] = mem_dup("Connection: close");
	for (size_t i = 0; i < json_len(list); i++)
		lines[n++] = mem_printf("%s: %s", json_str_or_empty(json_at(list, i), "name"),
					json_str_or_empty(json_at(list, i), "value"));
	return lines;
}

static void start_http(struct probe_action *a, const struct probe_target *target,
		       const struct json_object *get)
{
	int port = probe_action_port(json_get(get, "port"), target->container_spec);
	const char *scheme = json_str(get, "scheme"), *host = json_str(get, "host"),
		   *path = json_str_or_empty(get, "path");
	bool https = scheme && strcmp(scheme, "HTTPS") == 0;

	if (port == 0) {
		finish_soon(a, PROBE_UNKNOWN, mem_dup("couldn't find the port to probe"));
		return;
	}
	a->url = mem_printf("%s://%s:%d%s%s", https ? "https" : "http", host ? host : target->address, port,
			    path[0] == '/' ? "" : "/", path);
	char **headers = header_lines(get);
	struct http_request request = {
		.method = "GET",
		.url = a->url,
		.accept = "*/*",
		.headers = (const char *const *)headers,
		.timeout_ms = a->timeout_ms,
		.max_response_bytes = 1024 * 1024,
		.insecure_peer = true,
	};
	a->call = http_client_send(target->http, &request, NULL, on_http, a);
	for (char **h = headers; *h; h++)
		free(*h);
	free(headers);
}

static void on_connected(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct probe_action *a = arg;
	int error = 0;
	socklen_t len = sizeof(error);
	CLEANUP(mem_freep) char *message = NULL;

	(void)io;
	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		CLEANUP(mem_freep) char *text = mem_dup(strerror(error));
		/* Go writes errno texts in lower case. */
		if (text[0] >= 'A' && text[0] <= 'Z')
			text[0] = (char)(text[0] - 'A' + 'a');
		message = mem_printf("dial tcp %s: connect: %s", a->url, text);
	}
	finish(a, error ? PROBE_FAILURE : PROBE_SUCCESS, message, NULL);
}

static void start_tcp(struct probe_action *a, const struct probe_target *target,
		      const struct json_object *tcp)
{
	int port = probe_action_port(json_get(tcp, "port"), target->container_spec);
	const char *host = json_str(tcp, "host") ? json_str(tcp, "host") : target->address;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a->url = mem_printf("%s:%d", host, port);
	if (port == 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1) {
		finish_soon(a, PROBE_UNKNOWN, mem_printf("%s is no address to probe", a->url));
		return;
	}
	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd >= 0 && connect(a->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		finish_soon(a, PROBE_FAILURE,
			    mem_printf("dial tcp %s: connect: %s", a->url, strerror(errno)));
		return;
	}
	a->io = a->fd >= 0 ? loop_io_new(a->loop, a->fd, EPOLLOUT, on_connected, a, NULL) : NULL;
	if (!a->io) {
		finish_soon(a, PROBE_UNKNOWN, mem_printf("dial tcp %s: no socket", a->url));
		return;
	}
	a->message = mem_printf("dial tcp %s: i/o timeout", a->url);
	a->outcome = PROBE_FAILURE;
	loop_timer_arm(&a->timer, a->timeout_ms);
}

/* When the runtime could not start the command it says so in its own log format on stderr:
 * time="..." level=error msg="exec failed: ...". Gives the text, or NULL when the command itself spoke. */
static char *runtime_error(const char *text)
{
	static const char start[] = "time=\"", mark[] = " level=error msg=\"";
	const char *msg = text && strncmp(text, start, strlen(start)) == 0 ? strstr(text, mark) : NULL;
	CLEANUP(buf_close) struct buf plain = BUF_INIT;

	if (!msg)
		return NULL;
	for (msg += strlen(mark); *msg && *msg != '"'; msg++) {
		if (*msg == '\\' && msg[1])
			msg++;
		buf_char(&plain, *msg);
	}
	return buf_take(&plain);
}

static void on_exec(struct spawn_result *result, void *arg)
{
	struct probe_action *a = arg;
	CLEANUP(buf_close) struct buf output = BUF_INIT_MAX(4 * OUTPUT_MAX);
	CLEANUP(mem_freep) char *message = NULL;

	a->run = NULL;
	CLEANUP(mem_freep)
	char *refused = WIFEXITED(result->status) && WEXITSTATUS(result->status) != 0
			    ? runtime_error(result->err.data)
			    : NULL;
	if (refused) {
		message = mem_printf("rpc error: code = Unknown desc = failed to exec in container: "
				     "OCI runtime exec failed: %s: unknown",
				     refused);
		finish(a, PROBE_UNKNOWN, message, NULL);
		return;
	}
	buf_str(&output, result->out.data ? result->out.data : "");
	buf_str(&output, result->err.data ? result->err.data : "");
	if (result->timed_out)
		message = mem_printf("command timed out: \"%s\" timed out after %lds", a->command,
				     (long)(a->timeout_ms / 1000));
	else if (!WIFEXITED(result->status) || WEXITSTATUS(result->status) != 0)
		message = mem_dup(output.data ? output.data : "");
	finish(a, message ? PROBE_FAILURE : PROBE_SUCCESS, message, output.data);
}

static void start_exec(struct probe_action *a, const struct probe_target *target,
		       const struct json_object *exec)
{
	const struct json_object *command = json_get(exec, "command");
	size_t n = json_len(command);
	const char **argv = mem_zalloc((n + 1) * sizeof(*argv));
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		argv[i] = json_object_get_string(json_at(command, i));
		buf_printf(&text, "%s%s", i ? " " : "", argv[i]);
	}
	a->command = buf_take(&text);
	if (target->container)
		a->run = container_exec(target->container, argv, a->timeout_ms, on_exec, a, &err);
	free(argv);
	if (!a->run)
		finish_soon(a, PROBE_UNKNOWN, mem_dup(err.msg));
}

struct probe_action *probe_action_start(const struct probe_target *target, const struct json_object *action,
					int64_t timeout_ms, probe_action_fn done, void *arg)
{
	struct probe_action *a = mem_zalloc(sizeof(*a));
	const struct json_object *what;

	a->loop = target->loop;
	a->fd = -1;
	a->done = done;
	a->arg = arg;
	a->timeout_ms = timeout_ms;
	loop_timer_init(&a->timer, target->loop, on_timer, a);
	if ((what = json_get(action, "exec"))) {
		start_exec(a, target, what);
	} else if ((what = json_get(action, "httpGet"))) {
		start_http(a, target, what);
	} else if ((what = json_get(action, "tcpSocket"))) {
		start_tcp(a, target, what);
	} else if ((what = json_get(action, "sleep"))) {
		int64_t ms = json_int(what, "seconds", 0) * 1000;
		a->outcome = PROBE_SUCCESS;
		loop_timer_arm(&a->timer, ms < timeout_ms ? ms : timeout_ms);
	} else {
		finish_soon(a, PROBE_UNKNOWN,
			    mem_dup(json_get(action, "grpc")
					? "grpc probes are not supported by this version of knarr"
					: "no action is given"));
	}
	return a;
}

void probe_action_cancel(struct probe_action *a)
{
	if (!a)
		return;
	if (a->call)
		http_call_cancel(a->call);
	if (a->run)
		spawn_cancel(a->run);
	action_free(a);
}
