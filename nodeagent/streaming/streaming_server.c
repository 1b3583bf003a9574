#include "nodeagent/streaming/streaming_server.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_routes.h"
#include "lib/websocket_pipe.h"
#include "nodeagent/peer.h"
#include "nodeagent/runtime.h"
#include "nodeagent/streaming/attach_session.h"
#include "nodeagent/streaming/exec_session.h"
#include "nodeagent/streaming/forward_channels.h"
#include "nodeagent/streaming/forward_session.h"
#include "nodeagent/streaming/negotiate.h"

#define MAX_COMMAND 4096 /* words */

static const char *const forward_protocols[] = { "portforward.k8s.io", NULL };
#define TUNNEL "SPDY/3.1+portforward.k8s.io"
static const char *const tunnel_protocols[] = { TUNNEL, NULL };
static const char *const forward_websocket_protocols[] = { TUNNEL, FORWARD_CHANNELS, NULL };

struct streaming_server {
	struct streaming streaming;
	const struct pod_manager *pods;
};

/* What a request names. */
struct place {
	char *path; /* the names point into it */
	const char *namespace_, *pod, *container;
};

static void place_close(struct place *place)
{
	free(place->path);
}

/* "/exec/NAMESPACE/POD[/CONTAINER]", or in the kubelet's long form with the pod's UID before the container.
 */
static int parse_place(const struct http_exchange *exchange, bool with_container, struct place *ret,
		       struct err *err)
{
	char *save = NULL;

	ret->path = mem_dup(http_exchange_path(exchange));
	strtok_r(ret->path, "/", &save);
	ret->namespace_ = strtok_r(NULL, "/", &save);
	ret->pod = strtok_r(NULL, "/", &save);
	ret->container = with_container ? strtok_r(NULL, "/", &save) : "";
	if (!ret->namespace_ || !ret->pod || !ret->container || strtok_r(NULL, "/", &save))
		return err_set(err, ERR_BAD_REQUEST, "the path is /VERB/NAMESPACE/POD%s",
			       with_container ? "/CONTAINER" : "");
	return 0;
}

/* An error's text, as the kubelet answers: whatever is wrong with a pod is 404, what cannot be done 500. */
static void reply_error(struct http_exchange *exchange, int code, const struct err *err)
{
	http_exchange_reply(exchange, code, "text/plain; charset=utf-8", err->msg, strlen(err->msg));
}

static bool is_true(const struct http_exchange *exchange, const char *key)
{
	const char *value = http_exchange_query(exchange, key);

	return value && (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0);
}

static struct pod_worker *find_pod(const struct streaming_server *server, const struct place *place,
				   struct err *err)
{
	struct pod_worker *worker = pod_manager_find(server->pods, place->namespace_, place->pod);

	if (!worker)
		err_set(err, ERR_NOT_FOUND, "pod does not exist");
	return worker;
}

/* TTY: the container's own, or the client's wish. */
static int read_wanted(const struct http_exchange *exchange, bool tty, struct channels_wanted *ret,
		       struct err *err)
{
	*ret = (struct channels_wanted){ .in = is_true(exchange, "input"),
					 .out = is_true(exchange, "output"),
					 .err = is_true(exchange, "error") && !tty,
					 .tty = tty };
	if (!ret->in && !ret->out && !ret->err)
		return err_set(err, ERR_BAD_REQUEST, "you must specify at least 1 of stdin, stdout, stderr");
	return 0;
}

static struct channels *open_channels(struct streaming_server *server, struct http_exchange *exchange,
				      const struct channels_wanted *wanted)
{
	struct negotiated agreed;
	struct byte_pipe *pipe =
	    negotiate(exchange, channels_websocket_protocols, channels_spdy_protocols, &agreed);

	if (!pipe)
		return NULL;
	return agreed.websocket
		   ? channels_websocket_new(server->streaming.loop, pipe, agreed.protocol, wanted)
		   : channels_spdy_new(pipe, agreed.protocol, wanted);
}

/* --- exec --- */

/* Where the program is to run; asked for when the client is ready. */
struct exec_place {
	const struct streaming_server *server;
	struct place place;
};

