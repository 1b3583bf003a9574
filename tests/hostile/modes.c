/* The ways to misbehave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/hostile/hostile.h"

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"
#define PIPELINED   2000
#define GIANT       (1024 * 1024)

/* One text for all peers of a mode, made by the first: HEAD with the token in it, then COUNT times REPEATED.
 */
static void shared_text(struct hostile *h, unsigned i, struct peer_plan *ret, const char *head,
			const char *repeated, size_t count)
{
	if (i == 0) {
		struct buf text = BUF_INIT;

		buf_printf(&text, "%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n", head,
			   h->server.config.token);
		for (size_t k = 0; k < count; k++)
			buf_str(&text, repeated);
		h->texts[0] = buf_take(&text);
	}
	ret->text = h->texts[0];
	ret->len = i ? strlen(h->texts[0]) : strlen(ret->text);
}

/* --- connections that come to nothing --- */

static void plan_silent(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	(void)h;
	(void)i;
	*ret = (struct peer_plan){ .text = "" };
}

static void plan_half_hello(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	(void)h;
	(void)i;
	*ret = (struct peer_plan){ .text = "\x16\x03\x01\x01\xff\x01", .len = 6 };
}

static void plan_no_request(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	plan_silent(h, i, ret);
	ret->tls = true;
}

static void plan_half_header(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	shared_text(h, i, ret, "GET " CONFIG_MAPS, "X-Half: ", 1);
}

static void plan_half_body(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	shared_text(h, i, ret, "POST " CONFIG_MAPS,
		    "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", 1);
}

/* Connected and not answered. */
static bool settled_waiting(const struct peer *peer)
{
	return peer->state == PEER_CLOSED || (peer->state == PEER_OPEN && peer_has_sent(peer));
}

/* --- requests that come in pieces --- */

static void own_create(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	CLEANUP(mem_freep) char *body = mem_printf("{\"metadata\":{\"name\":\"piece-%u\"}}", i);

	h->texts[i] = mem_printf("POST " CONFIG_MAPS
				 " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: "
				 "application/json\r\nContent-Length: %zu\r\n\r\n%s",
				 h->server.config.token, strlen(body), body);
	*ret = (struct peer_plan){ .tls = true, .text = h->texts[i], .len = strlen(h->texts[i]) };
}

static void plan_every_byte(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	own_create(h, i, ret);
	ret->piece = 1;
}

/* 201, or 409 when an earlier round made it. */
static bool settled_served(const struct peer *peer)
{
	return peer->answers[2] + peer->answers[4] == 1;
}

static void plan_slow_sender(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	own_create(h, i, ret);
	ret->piece = 1;
	ret->pause_ms = 100;
}

static bool settled_under_way(const struct peer *peer)
{
	return peer->state == PEER_OPEN && peer->sent > 1;
}

/* --- too much of something --- */

static void plan_giant_header(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	shared_text(h, i, ret, "GET " CONFIG_MAPS, "X-Giant: ", 1);
	if (i == 0) {
		h->texts[0] = mem_realloc(h->texts[0], ret->len + GIANT + 1);
		memset(h->texts[0] + ret->len, 'x', GIANT);
		h->texts[0][ret->len + GIANT] = '\0';
	}
	ret->text = h->texts[0];
	ret->len = strlen(ret->text);
}

static void plan_giant_url(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	if (i == 0) {
		struct buf text = BUF_INIT;

		buf_str(&text, "GET /");
		for (size_t k = 0; k < GIANT; k++)
			buf_char(&text, 'x');
		buf_str(&text, " HTTP/1.1\r\nHost: x\r\n\r\n");
		h->texts[0] = buf_take(&text);
	}
	ret->text = h->texts[0];
	ret->len = strlen(ret->text);
}

static void plan_many_headers(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	shared_text(h, i, ret, "GET " CONFIG_MAPS, "X-N: 1\r\n", GIANT / 8);
}

static bool settled_refused(const struct peer *peer)
{
	return peer->state == PEER_CLOSED && !peer->answers[2];
}

static void plan_pipelined(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	if (i == 0) {
		struct buf text = BUF_INIT;

		for (size_t k = 0; k < PIPELINED; k++)
			buf_str(&text, "GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
		h->texts[0] = buf_take(&text);
	}
	ret->text = h->texts[0];
	ret->len = strlen(ret->text);
}

static bool settled_pipelined(const struct peer *peer)
{
	return peer->answers[2] == PIPELINED;
}

/* --- answers that nobody takes --- */

static void plan_idle_watch(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true };
	shared_text(h, i, ret, "GET /api/v1/pods?watch=1&allowWatchBookmarks=true", "\r\n", 1);
}

static bool settled_watching(const struct peer *peer)
{
	return peer->state == PEER_OPEN && peer->answers[2] == 1;
}

static void plan_deaf_watch(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true, .deaf = true };
	shared_text(h, i, ret, "GET /api/v1/configmaps?watch=1", "\r\n", 1);
}

static void plan_deaf_list(struct hostile *h, unsigned i, struct peer_plan *ret)
{
	*ret = (struct peer_plan){ .tls = true, .deaf = true };
	shared_text(h, i, ret, "GET /api/v1/configmaps", "\r\n", 1);
}

static bool settled_sent(const struct peer *peer)
{
	return peer_has_sent(peer);
}

const struct mode modes[] = {
	{ "connections without a TLS hello", 500, 5000, false, false, 2, plan_silent, settled_waiting,
	  "taken" },
	{ "half a TLS hello", 500, 5000, false, false, 2, plan_half_hello, settled_waiting, "taken" },
	{ "TLS and no request", 200, 2000, false, false, 100, plan_no_request, settled_waiting, "taken" },
	{ "half a header", 200, 2000, false, false, 100, plan_half_header, settled_waiting, "taken" },
	{ "half a body", 200, 2000, false, false, 100, plan_half_body, settled_waiting, "taken" },
	/* Fewer than the server takes writes at once. */
	{ "requests split at every byte", 50, 150, false, false, 100, plan_every_byte, settled_served,
	  "answered" },
	{ "a byte each 100 ms", 100, 1000, false, false, 100, plan_slow_sender, settled_under_way, "taken" },
	{ "a header of 1 MiB", 20, 200, false, false, 100, plan_giant_header, settled_refused, "refused" },
	{ "a URL of 1 MiB", 20, 200, false, false, 100, plan_giant_url, settled_refused, "refused" },
	{ "131,072 headers", 20, 200, false, false, 100, plan_many_headers, settled_refused, "refused" },
	{ "2,000 requests at once on a connection", 4, 40, false, false, 100, plan_pipelined,
	  settled_pipelined, "answered whole" },
	{ "idle watches", 200, 2000, true, false, 100, plan_idle_watch, settled_watching, "open" },
	{ "watches that are never read", 50, 500, false, true, 500, plan_deaf_watch, settled_sent, "taken" },
	{ "lists that are never read", 100, 500, false, true, 500, plan_deaf_list, settled_sent, "taken" },
	{ "connections at once", 2500, 15000, false, false, 2, plan_silent, settled_waiting, "taken" },
	{ 0 },
};

const struct mode overflow_mode = { "more connections than descriptors",
				    2500,
				    2500,
				    false,
				    false,
				    40,
				    plan_silent,
				    settled_waiting,
				    "taken" };
