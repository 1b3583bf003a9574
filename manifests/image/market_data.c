/* market-data: the sample service of the manifests. A static program, so that its image holds nothing else.
 *
 *     GET  /ping      the pod's name (HOSTNAME)
 *     GET  /version   VERSION of the image
 *     GET  /healthz   200 "ok", or 500 "told to fail" once told so
 *     POST /fail      makes /healthz fail;  POST /recover  ends that
 *
 * Listens on PORT (8080). One request per connection, one line of log per request. SIGTERM ends it with 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256, MAX_REQUEST = 4096, FIRST_CONNECTION = 2 };

struct connection {
	size_t len;
	char request[MAX_REQUEST + 1];
};

struct service {
	const char *pod;
	const char *version;
	bool failing;
	struct pollfd fds[FIRST_CONNECTION + MAX_CONNECTIONS]; /* signals, listener, connections */
	struct connection connections[MAX_CONNECTIONS];
	nfds_t n_fds;
};

static struct service service;

static const char *env_or(const char *name, const char *fallback)
{
	const char *value = getenv(name);
	return value && *value ? value : fallback;
}

/* The answer to METHOD PATH: its code, and its text in *ret_text. */
static int answer(const char *method, const char *path, const char **ret_text)
{
	bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	bool post = strcmp(method, "POST") == 0;

	if (strcmp(path, "/fail") == 0 || strcmp(path, "/recover") == 0) {
		if (!post) {
			*ret_text = "use POST";
			return 405;
		}
		service.failing = path[1] == 'f';
		*ret_text = service.failing ? "/healthz fails from now on" : "/healthz is well again";
		return 200;
	}
	if (!get) {
		*ret_text = "use GET";
		return 405;
	}
	if (strcmp(path, "/ping") == 0) {
		*ret_text = service.pod;
		return 200;
	}
	if (strcmp(path, "/version") == 0) {
		*ret_text = service.version;
		return 200;
	}
	if (strcmp(path, "/healthz") == 0) {
		*ret_text = service.failing ? "told to fail" : "ok";
		return service.failing ? 500 : 200;
	}
	*ret_text = "not found";
	return 404;
}

static void reply(int fd, const char *request)
{
	char method[8] = "", path[256] = "", head[256];
	const char *text = "bad request";
	int code = 400;

	if (sscanf(request, "%7s %255s", method, path) == 2) {
		path[strcspn(path, "?")] = '\0';
		code = answer(method, path, &text);
	}
	int n = snprintf(
	    head, sizeof(head),
	    "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    code, code < 400 ? "OK" : "Error", strlen(text) + 1);
	(void)send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE);
	if (strcmp(method, "HEAD") != 0) {
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_MORE);
		(void)send(fd, "\n", 1, MSG_NOSIGNAL);
	}
	shutdown(fd, SHUT_WR);
	printf("%s %s %d\n", method, path, code);
}

static void drop(nfds_t i)
{
	nfds_t last = --service.n_fds;

	close(service.fds[i].fd);
	service.fds[i] = service.fds[last];
	service.connections[i - FIRST_CONNECTION] = service.connections[last - FIRST_CONNECTION];
}

static void accept_one(void)
{
	// cppcheck-suppress nullPointer // accept4 takes NULL from who does not want the address
	int fd = accept4(service.fds[1].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (service.n_fds == FIRST_CONNECTION + MAX_CONNECTIONS)
		drop(FIRST_CONNECTION); /* the oldest makes room: a stalled client cannot lock others out */
	service.fds[service.n_fds] = (struct pollfd){ .fd = fd, .events = POLLIN };
	service.connections[service.n_fds - FIRST_CONNECTION].len = 0;
	service.n_fds++;
}

/* Reads what is there; true when the connection is done with. */
static bool serve(nfds_t i)
{
	struct connection *c = &service.connections[i - FIRST_CONNECTION];
	ssize_t n = recv(service.fds[i].fd, c->request + c->len, MAX_REQUEST - c->len, 0);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	c->len += (size_t)n;
	c->request[c->len] = '\0';
	if (n > 0 && c->len < MAX_REQUEST && !strstr(c->request, "\r\n\r\n"))
		return false;
	if (c->len > 0)
		reply(service.fds[i].fd, c->request);
	return true;
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0) {
		fprintf(stderr, "market-data: cannot listen on port %u: %s\n", port, strerror(errno));
		exit(1);
	}
	return fd;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(void)
{
	unsigned long port = strtoul(env_or("PORT", "8080"), NULL, 10);

	if (port == 0 || port > UINT16_MAX) {
		fprintf(stderr, "market-data: PORT must be between 1 and 65535\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	service.pod = env_or("HOSTNAME", "unknown");
	service.version = env_or("VERSION", "unversioned");
	service.fds[0] = (struct pollfd){ .fd = watch_signals(), .events = POLLIN };
	service.fds[1] = (struct pollfd){ .fd = listen_on((uint16_t)port), .events = POLLIN };
	service.n_fds = FIRST_CONNECTION;
	printf("market-data %s on port %lu\n", service.version, port);

	for (;;) {
		if (poll(service.fds, service.n_fds, -1) < 0)
			continue;
		if (service.fds[0].revents) {
			printf("terminated, goodbye\n");
			return 0;
		}
		for (nfds_t i = service.n_fds; i-- > FIRST_CONNECTION;)
			if (service.fds[i].revents && serve(i))
				drop(i);
		if (service.fds[1].revents)
			accept_one();
	}
}
