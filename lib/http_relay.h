/* One HTTP request on a connection of its own, whose answer is shown as it comes: its head with all headers,
 * then its body piece by piece or, after 101 Switching Protocols, the connection itself as a byte pipe. For
 * proxies, and for all who upgrade.
 *
 *     CONNECTING ──▶ head() ─┬▶ body() ... ─▶ done()
 *                            └▶ 101: http_relay_upgrade
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/http_client.h"

struct http_relay_request {
	const char *method;
	const char *url; /* http or https */
	const char *const
	    *headers;     /* "Name: value", NULL-terminated, or NULL; Host, User-Agent, Authorization and
			   * Connection are ours unless they are among them, and so is Content-Length */
	const void *body; /* copied; or NULL */
	size_t body_len;
	int64_t head_timeout_ms; /* 0: 30,000 */
};

/* Told from the loop, never from within a call; each may free the relay. */
struct http_relay_user {
	/* HEADERS: lines "Name: value", each with a newline, valid during the call. */
	void (*head)(int code, const char *headers, void *arg);
	void (*body)(const char *data, size_t len, void *arg);
	/* The answer is whole (ERR NULL) or will never be. */
	void (*done)(const struct err *err, void *arg);
};

struct http_relay;
/* CLIENT says whom to trust and who we are, and outlives the relay. */
struct http_relay *http_relay_new(struct http_client *client, const struct http_relay_request *request,
				  const struct http_relay_user *user, void *arg, struct err *err);
/* Ends it silently. NULL is fine. Not after http_relay_upgrade. */
void http_relay_free(struct http_relay *relay);
/* Whether `body` is called: back pressure. */
void http_relay_set_reading(struct http_relay *relay, bool reading);
/* Within `head` with code 101: the connection becomes a byte pipe, and the relay is the pipe's from here on.
 * Closing the pipe closes the connection after what was written, at the latest after some seconds. */
struct byte_pipe *http_relay_upgrade(struct http_relay *relay);
/* The value of the first header NAME among the lines HEADERS. Caller frees. NULL: there is none. */
char *http_relay_header(const char *headers, const char *name);
