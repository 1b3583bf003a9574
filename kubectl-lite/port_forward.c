/* SPDY/3.1 within WebSocket messages: for each connection a pair of streams, one for its bytes, one for what
 * went wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/pod_choice.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/upgrade.h"
#include "lib/fd_pipe.h"
#include "lib/spdy_session.h"
#include "lib/websocket_pipe.h"

#define PROTOCOL      "SPDY/3.1+portforward.k8s.io"
#define MAX_ERROR     ((size_t)64 << 10)
#define MAX_PORTS     64
#define MAX_LISTENERS (2 * MAX_PORTS)

static struct {
	struct string_list addresses;
} flags;

static const struct flag port_forward_flags[] = {
	{ "address", 0, FLAG_LIST, &flags.addresses, "ADDRESS", "listen there (default localhost)", NULL,
	  NULL },
	{ 0 },
};

struct ports {
	uint16_t local, remote; /* local 0: any */
};

struct forwarder;
struct listener {
	struct forwarder *owner;
	int fd;
	struct loop_io *io;
	struct ports ports;
};

struct forwarder {
	struct loop *loop;
	struct spdy_session *spdy;
	struct listener listeners[MAX_LISTENERS];
	size_t n_listeners;
	unsigned next_id;
	LIST_HEAD(, connection) connections;
	struct err err;
	bool done;
};

struct connection {
	LIST_ENTRY(connection) link;
	struct forwarder *owner;
	struct ports ports;
	struct byte_pipe *local;
	struct spdy_stream *data, *error;
	struct buf message; /* what went wrong there */
	bool local_over, remote_over;
};

static void connection_free(struct connection *c)
{
	LIST_REMOVE(c, link);
	byte_pipe_close(c->local);
	spdy_stream_close(c->data);
	spdy_stream_close(c->error);
	buf_close(&c->message);
	free(c);
}

static void finish(struct forwarder *f, const struct err *err)
{
	if (!f->done && err)
		f->err = *err;
	f->done = true;
	loop_stop(f->loop);
}

static void end_when_over(struct connection *c)
{
	if (c->local_over && c->remote_over)
		connection_free(c);
}

/* --- our side --- */

static void on_local_data(void *data, size_t len, void *arg)
{
	struct connection *c = arg;

	spdy_stream_write(c->data, data, len);
	if (spdy_stream_room(c->data) == 0)
		byte_pipe_set_reading(c->local, false);
}

static void on_local_drained(void *arg)
{
	struct connection *c = arg;

	spdy_stream_hold(c->data, byte_pipe_unsent(c->local));
}

static void on_local_ended(const struct err *err, void *arg)
{
	struct connection *c = arg;

	(void)err;
	c->local_over = true;
	spdy_stream_finish(c->data);
	end_when_over(c);
}

static const struct byte_pipe_user local_user = { on_local_data, on_local_drained, on_local_ended };

/* --- the pod's side --- */

static void on_data(const void *data, size_t len, void *arg)
{
	struct connection *c = arg;

	byte_pipe_write(c->local, data, len);
	spdy_stream_hold(c->data, byte_pipe_unsent(c->local));
}

static void on_data_ended(bool reset, void *arg)
{
	struct connection *c = arg;

	c->remote_over = true;
	c->local_over |= reset;
	byte_pipe_finish(c->local);
	end_when_over(c);
}

static void on_data_writable(void *arg)
{
	byte_pipe_set_reading(((const struct connection *)arg)->local, true);
}

static const struct spdy_stream_user data_user = { on_data, on_data_ended, on_data_writable };

static void on_error_data(const void *data, size_t len, void *arg)
{
	buf_add(&((struct connection *)arg)->message, data, len);
}

static void on_error_ended(bool reset, void *arg)
{
	struct connection *c = arg;

	if (c->message.len > 0)
		fprintf(stderr, "an error occurred forwarding %u -> %u: %.*s\n", c->ports.local,
			c->ports.remote, (int)c->message.len, c->message.data);
	if (reset)
		spdy_stream_close(TAKE(c->error));
}

static const struct spdy_stream_user error_user = { on_error_data, on_error_ended, NULL };

