#include "kubectl-lite/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/session.h"
#include "lib/http_relay.h"
#include "lib/websocket.h"

#define MAX_ANSWER ((size_t)1 << 20)

struct upgrade {
	struct loop *loop;
	struct http_relay *relay; /* NULL: over, or it became PIPE */
	struct byte_pipe *pipe;
	char accept[WEBSOCKET_ACCEPT_SIZE];
	int code;
	char *protocol, *content_type;
	struct buf body; /* of another answer than 101 */
	struct err err;
	bool done;
};

static void finish(struct upgrade *u)
{
	u->done = true;
	loop_stop(u->loop);
}

static void on_early_end(const struct err *err, void *arg)
{
	(void)err;
	(void)arg;
}

static const struct byte_pipe_user nobody = { NULL, NULL, on_early_end };

static void on_head(int code, const char *headers, void *arg)
{
	struct upgrade *u = arg;

	u->code = code;
	u->content_type = http_relay_header(headers, "Content-Type");
	if (code != 101)
		return;
	CLEANUP(mem_freep) char *accept = http_relay_header(headers, "Sec-WebSocket-Accept");
	u->protocol = http_relay_header(headers, "Sec-WebSocket-Protocol");
	u->pipe = http_relay_upgrade(TAKE(u->relay));
	u->pipe->user = &nobody;
	byte_pipe_set_reading(u->pipe, false);
	if (!accept || strcmp(accept, u->accept) != 0 || !u->protocol) {
		err_set(&u->err, ERR_CONNECTION, "the server's upgrade is no WebSocket");
		byte_pipe_close(TAKE(u->pipe));
	}
	finish(u);
}

static void on_body(const char *data, size_t len, void *arg)
{
	struct upgrade *u = arg;

	buf_add(&u->body, data, len);
}

static void on_done(const struct err *err, void *arg)
{
	struct upgrade *u = arg;
	const struct http_response response = { .code = u->code,
						.content_type = u->content_type ? u->content_type : "",
						.data = u->body.data ? u->body.data : "",
						.len = u->body.len };

	if (err)
		u->err = *err;
	else
		api_client_status_error(&response, &u->err);
	http_relay_free(TAKE(u->relay));
	finish(u);
}

static const struct http_relay_user relay_user = { on_head, on_body, on_done };

struct byte_pipe *upgrade_open(const char *path, const char *protocols, char **ret_protocol, struct err *err)
{
	const struct session *session = session_open();
	char key[WEBSOCKET_KEY_SIZE];
	struct upgrade u = { .loop = session->loop, .body = BUF_INIT_MAX(MAX_ANSWER) };

	websocket_new_key(key);
	websocket_accept(key, u.accept);
	CLEANUP(mem_freep) char *url = mem_printf("%s%s", api_client_server(session->client), path);
	CLEANUP(mem_freep) char *key_header = mem_printf("Sec-WebSocket-Key: %s", key);
	CLEANUP(mem_freep) char *protocol_header = mem_printf("Sec-WebSocket-Protocol: %s", protocols);
	const char *const headers[] = { "Connection: Upgrade",
					"Upgrade: websocket",
					"Sec-WebSocket-Version: 13",
					key_header,
					protocol_header,
					NULL };
	const struct http_relay_request request = { .method = "GET", .url = url, .headers = headers };
	u.relay = http_relay_new(api_client_http(session->client), &request, &relay_user, &u, err);
	if (!u.relay)
		return NULL;
	while (!u.done)
		loop_run(session->loop);
	if (u.pipe)
		*ret_protocol = TAKE(u.protocol);
	else
		*err = u.err;
	free(u.protocol);
	free(u.content_type);
	buf_close(&u.body);
	return u.pipe;
}
