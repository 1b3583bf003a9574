#include "lib/api_client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"
#include "lib/mem.h"

#define TIMEOUT_MS 30000
/* A burst that begins with idle connections opens these, and a handshake takes both sides as long as ten
 * requests. This many in flight of each program fill the server's transactions. */
#define MAX_CONNECTIONS 32
#define MAX_SHOWN_BODY  256

struct api_client {
	struct loop *loop;
	struct http_client *http;
	char *server;
};

/* One exchange's callbacks, between http_client's and the program's. */
struct exchange {
	bool (*data)(const char *data, size_t len, void *arg);
	void (*done)(const struct api_response *response, void *arg);
	void *arg;
};

static struct api_client *client_new(struct loop *loop, const struct kubeconfig *config,
				     const char *user_agent, bool ahead, struct err *err)
{
	struct http_identity identity = {
		.ca_pem = config->ca_pem,
		.cert_pem = config->cert_pem,
		.key_pem = config->key_pem,
		.token = config->token,
		.impersonation = config->impersonation,
		.tls_server_name = config->tls_server_name,
		.insecure_skip_verify = config->insecure_skip_verify,
	};
	struct http_client *http =
	    ahead ? http_client_new_ahead(loop, &identity, config->server, MAX_CONNECTIONS, user_agent, err)
		  : http_client_new(loop, &identity, MAX_CONNECTIONS, user_agent, err);

	if (!http)
		return NULL;
	struct api_client *client = mem_zalloc(sizeof(*client));
	client->loop = loop;
	client->http = http;
	client->server = mem_dup(config->server);
	return client;
}

struct api_client *api_client_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
				  struct err *err)
{
	return client_new(loop, config, user_agent, false, err);
}

struct api_client *api_client_new_ahead(struct loop *loop, const struct kubeconfig *config,
					const char *user_agent, struct err *err)
{
	return client_new(loop, config, user_agent, true, err);
}

void api_client_free(struct api_client *client)
{
	if (!client)
		return;
	http_client_free(client->http);
	free(client->server);
	free(client);
}

struct http_client *api_client_http(struct api_client *client)
{
	return client->http;
}

const char *api_client_server(const struct api_client *client)
{
	return client->server;
}

static bool inside_character(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* What is wrong with a patch is said behind the patch itself: of a long message its middle goes, not its end.
 */
static void set_message(struct err *err, enum err_kind kind, const char *message)
{
	static const char of_patch[] = " \"\" is invalid: patch: ";
	size_t len = strlen(message), head = 300, tail = 450;

	if (len <= head + tail || strncmp(message, of_patch, strlen(of_patch)) != 0) {
		err_set(err, kind, "%s", message);
		return;
	}
	while (inside_character(message[head]))
		head--;
	while (inside_character(message[len - tail]))
		tail--;
	err_set(err, kind, "%.*s...%s", (int)head, message, message + len - tail);
}

void api_client_status_error(const struct http_response *http, struct err *err)
{
	CLEANUP(json_putp) struct json_object *status = NULL;
	size_t len = http->len;

	if (strncasecmp(http->content_type, "application/json", 16) == 0 && len > 0 &&
	    json_parse(http->data, len, &status, NULL, NULL) == 0 &&
	    strcmp(json_str_or_empty(status, "kind"), "Status") == 0) {
		const char *message = json_str(status, "message");
		enum err_kind kind = err_kind_of_status(json_str(status, "reason"), http->code);

		set_message(err, kind, message && *message ? message : err_status_reason(kind));
		return;
	}
	/* A proxy's page or a plain text: its beginning. */
	while (len > 0 && strchr(" \t\r\n", http->data[len - 1]))
		len--;
	if (len > MAX_SHOWN_BODY)
		len = MAX_SHOWN_BODY;
	err_set(err, err_kind_of_status(NULL, http->code), "the server answered %d%s%.*s", http->code,
		len > 0 ? ": " : "", (int)len, http->data);
}

static void translate(const struct http_response *http, struct api_response *ret)
{
	*ret = (struct api_response){
		.code = http->code,
		.data = http->data,
		.len = http->len,
		.content_type = http->content_type,
		.warning = http->warning,
		.retry_after_s = http->retry_after_s,
		.err = http->err,
	};
	if (http->err.kind == ERR_NONE && (http->code < 200 || http->code > 299))
		api_client_status_error(http, &ret->err);
}

static bool exchange_data(const char *data, size_t len, void *arg)
{
	const struct exchange *exchange = arg;

	return exchange->data(data, len, exchange->arg);
}

static void exchange_done(const struct http_response *http, void *arg)
{
	const struct exchange *exchange = arg;
	struct api_response response;

	translate(http, &response);
	exchange->done(&response, exchange->arg);
}

static struct http_call *send_request(struct api_client *client, struct http_request *request,
				      const char *path, const struct exchange *exchange)
{
	CLEANUP(buf_close) struct buf url = BUF_INIT;

	buf_str(&url, client->server);
	buf_str(&url, path);
	request->url = url.data;
	request->release = free;
	return http_client_send(client->http, request, exchange->data ? exchange_data : NULL, exchange_done,
				mem_copy(exchange, sizeof(*exchange)));
}

struct http_call *api_client_call(struct api_client *client, const char *method, const char *path,
				  const char *content_type, const char *body, size_t body_len,
				  void (*done)(const struct api_response *response, void *arg), void *arg)
{
	struct http_request request = {
		.method = method,
		.content_type = content_type ? content_type
				: body       ? "application/json"
					     : NULL,
		.body = body,
		.body_len = body_len,
		.timeout_ms = TIMEOUT_MS,
	};

	return send_request(client, &request, path, &(struct exchange){ .done = done, .arg = arg });
}

struct http_call *api_client_stream(struct api_client *client, const char *path, const char *accept,
				    bool (*data)(const char *data, size_t len, void *arg),
				    void (*done)(const struct api_response *response, void *arg), void *arg)
{
	struct http_request request = { .method = "GET", .accept = accept };

	return send_request(client, &request, path,
			    &(struct exchange){ .data = data, .done = done, .arg = arg });
}

/* What api_client_do waits for. */
struct wait {
	bool over;
	struct buf *body;
	char **warning;
	struct err *err;
	int result;
};

static void wait_done(const struct api_response *response, void *arg)
{
	struct wait *wait = arg;

	wait->over = true;
	if (wait->warning)
		*wait->warning = mem_dup(response->warning);
	if (response->err.kind != ERR_NONE) {
		if (wait->err)
			*wait->err = response->err;
		wait->result = -1;
	} else if (wait->body) {
		buf_add(wait->body, response->data, response->len);
	}
}

int api_client_do(struct api_client *client, const char *method, const char *path, const char *accept,
		  const char *content_type, const char *body, size_t body_len, struct buf *ret_body,
		  char **ret_warning, struct err *err)
{
	struct wait wait = { .body = ret_body, .warning = ret_warning, .err = err };
	struct http_request request = {
		.method = method,
		.accept = accept,
		.content_type = content_type ? content_type
				: body       ? "application/json"
					     : NULL,
		.body = body,
		.body_len = body_len,
		.timeout_ms = TIMEOUT_MS,
	};

	send_request(client, &request, path, &(struct exchange){ .done = wait_done, .arg = &wait });
	while (!wait.over)
		loop_turn(client->loop, -1);
	return wait.result;
}