static void open_streams(struct connection *c)
{
	char port[8], id[16];
	struct spdy_header headers[] = { { "streamtype", "error" }, { "port", port }, { "requestid", id } };

	snprintf(port, sizeof(port), "%u", c->ports.remote);
	snprintf(id, sizeof(id), "%u", c->owner->next_id++);
	c->error = spdy_session_open(c->owner->spdy, headers, ARRAY_SIZE(headers), &error_user, c);
	spdy_stream_finish(c->error); /* nothing is said on it from here */
	headers[0].value = "data";
	c->data = spdy_session_open(c->owner->spdy, headers, ARRAY_SIZE(headers), &data_user, c);
}

/* --- listening --- */

static void on_connection(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	const struct listener *l = arg;
	struct err err = ERR_INIT;
	// cppcheck-suppress nullPointer // accept4 takes NULL from who does not want the address
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)io;
	(void)events;
	if (accepted < 0)
		return;
	printf("Handling connection for %u\n", l->ports.local);
	fflush(stdout);
	struct connection *c = mem_zalloc(sizeof(*c));
	c->owner = l->owner;
	c->ports = l->ports;
	c->message.max = MAX_ERROR;
	LIST_INSERT_HEAD(&l->owner->connections, c, link);
	open_streams(c);
	c->local = fd_pipe_new(l->owner->loop, accepted, accepted, &local_user, c, &err);
	if (!c->local)
		connection_free(c);
}

/* ADDRESS in digits. */
static int listen_at(struct forwarder *f, const char *address, struct ports *ports, struct err *err)
{
	bool v6 = strchr(address, ':') != NULL;
	struct sockaddr_in v4_address = { .sin_family = AF_INET, .sin_port = htons(ports->local) };
	struct sockaddr_in6 v6_address = { .sin6_family = AF_INET6, .sin6_port = htons(ports->local) };
	struct sockaddr *any = v6 ? (struct sockaddr *)&v6_address : (struct sockaddr *)&v4_address;
	socklen_t len = v6 ? sizeof(v6_address) : sizeof(v4_address);
	void *bytes = v6 ? (void *)&v6_address.sin6_addr : (void *)&v4_address.sin_addr;
	struct listener *l = &f->listeners[f->n_listeners];
	int yes = 1;

	if (f->n_listeners == MAX_LISTENERS || inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		return err_set(err, ERR_PARSE, "%s is not a valid IP", address);
	l->owner = f;
	l->fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && v6)
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (l->fd >= 0)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (l->fd < 0 || bind(l->fd, any, len) < 0 || listen(l->fd, 128) < 0 ||
	    getsockname(l->fd, any, &len) < 0) {
		int errnum = errno;
		mem_closep(&l->fd);
		return err_set_errno(err, errnum, "unable to listen on %s:%u", address, ports->local);
	}
	ports->local = ntohs(v6 ? v6_address.sin6_port : v4_address.sin_port);
	l->ports = *ports;
	l->io = loop_io_new(f->loop, l->fd, EPOLLIN, on_connection, l, err);
	if (!l->io)
		return -1;
	f->n_listeners++;
	printf(v6 ? "Forwarding from [%s]:%u -> %u\n" : "Forwarding from %s:%u -> %u\n", address,
	       ports->local, ports->remote);
	fflush(stdout);
	return 0;
}

/* Without an address, localhost in both families, of which one will do. */
static int listen_for(struct forwarder *f, struct ports *ports, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (!flags.addresses.n) {
		int v4 = listen_at(f, "127.0.0.1", ports, err);
		int v6 = listen_at(f, "::1", ports, &ignored);
		return v4 < 0 && v6 < 0 ? -1 : 0;
	}
	for (size_t i = 0; i < flags.addresses.n; i++) {
		const char *address = flags.addresses.items[i];
		if (listen_at(f, strcmp(address, "localhost") == 0 ? "127.0.0.1" : address, ports, err) < 0)
			return -1;
	}
	return 0;
}

/* --- ports --- */

