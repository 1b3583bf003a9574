#include "lib/http_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "lib/http_multi.h"
#include "lib/http_trust.h"
#include "lib/mem.h"

#define DEFAULT_MAX_RESPONSE ((size_t)256 << 20)
#define MAX_HEADER_TEXT      4096 /* of Warning headers kept */
#define MAX_IDLE_CALLS       64   /* pooled handles */
#define MAX_IDLE_BUF         ((size_t)64 << 10)
#define CONNECT_TIMEOUT_MS   10000L

/* Where a call is:
 *
 *   QUEUED ──task──▶ ACTIVE ──libcurl──▶ FINISHED ──done()──▶ IDLE (pooled)
 *      │               │ cancel within       │ cancel           ▲
 *      │ cancel        ▼ libcurl             │                  │
 *      └────────▶  CANCELLED ────────────────┴──────────────────┘
 *
 * Sending only queues and libcurl's answers are only collected while it runs, so that callbacks may do as
 * they like: nothing of theirs happens on libcurl's stack but the data callback, and what that one cancels
 * waits as CANCELLED until libcurl has returned. */
enum call_state { CALL_IDLE, CALL_QUEUED, CALL_ACTIVE, CALL_FINISHED, CALL_CANCELLED, CALL_STATES };

struct http_call {
	TAILQ_ENTRY(http_call) link;
	struct http_client *client;
	CURL *easy;
	enum call_state state;
	bool in_multi;
	bool (*data)(const char *data, size_t len, void *arg);
	void (*done)(const struct http_response *response, void *arg);
	void (*release)(void *arg);
	void *arg;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	struct buf request; /* body sent */
	struct buf body;    /* body received whole */
	struct buf warnings;
	long retry_after_s;
	long code;
	bool verify; /* as set in EASY */
	bool ended_by_reader;
	bool paused, resumed;
	CURLcode result;
	char message[CURL_ERROR_SIZE];
};
TAILQ_HEAD(call_list, http_call);

struct http_client {
	struct loop *loop;
	struct http_multi multi;
	struct loop_task task; /* starts what is queued */
	CURLSH *share;         /* TLS sessions, so that a new connection resumes */
	char *user_agent;
	char *authorization;
	char *tls_server_name;
	struct http_trust trust;
	bool insecure;
	struct call_list lists[CALL_STATES];
	size_t in_flight;
	size_t n_idle;
	size_t n_active, max_active;
	bool any_resumed;
	unsigned busy; /* depth of callbacks under way */
	bool freed;    /* by one of them: the rest happens when they have returned */
};

static void destroy(struct http_client *client);
static void start_queued(struct loop_task *task, void *arg);
static void multi_turned(void *arg);

struct http_client *http_client_new(struct loop *loop, const struct http_identity *identity,
				    long max_connections, const char *user_agent, struct err *err)
{
	static const struct http_identity nobody;
	struct http_client *client = mem_zalloc(sizeof(*client));

	if (!identity)
		identity = &nobody;
	client->loop = loop;
	client->max_active = (size_t)max_connections;
	client->trust = HTTP_TRUST_INIT;
	client->user_agent = mem_dup(user_agent);
	client->tls_server_name = mem_dup(identity->tls_server_name);
	client->insecure = identity->insecure_skip_verify;
	client->task = (struct loop_task){ .fn = start_queued, .arg = client };
	if (identity->token)
		client->authorization = mem_printf("Authorization: Bearer %s", identity->token);
	for (size_t i = 0; i < CALL_STATES; i++)
		TAILQ_INIT(&client->lists[i]);
	/* libcurl counts its users; the process-wide state is never torn down. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_INTERNAL, "HTTP client: libcurl cannot be initialised");
		goto fail;
	}
	if (http_trust_init(&client->trust, identity, err) < 0)
		goto fail;
	client->share = curl_share_init();
	if (client->share)
		curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	if (http_multi_init(&client->multi, loop, max_connections, multi_turned, client, err) < 0)
		goto fail;
	return client;
fail:
	destroy(client);
	return NULL;
}

/* Header lines of an answer. A redirect or a 100 Continue brings several heads: the last one counts. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * n;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		call->code = 0;
		call->retry_after_s = -1;
		buf_reset(&call->warnings);
	} else if (len > 12 && strncasecmp(line, "Retry-After:", 12) == 0) {
		char number[16] = "";
		char *end;

		memcpy(number, line + 12, len - 12 < sizeof(number) - 1 ? len - 12 : sizeof(number) - 1);
		long seconds = strtol(number, &end, 10);
		/* The other form, a date, is not used by API servers. */
		if (end != number && seconds >= 0)
			call->retry_after_s = seconds;
	} else if (len > 8 && strncasecmp(line, "Warning:", 8) == 0) {
		/* 299 - "text with \" and \\ escaped" (RFC 7234 section 5.5) */
		const char *p = memchr(line, '"', len);
		const char *end = line + len;

		if (!p)
			return len;
		if (call->warnings.len > 0)
			buf_char(&call->warnings, '\n');
		for (p++; p < end && *p != '"'; p++) {
			if (*p == '\\' && p + 1 < end)
				p++;
			buf_char(&call->warnings, *p);
		}
	}
	return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * n;

	if (call->state == CALL_CANCELLED)
		return 0;
	if (call->paused)
		return CURL_WRITEFUNC_PAUSE; /* libcurl keeps DATA and brings it again */
	if (call->code == 0)
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->code);
	if (call->data && call->code >= 200 && call->code < 300) {
		bool more = call->data(data, len, call->arg);

		if (call->state == CALL_CANCELLED)
			return 0;
		if (!more) {
			call->ended_by_reader = true;
			return 0;
		}
		return len;
	}
	buf_add(&call->body, data, len);
	return call->body.failed ? 0 : len;
}

