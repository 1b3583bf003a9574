#include "nodeagent/streaming/negotiate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/upgrade_pipe.h"
#include "lib/websocket.h"

#define SPDY_UPGRADE  "SPDY/3.1"
#define SPDY_VERSIONS "X-Stream-Protocol-Version"

static void refuse(struct http_exchange *exchange, int code, const char *text)
{
	http_exchange_reply(exchange, code, "text/plain; charset=utf-8", text, strlen(text));
}

/* The first of the comma separated LIST that is among KNOWN, as KNOWN has it. */
static const char *first_known(const char *list, const char *const *known)
{
	while (*list) {
		list += strspn(list, " \t,");
		size_t len = strcspn(list, " \t,");
		for (size_t i = 0; known[i] && len > 0; i++)
			if (strlen(known[i]) == len && strncmp(known[i], list, len) == 0)
				return known[i];
		list += len;
	}
	return NULL;
}

/* Of all headers NAME, which the client gives in the order of its liking. "": there is none; NULL: none is
 * known. */
static const char *choose(const struct http_exchange *exchange, const char *name, const char *const *known)
{
	const char *key, *value, *found = NULL;
	bool any = false;

	for (size_t i = 0; !found && http_exchange_header_at(exchange, i, &key, &value); i++) {
		if (strcasecmp(key, name) != 0)
			continue;
		any = true;
		found = first_known(value, known);
	}
	return any ? found : "";
}

static void refuse_protocols(struct http_exchange *exchange, const char *header, const char *const *known)
{
	char text[512];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "unable to upgrade: unable to negotiate protocol: server accepts");

	for (size_t i = 0; known[i]; i++) {
		if (header)
			http_exchange_add_header(exchange, header, known[i]);
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", known[i]);
	}
	refuse(exchange, 403, text);
}

static bool agree_websocket(struct http_exchange *exchange, const char *const *known, struct negotiated *ret)
{
	const char *version = http_exchange_header(exchange, "Sec-WebSocket-Version");
	const char *key = http_exchange_header(exchange, "Sec-WebSocket-Key");
	char accept[WEBSOCKET_ACCEPT_SIZE];

	if (!version || strcmp(version, "13") != 0) {
		http_exchange_add_header(exchange, "Sec-WebSocket-Version", "13");
		refuse(exchange, 426, "unable to upgrade: the version of WebSocket is 13");
		return false;
	}
	if (!key || !websocket_accept(key, accept)) {
		refuse(exchange, 400, "unable to upgrade: Sec-WebSocket-Key is not 16 bytes in base64");
		return false;
	}
	ret->websocket = true;
	ret->protocol = choose(exchange, "Sec-WebSocket-Protocol", known);
	if (!ret->protocol) {
		refuse_protocols(exchange, NULL, known);
		return false;
	}
	http_exchange_add_header(exchange, "Upgrade", "websocket");
	http_exchange_add_header(exchange, "Sec-WebSocket-Accept", accept);
	if (*ret->protocol)
		http_exchange_add_header(exchange, "Sec-WebSocket-Protocol", ret->protocol);
	return true;
}

static bool agree_spdy(struct http_exchange *exchange, const char *const *known, struct negotiated *ret)
{
	ret->websocket = false;
	ret->protocol = choose(exchange, SPDY_VERSIONS, known);
	if (!ret->protocol) {
		refuse_protocols(exchange, "X-Accepted-Stream-Protocol-Versions", known);
		return false;
	}
	http_exchange_add_header(exchange, "Upgrade", SPDY_UPGRADE);
	if (*ret->protocol)
		http_exchange_add_header(exchange, SPDY_VERSIONS, ret->protocol);
	return true;
}

struct byte_pipe *negotiate(struct http_exchange *exchange, const char *const *websocket,
			    const char *const *spdy, struct negotiated *ret)
{
	const char *upgrade = http_exchange_header(exchange, "Upgrade");
	bool agreed = false;

	if (upgrade && strcasecmp(upgrade, "websocket") == 0)
		agreed = agree_websocket(exchange, websocket, ret);
	else if (upgrade && strcasecmp(upgrade, SPDY_UPGRADE) == 0)
		agreed = agree_spdy(exchange, spdy, ret);
	else
		refuse(exchange, 400, "unable to upgrade: missing upgrade headers in request");
	if (!agreed)
		return NULL;
	struct byte_pipe *pipe = upgrade_pipe_new(exchange);
	if (!pipe)
		refuse(exchange, 400, "unable to upgrade: not with this connection");
	return pipe;
}
