#include "tests/fuzz/edge_fixture.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apiserver/admission/policies.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/bootstrap.h"
#include "apiserver/edge/log_stream.h"
#include "apiserver/edge/request.h"
#include "apiserver/edge/server.h"
#include "apiserver/service/keeper.h"
#include "lib/timefmt.h"

/* Without progress: for the answer to a request in flight; for the first event of a watch, which is no longer
 * one; and for what comes when there is neither. */
#define PATIENCE_MS 1000
#define WATCH_MS    200
#define QUIET_MS    3

static struct service_keeper *services;
static struct server server = { .max_reads = 400, .max_writes = 200, .answer_ms = 60000 };

/* --- a store that forgets --- */

static int forget_load(struct store *store, const struct store_loader *loader, uint64_t *ret_revision,
		       struct err *err)
{
	(void)store;
	(void)loader;
	(void)err;
	*ret_revision = 0;
	return 0;
}

static int forget_commit(struct store *store, const struct store_batch *batch, struct err *err)
{
	(void)store;
	(void)err;
	for (size_t i = 1; i < batch->n_changes; i++)
		if (batch->changes[i].revision <= batch->changes[i - 1].revision)
			abort();
	return 0;
}

static bool forget_maintain(struct store *store, bool idle)
{
	(void)store;
	(void)idle;
	return false;
}

static uint64_t forget_size(struct store *store)
{
	(void)store;
	return 0;
}

static void forget_close(struct store *store)
{
	(void)store;
}

static const struct store_ops forget_ops = {
	.name = "forget",
	.load = forget_load,
	.commit = forget_commit,
	.maintain = forget_maintain,
	.size = forget_size,
	.close = forget_close,
};

/* --- node agents: every log is one line (in place of log_stream.c) --- */

struct log_stream {
	size_t sent;
};

static const char log_line[] = "a line of a log\n";

struct log_stream *log_stream_open(struct http_client *agents, const char *url, void (*changed)(void *arg),
				   void *arg)
{
	(void)agents;
	(void)changed;
	(void)arg;
	if (strncmp(url, "https://", 8) != 0)
		abort();
	return mem_zalloc(sizeof(struct log_stream));
}

bool log_stream_begun(const struct log_stream *stream)
{
	(void)stream;
	return true;
}

int log_stream_code(const struct log_stream *stream, const char **ret_body, const struct err **ret_err)
{
	(void)stream;
	*ret_body = "";
	*ret_err = NULL;
	return 200;
}

ssize_t log_stream_read(struct log_stream *stream, char *data, size_t size)
{
	size_t left = sizeof(log_line) - 1 - stream->sent, n = left < size ? left : size;
	memcpy(data, log_line + stream->sent, n);
	stream->sent += n;
	return n ? (ssize_t)n : -1;
}

void log_stream_close(struct log_stream *stream)
{
	free(stream);
}

/* --- the server --- */