static void move(struct http_call *call, enum call_state state)
{
	struct call_list *lists = call->client->lists;

	TAILQ_REMOVE(&lists[call->state], call, link);
	call->state = state;
	TAILQ_INSERT_TAIL(&lists[state], call, link);
}

/* A handle with all that does not differ between requests. */
static struct http_call *call_new(struct http_client *client)
{
	struct http_call *call = mem_zalloc(sizeof(*call));
	CURL *easy = curl_easy_init();

	if (!easy)
		abort(); /* as mem_alloc does */
	call->client = client;
	call->easy = easy;
	call->warnings = BUF_INIT_MAX(MAX_HEADER_TEXT);
	call->state = CALL_IDLE;
	TAILQ_INSERT_TAIL(&client->lists[CALL_IDLE], call, link);
	client->n_idle++;

	http_multi_prepare(&client->multi, easy);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the cluster's own addresses, never by way of others */
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (client->user_agent)
		curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
	if (client->share)
		curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
	call->verify = !client->insecure;
	http_trust_apply(&client->trust, easy, call->verify);
	return call;
}

/* Not from within libcurl. */
static void leave_multi(struct http_call *call)
{
	struct http_client *client = call->client;

	if (!call->in_multi)
		return;
	curl_multi_remove_handle(client->multi.multi, call->easy);
	call->in_multi = false;
	client->n_active--;
	if (!TAILQ_EMPTY(&client->lists[CALL_QUEUED]))
		loop_post(client->loop, &client->task);
}

static void call_free(struct http_call *call)
{
	struct http_client *client = call->client;

	leave_multi(call);
	TAILQ_REMOVE(&client->lists[call->state], call, link);
	curl_easy_cleanup(call->easy);
	if (call->release)
		call->release(call->arg);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	buf_close(&call->request);
	buf_close(&call->body);
	buf_close(&call->warnings);
	free(call);
}

static void buf_idle(struct buf *b)
{
	if (b->cap > MAX_IDLE_BUF)
		buf_close(b);
	else
		buf_reset(b);
}

/* Back to the pool. Not from within libcurl. */
static void call_retire(struct http_call *call)
{
	struct http_client *client = call->client;

	leave_multi(call);
	call->done = NULL;
	if (call->release)
		TAKE(call->release)(call->arg);
	move(call, CALL_IDLE);
	client->n_idle++;
	if (client->n_idle > MAX_IDLE_CALLS) {
		client->n_idle--;
		call_free(call);
		return;
	}
	buf_idle(&call->request);
	buf_idle(&call->body);
	buf_idle(&call->warnings);
}

static void add_header(struct http_call *call, const char *name, const char *value)
{
	CLEANUP(mem_freep) char *line = mem_printf("%s: %s", name, value);

	call->headers = curl_slist_append(call->headers, line);
}

static void set_method(CURL *easy, const char *method, const struct buf *body, bool has_body)
{
	bool head = strcmp(method, "HEAD") == 0;

	/* HTTPGET undoes what a former NOBODY or POST left in the handle. */
	curl_easy_setopt(easy, CURLOPT_NOBODY, head ? 1L : 0L);
	if (!head)
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (has_body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->data ? body->data : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, head ? NULL : method);
}