static struct container *exec_find(void *arg, struct err *err)
{
	const struct exec_place *exec = arg;
	const struct json_object *spec;
	const struct pod_worker *worker = find_pod(exec->server, &exec->place, err);

	return worker ? pod_worker_running_container(worker, exec->place.container, &spec, err) : NULL;
}

static void exec_place_free(void *arg)
{
	struct exec_place *exec = arg;

	place_close(&exec->place);
	free(exec);
}

static void free_words(char **argv)
{
	for (char **word = argv; *word; word++)
		free(*word);
	free(argv);
}

static char **read_command(const struct http_exchange *exchange, struct err *err)
{
	char **argv = mem_zalloc((MAX_COMMAND + 1) * sizeof(*argv));
	const char *word;
	size_t n = 0, cursor = 0;

	while ((word = http_exchange_query_next(exchange, "command", &cursor)) && n < MAX_COMMAND)
		argv[n++] = mem_dup(word);
	if (n > 0 && !word)
		return argv;
	if (n == 0)
		err_set(err, ERR_BAD_REQUEST, "you must specify at least one command for the container");
	else
		err_set(err, ERR_LIMIT, "a command of more than %d words", MAX_COMMAND);
	free_words(argv);
	return NULL;
}

void streaming_exec(struct streaming_server *server, struct http_exchange *exchange)
{
	struct exec_place *exec = mem_zalloc(sizeof(*exec));
	const struct exec_target target = { exec_find, exec_place_free, exec };
	struct channels_wanted wanted;
	struct channels *channels = NULL;
	struct err err = ERR_INIT;
	char **argv = NULL;

	exec->server = server;
	if (!peer_may(exchange)) {
		exec_place_free(exec);
		return;
	}
	if (parse_place(exchange, true, &exec->place, &err) < 0 ||
	    read_wanted(exchange, is_true(exchange, "tty"), &wanted, &err) < 0 ||
	    !(argv = read_command(exchange, &err)))
		reply_error(exchange, 400, &err);
	else if (!find_pod(server, &exec->place, &err))
		reply_error(exchange, 404, &err);
	else if (!exec_find(exec, &err))
		reply_error(exchange, 500, &err);
	else
		channels = open_channels(server, exchange, &wanted);
	if (channels) {
		exec_session_new(&server->streaming, channels, &wanted, argv, &target);
		return;
	}
	if (argv)
		free_words(argv);
	exec_place_free(exec);
}

/* --- attach --- */

static void attach(struct streaming_server *server, struct http_exchange *exchange, const struct place *place)
{
	struct channels_wanted wanted;
	struct err err = ERR_INIT;
	const struct json_object *spec = NULL;
	const struct pod_worker *worker = find_pod(server, place, &err);
	const struct container *container =
	    worker ? pod_worker_running_container(worker, place->container, &spec, &err) : NULL;

	if (!container) {
		reply_error(exchange, worker ? 500 : 404, &err);
		return;
	}
	const char *log = container_log_path(container);
	struct attach_target target = { .tty = json_boolean(spec, "tty", false),
					.stdin_once = json_boolean(spec, "stdinOnce", false) };
	if (read_wanted(exchange, target.tty, &wanted, &err) < 0) {
		reply_error(exchange, 400, &err);
		return;
	}
	struct channels *channels = open_channels(server, exchange, &wanted);
	if (!channels)
		return;
	target.dir = mem_dupn(log, (size_t)(strrchr(log, '/') - log));
	target.takes_input = json_boolean(spec, "stdin", false);
	attach_session_new(&server->streaming, channels, &wanted, &target);
}

void streaming_attach(struct streaming_server *server, struct http_exchange *exchange)
{
	CLEANUP(place_close) struct place place = { 0 };
	struct err err = ERR_INIT;

	if (!peer_may(exchange))
		return;
	if (parse_place(exchange, true, &place, &err) < 0)
		reply_error(exchange, 400, &err);
	else
		attach(server, exchange, &place);
}

/* --- port-forward --- */

/* Those that clients of channels name, as the kubelet reads them. */
struct forward_ports {
	uint16_t ports[FORWARD_CHANNELS_PORTS];
	size_t n;
};