/* The token file, without a file. */
static const char *token_file(void)
{
	static const char line[] = EDGE_TOKEN ",admin,admin,\"system:masters\"\n";
	static char path[32];
	int fd = memfd_create("tokens", MFD_CLOEXEC);
	if (fd < 0 || write(fd, line, sizeof(line) - 1) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

void edge_start(void)
{
	static struct edge edge;
	schema_learn_names();
	json_origin_check_copies();
	resource_all(&(size_t){ 0 });
	pthread_mutex_init(&server.lock, NULL);
	struct authn_opts authn_opts = { .token_file = token_file() };
	/* As server.c has it, but for TLS, threads and a socket to listen on. */
	struct http_server_opts http = { .max_body_bytes = REQUEST_DISCARD_MAX };
	if (authn_new(&authn_opts, &server.authn, NULL) < 0 || edge_init(&edge, &server, &http, NULL) < 0)
		abort();
	server.edges = &edge;
	server.n_edges = 1;
}

void edge_new_core(void)
{
	static struct store store = { .ops = &forget_ops };
	struct core_opts opts = { .store = &store,
				  .history_events = 1000,
				  .history_ms = 60000,
				  .event_ttl_ms = 3600000,
				  .watch_max_bytes = 1024 * 1024,
				  .max_watches = 100 };
	authz_free(TAKE(server.authz));
	if (server.core) {
		policies_free(server.policies);
		service_keeper_free(services);
		core_stop_and_free(server.core);
	}
	if (core_new(&opts, &server.core, NULL) < 0 || core_start(server.core, NULL) < 0 ||
	    bootstrap(server.core, NULL) < 0)
		abort();
	server.authz = authz_new(server.core);
	server.policies = policies_new(server.core);
	services = service_keeper_new(server.core, &SERVICE_NETWORKS_INIT);
	if (service_keeper_prepare(services, NULL) < 0)
		abort();
	server.allocator = service_keeper_allocator(services);
}

static void listed(struct core_command *command)
{
	sem_post(command->arg);
}

void edge_list(const struct resource *resource, struct core_command *ret)
{
	sem_t done;
	sem_init(&done, 0, 0);
	*ret = (struct core_command){ .op = CORE_LIST, .resource = resource, .reply = listed, .arg = &done };
	core_submit(server.core, ret);
	while (sem_wait(&done) < 0 && errno == EINTR) {
	}
	sem_destroy(&done);
}

/* --- a connection --- */

static int connect_pair(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	http_server_adopt(server.edges->http, ends[1]);
	return ends[0];
}

/* True at the end of what the server says. */
static bool receive(int fd, struct buf *ret)
{
	char chunk[16384];
	ssize_t n;
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(ret, chunk, (size_t)n);
	return n == 0 || errno != EAGAIN;
}

/* The number of bytes of DATA that went out, at most PIECE. */
static size_t send_piece(int fd, const char *data, size_t left, size_t piece)
{
	ssize_t n = send(fd, data, piece && piece < left ? piece : left, MSG_NOSIGNAL);
	return n > 0 ? (size_t)n : 0;
}

/* True when nothing more is to be expected of the server that said or took something last at SINCE_MS. */
static bool is_over(int64_t since_ms)
{
	bool asked = server.reads || server.writes;
	return time_mono_ms() - since_ms >= (asked ? PATIENCE_MS : server.watches ? WATCH_MS : QUIET_MS);
}

void edge_exchange(const void *data, size_t size, size_t piece, struct buf *ret)
{
	int fd = connect_pair();
	struct edge *edge = server.edges;
	const char *text = data;
	bool open = true;
	int64_t progress_ms = time_mono_ms();
	for (size_t sent = 0, received = 0; !receive(fd, ret);) {
		size_t n = sent < size ? send_piece(fd, text + sent, size - sent, piece) : 0;
		bool progress = n || ret->len != received;
		sent += n;
		received = ret->len;
		if (!progress && !open && is_over(progress_ms))
			break;
		/* What stands behind a watch is not read before it ends. */
		if (!progress && open && (sent == size || is_over(progress_ms))) {
			shutdown(fd, SHUT_WR);
			open = false;
			progress = true;
		}
		if (progress)
			progress_ms = time_mono_ms();
		loop_turn(edge->loop, progress ? 0 : 1);
	}
	shutdown(fd, SHUT_RDWR);
	close(fd);
	while (http_server_connections(edge->http) || server.reads || server.writes || server.watches ||
	       server.body_bytes || server.answer_bytes)
		loop_turn(edge->loop, 10);
}

/* --- answers --- */

static const char *header_of(const char *head, const char *end, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = head; line < end;
	     line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1)
		if ((size_t)(end - line) > len && strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	return NULL;
}

static bool take_chunk(const char **text, const char *end, struct edge_answer *ret)
{
	char *after;
	if (*text >= end)
		return false; /* the connection ended within a stream */
	unsigned long len = strtoul(*text, &after, 16);
	if (after == *text || strncmp(after, "\r\n", 2) != 0 || len + 4 > (size_t)(end - after))
		abort();
	buf_add(&ret->body, after + 2, len);
	if (strncmp(after + 2 + len, "\r\n", 2) != 0)
		abort();
	*text = after + 4 + len;
	ret->chunked = len == 0;
	return len > 0;
}

bool edge_answer_next(const char **text, const char *end, bool head, struct edge_answer *ret)
{
	*ret = (struct edge_answer){ 0 };
	if (*text == end)
		return false;
	const char *head_end = memmem(*text, (size_t)(end - *text), "\r\n\r\n", 4);
	if (!head_end || sscanf(*text, "HTTP/1.1 %3d ", &ret->code) != 1)
		abort();
	head_end += 4;
	ret->type = header_of(*text, head_end, "Content-Type");
	const char *length = header_of(*text, head_end, "Content-Length");
	const char *coding = header_of(*text, head_end, "Transfer-Encoding");
	*text = head_end;
	buf_str(&ret->body, "");
	if (head || ret->code == 304 || ret->code == 204 || ret->code == 100)
		return true;
	if (coding) {
		while (take_chunk(text, end, ret)) {
		}
		return true;
	}
	size_t len = length ? strtoul(length, NULL, 10) : (size_t)(end - *text);
	if (len > (size_t)(end - *text))
		abort();
	buf_add(&ret->body, *text, len);
	*text += len;
	return true;
}

void edge_answer_close(struct edge_answer *answer)
{
	buf_close(&answer->body);
}

/* What Kubernetes answers with a 5xx as well: a version that is not there yet, a node that cannot be asked
 * for a log. */
static bool is_no_fault(int code, const char *message)
{
	if (code == 501 || code == 505) /* of HTTP itself */
		return true;
	if (code == 504)
		return strstr(message, "Too large resource version") != NULL;
	if (code == 503)
		return strncmp(message, "the request was ended before", 28) == 0;
	return code == 500 && strncmp(message, "no preferred addresses found", 28) == 0;
}

static bool is_json(const struct edge_answer *answer)
{
	return answer->type && strncmp(answer->type, "application/json", 16) == 0;
}

void edge_answer_check(const struct edge_answer *answer, struct json_object **ret_json)
{
	struct json_object *json = NULL;
	bool stream = answer->chunked || memchr(answer->body.data, '\n', answer->body.len);
	*ret_json = NULL;
	if (answer->code < 100 || answer->code > 599)
		abort();
	if (is_json(answer) && answer->body.len && !stream) {
		size_t duplicates = 0;
		if (json_parse(answer->body.data, answer->body.len, &json, &duplicates, NULL) < 0 ||
		    duplicates)
			abort();
	}
	if (json && strcmp(json_str_or_empty(json, "kind"), "Status") == 0 && answer->code >= 400 &&
	    json_int(json, "code", 0) != answer->code)
		abort();
	if (answer->code >= 500 && !(json && is_no_fault(answer->code, json_str_or_empty(json, "message")))) {
		fprintf(stderr, "a fault of the server: %s\n", answer->body.data);
		abort();
	}
	*ret_json = json;
}