/* The name to verify stands in the URL, and the connection goes to the host that was there. */
static void set_server_name(struct http_call *call, const char *url)
{
	CURLU *parsed = curl_url();
	char *host = NULL, *port = NULL, *renamed = NULL;

	if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_set(parsed, CURLUPART_HOST, call->client->tls_server_name, 0) == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_URL, &renamed, 0) == CURLUE_OK) {
		CLEANUP(mem_freep) char *to = mem_printf("::%s:%s", host, port);
		CLEANUP(mem_freep) char *authority = mem_printf("%s:%s", host, port);

		call->connect_to = curl_slist_append(NULL, to);
		add_header(call, "Host", authority);
		curl_easy_setopt(call->easy, CURLOPT_URL, renamed);
	}
	curl_free(host);
	curl_free(port);
	curl_free(renamed);
	curl_url_cleanup(parsed);
}

static void call_prepare(struct http_call *call, const struct http_request *request)
{
	struct http_client *client = call->client;
	CURL *easy = call->easy;
	bool verify = !client->insecure && !request->insecure_peer;
	bool has_body = request->body_len > 0 || request->content_type ||
			strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
			strcmp(request->method, "PATCH") == 0;

	buf_add(&call->request, request->body, request->body_len);
	call->body.max = request->max_response_bytes ? request->max_response_bytes : DEFAULT_MAX_RESPONSE;
	call->retry_after_s = -1;
	call->code = 0;
	call->ended_by_reader = false;
	call->paused = call->resumed = false;
	call->message[0] = '\0';

	curl_slist_free_all(TAKE(call->headers));
	curl_slist_free_all(TAKE(call->connect_to));
	add_header(call, "Accept", request->accept ? request->accept : "application/json");
	if (has_body) {
		add_header(call, "Content-Type",
			   request->content_type ? request->content_type : "application/json");
		call->headers = curl_slist_append(call->headers, "Expect:"); /* no 100-continue round trip */
	}
	if (client->authorization)
		call->headers = curl_slist_append(call->headers, client->authorization);
	for (const char *const *h = request->headers; h && *h; h++)
		call->headers = curl_slist_append(call->headers, *h);

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (client->tls_server_name && !request->unix_socket)
		set_server_name(call, request->url);
	set_method(easy, request->method, &call->request, has_body);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->follow_redirects ? 1L : 0L);
	if (verify != call->verify)
		http_trust_apply(&client->trust, easy, verify);
	call->verify = verify;
}

struct http_call *http_client_send(struct http_client *client, const struct http_request *request,
				   bool (*data)(const char *data, size_t len, void *arg),
				   void (*done)(const struct http_response *response, void *arg), void *arg)
{
	struct http_call *call = TAILQ_LAST(&client->lists[CALL_IDLE], call_list);

	if (!call)
		call = call_new(client);
	client->n_idle--;
	call->data = data;
	call->done = done;
	call->release = request->release;
	call->arg = arg;
	call_prepare(call, request);
	move(call, CALL_QUEUED);
	client->in_flight++;
	loop_post(client->loop, &client->task);
	return call;
}

static void finish(struct http_call *call, CURLcode result)
{
	call->result = result;
	move(call, CALL_FINISHED);
}

static void resume(struct http_client *client)
{
	struct http_call *call;

	client->any_resumed = false;
	client->multi.inside++; /* the data callback runs within */
	TAILQ_FOREACH(call, &client->lists[CALL_ACTIVE], link)
	{
		if (!call->resumed)
			continue;
		call->resumed = false;
		curl_easy_pause(call->easy, CURLPAUSE_CONT);
		if (call->state != CALL_ACTIVE) {
			/* Its callback cancelled it, and it stands in another list now: look again. */
			client->any_resumed = true;
			loop_post(client->loop, &client->task);
			break;
		}
	}
	client->multi.inside--;
}

static void start_queued(struct loop_task *task, void *arg)
{
	struct http_client *client = arg;
	struct http_call *call;

	(void)task;
	client->busy++;
	/* libcurl would queue them as well, but walks its whole queue each time a connection falls free. */
	while (client->n_active < client->max_active && (call = TAILQ_FIRST(&client->lists[CALL_QUEUED]))) {
		if (curl_multi_add_handle(client->multi.multi, call->easy) == CURLM_OK) {
			call->in_multi = true;
			client->n_active++;
			move(call, CALL_ACTIVE);
		} else {
			finish(call, CURLE_OUT_OF_MEMORY);
		}
	}
	if (client->any_resumed)
		resume(client);
	client->busy--;
	multi_turned(client);
}