static int read_ports(const struct http_exchange *exchange, struct forward_ports *ret, struct err *err)
{
	const char *text;
	size_t cursor = 0;

	ret->n = 0;
	while ((text = http_exchange_query_next(exchange, "port", &cursor))) {
		if (!*text)
			return err_set(err, ERR_BAD_REQUEST, "query parameter \"port\" cannot be empty");
		for (const char *next = text; next;) {
			char *end;
			unsigned long port = strtoul(next, &end, 10);
			if (*next < '0' || *next > '9' || (*end && *end != ',') || port > UINT16_MAX)
				return err_set(err, ERR_BAD_REQUEST, "unable to parse \"%.100s\" as a port",
					       text);
			if (port < 1)
				return err_set(err, ERR_BAD_REQUEST, "port \"%.100s\" must be > 0", text);
			if (ret->n == FORWARD_CHANNELS_PORTS)
				return err_set(err, ERR_BAD_REQUEST, "more than %d ports",
					       FORWARD_CHANNELS_PORTS);
			ret->ports[ret->n++] = (uint16_t)port;
			next = *end ? end + 1 : NULL;
		}
	}
	return 0;
}

/* Which protocols can be agreed on over WebSocket: channels only with ports to forward. */
static const char *const *forward_protocols_for(struct http_exchange *exchange,
						const struct forward_ports *ports)
{
	const char *upgrade = http_exchange_header(exchange, "Upgrade");
	const char *offered = http_exchange_header(exchange, "Sec-WebSocket-Protocol");

	if (ports->n > 0)
		return forward_websocket_protocols;
	if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || (offered && strstr(offered, TUNNEL)))
		return tunnel_protocols;
	return NULL;
}

static void forward(struct streaming_server *server, struct http_exchange *exchange, const char *pod,
		    const char *net_ns)
{
	struct forward_ports ports;
	struct negotiated agreed;
	struct err err = ERR_INIT;
	const char *const *websocket;

	if (read_ports(exchange, &ports, &err) < 0) {
		reply_error(exchange, 400, &err);
		return;
	}
	websocket = forward_protocols_for(exchange, &ports);
	if (!websocket) {
		err_set(&err, ERR_BAD_REQUEST, "query parameter \"port\" is required");
		reply_error(exchange, 400, &err);
		return;
	}
	struct byte_pipe *pipe = negotiate(exchange, websocket, forward_protocols, &agreed);
	if (!pipe)
		return;
	if (agreed.websocket && strcmp(agreed.protocol, TUNNEL) != 0)
		forward_channels_new(&server->streaming, pipe, pod, net_ns, ports.ports, ports.n);
	else
		forward_session_new(&server->streaming,
				    agreed.websocket ? websocket_pipe_new(pipe, true) : pipe, pod, net_ns);
}

void streaming_forward(struct streaming_server *server, struct http_exchange *exchange)
{
	CLEANUP(place_close) struct place place = { 0 };
	struct err err = ERR_INIT;
	const struct pod_worker *worker;
	const char *net_ns = NULL;

	if (!peer_may(exchange))
		return;
	if (parse_place(exchange, false, &place, &err) < 0) {
		reply_error(exchange, 400, &err);
		return;
	}
	worker = find_pod(server, &place, &err);
	if (!worker || pod_worker_net_ns(worker, &net_ns, &err) < 0) {
		reply_error(exchange, worker ? 500 : 404, &err);
		return;
	}
	forward(server, exchange, pod_worker_uid(worker), net_ns);
}

/* --- life --- */

struct streaming_server *streaming_server_new(struct agent *agent, const struct pod_manager *pods)
{
	struct streaming_server *server = mem_zalloc(sizeof(*server));

	server->streaming.loop = agent->loop;
	server->pods = pods;
	return server;
}

void streaming_server_free(struct streaming_server *server)
{
	if (!server)
		return;
	while (!LIST_EMPTY(&server->streaming.sessions)) {
		struct session *session = LIST_FIRST(&server->streaming.sessions);
		session->free(session);
	}
	exec_processes_close(&server->streaming.processes);
	free(server);
}