/* A number, or the name of a container's port. */
static bool read_port(const struct json_object *pod, const char *text, uint16_t *ret)
{
	const struct json_object *containers = json_path(pod, "spec", "containers", NULL);
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*ret = (uint16_t)number;
	if (*text && !*end)
		return number <= UINT16_MAX;
	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *ports = json_get(json_at(containers, i), "ports");
		for (size_t k = 0; k < json_len(ports); k++)
			if (strcmp(json_str_or_empty(json_at(ports, k), "name"), text) == 0) {
				*ret = (uint16_t)json_int(json_at(ports, k), "containerPort", 0);
				return true;
			}
	}
	return false;
}

/* "8080", "8080:80", ":80", "8080:http" */
static int parse_ports(const struct json_object *pod, char *text, struct ports *ret, struct err *err)
{
	char *colon = strchr(text, ':');

	if (colon)
		*colon = '\0';
	const char *remote = colon ? colon + 1 : text;
	bool good = read_port(pod, remote, &ret->remote) && ret->remote > 0;
	if (!colon)
		ret->local = ret->remote;
	else if (!*text)
		ret->local = 0;
	else
		good &= read_port(pod, text, &ret->local);
	if (colon)
		*colon = ':';
	return good ? 0
		    : err_set(err, ERR_PARSE,
			      "invalid port \"%s\": LOCAL:REMOTE, each a number or a port's name", text);
}

/* --- the command --- */

static void on_gone(const struct err *err, void *arg)
{
	struct err lost = ERR_INIT;

	err_set(&lost, ERR_CONNECTION, "lost connection to pod");
	finish(arg, err ? err : &lost);
}

static const struct spdy_session_user session_user = { NULL, NULL, NULL, on_gone };

static int forward(const struct json_object *pod, char **ports, size_t n_ports, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	CLEANUP(mem_freep) char *protocol = NULL;
	struct ports parsed[MAX_PORTS];
	struct forwarder f = { .loop = session_open()->loop };

	for (size_t i = 0; i < n_ports; i++)
		if (i == MAX_PORTS || parse_ports(pod, ports[i], &parsed[i], err) < 0)
			return i == MAX_PORTS ? err_set(err, ERR_LIMIT, "more than %d ports", MAX_PORTS) : -1;
	session_path(&path, resource_find("", "v1", "pods"), object_meta(pod, "namespace"),
		     object_meta(pod, "name"), "portforward", NULL);
	struct byte_pipe *pipe = upgrade_open(path.data, PROTOCOL, &protocol, err);
	if (!pipe)
		return -1;
	pipe = websocket_pipe_new(pipe, false);
	f.spdy = spdy_session_new(pipe, false, &session_user, &f);
	byte_pipe_set_reading(pipe, true);
	int rc = 0;
	for (size_t i = 0; i < n_ports && rc == 0; i++)
		rc = listen_for(&f, &parsed[i], err);
	while (rc == 0 && !f.done)
		loop_run(f.loop);
	while (!LIST_EMPTY(&f.connections))
		connection_free(LIST_FIRST(&f.connections));
	spdy_session_free(f.spdy);
	for (size_t i = 0; i < f.n_listeners; i++) {
		loop_io_free(f.listeners[i].io);
		mem_closep(&f.listeners[i].fd);
	}
	if (rc == 0)
		*err = f.err;
	return -1;
}

static int run_port_forward(char **args, size_t n_args)
{
	CLEANUP(pods_close) struct pods pods = { 0 };
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN); /* a connection that goes is not the end */
	if (n_args < 2)
		return command_usage_error("port-forward",
					   "TYPE/NAME and list of ports are required for port-forward");
	if (pods_find(args, 1, NULL, &pods, &err) < 0)
		return session_failed(&err);
	const char *phase = json_str_or_empty(json_get(pods.items[0], "status"), "phase");
	if (strcmp(phase, "Running") != 0)
		return command_error("unable to forward port because pod is not running. Current status=%s",
				     phase);
	forward(pods.items[0], args + 1, n_args - 1, &err);
	return session_failed(&err);
}

const struct command command_port_forward = {
	.name = "port-forward",
	.about = "Forward local ports to a pod",
	.usage = "port-forward (POD | TYPE/NAME) [LOCAL:]REMOTE ... [flags]",
	.help = "Until it is interrupted.\n\nExamples:\n"
		"  kubectl-lite port-forward web-0 8080:80\n"
		"  kubectl-lite port-forward deployment/web :http\n",
	.flags = port_forward_flags,
	.run = run_port_forward,
};