enum err_kind http_client_err_kind(int curl_code)
{
	switch (curl_code) {
	case CURLE_OK:
		return ERR_NONE;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return ERR_BAD_REQUEST;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_FILESIZE_EXCEEDED:
		return ERR_LIMIT;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_INTERNAL;
	default:
		return ERR_CONNECTION;
	}
}

static void describe_failure(struct http_call *call, struct err *err)
{
	enum err_kind kind = http_client_err_kind((int)call->result);
	const char *why = call->message[0] ? call->message : curl_easy_strerror(call->result);
	char *url = NULL;
	long os_errno = 0;

	if (call->ended_by_reader) {
		kind = ERR_CONNECTION;
		why = "ended by its reader";
	} else if (call->body.failed) {
		err_set(err, ERR_LIMIT, "the answer is larger than %zu bytes", call->body.max);
		kind = ERR_NONE;
	}
	if (kind != ERR_NONE)
		err_set(err, kind, "%s", why);
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (err->kind == ERR_CONNECTION)
		err->errnum = (int)os_errno;
	curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (url)
		err_wrap(err, "%.400s", url);
}

static void deliver(struct http_call *call)
{
	struct http_client *client = call->client;
	struct http_response response = { .retry_after_s = call->retry_after_s,
					  .data = "",
					  .content_type = "" };
	long code = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &code);
	response.code = (int)code;
	if (call->result != CURLE_OK) {
		describe_failure(call, &response.err);
	} else {
		char *type = NULL;

		curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
		if (type)
			response.content_type = type;
		if (call->warnings.len > 0)
			response.warning = call->warnings.data;
		if (call->body.data) {
			response.data = call->body.data;
			response.len = call->body.len;
		}
	}
	client->in_flight--;
	/* Without a DONE it is over for http_call_cancel, should the callback try. */
	TAKE(call->done)(&response, call->arg);
	call_retire(call);
}

/* After libcurl ran: collect what ended, then tell. Runs nested only when a callback runs the loop, and then
 * leaves the telling to the outer one. */
static void multi_turned(void *arg)
{
	struct http_client *client = arg;
	struct http_call *call;
	CURLMsg *message;
	int left;

	if (client->busy > 0 || http_multi_inside(&client->multi))
		return;
	client->busy++;
	while ((message = curl_multi_info_read(client->multi.multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		CURLcode result = message->data.result;
		leave_multi(call); /* MESSAGE is gone */
		if (call->state == CALL_ACTIVE)
			finish(call, result);
	}
	do {
		while ((call = TAILQ_FIRST(&client->lists[CALL_CANCELLED])))
			call_retire(call);
		call = client->freed ? NULL : TAILQ_FIRST(&client->lists[CALL_FINISHED]);
		if (call)
			deliver(call);
	} while (call);
	client->busy--;
	if (client->freed)
		destroy(client);
}

void http_call_cancel(struct http_call *call)
{
	struct http_client *client;

	if (!call || !call->done || call->state == CALL_CANCELLED)
		return;
	client = call->client;
	client->in_flight--;
	move(call, CALL_CANCELLED);
	if (!http_multi_inside(&client->multi) && client->busy == 0)
		call_retire(call);
}

void http_call_pause(struct http_call *call, bool paused)
{
	if (call->paused && !paused) {
		call->resumed = true;
		call->client->any_resumed = true;
		loop_post(call->client->loop, &call->client->task);
	}
	call->paused = paused;
}

size_t http_client_in_flight(const struct http_client *client)
{
	return client->in_flight;
}

static void destroy(struct http_client *client)
{
	struct http_call *call;

	client->multi.inside++;
	for (size_t i = 0; i < CALL_STATES; i++) {
		while ((call = TAILQ_FIRST(&client->lists[i])))
			call_free(call);
	}
	client->multi.inside--;
	loop_unpost(client->loop, &client->task);
	http_multi_close(&client->multi);
	if (client->share)
		curl_share_cleanup(client->share);
	http_trust_close(&client->trust);
	free(client->user_agent);
	if (client->authorization)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	free(client->tls_server_name);
	free(client);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	if (client->busy == 0 && !http_multi_inside(&client->multi)) {
		destroy(client);
		return;
	}
	client->freed = true;
	for (enum call_state state = CALL_QUEUED; state <= CALL_FINISHED; state++) {
		struct http_call *call = TAILQ_FIRST(&client->lists[state]);

		while (call) {
			struct http_call *next = TAILQ_NEXT(call, link);

			http_call_cancel(call);
			call = next;
		}
	}
}
