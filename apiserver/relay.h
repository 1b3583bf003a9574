/* A request passed on to a node agent, a pod or a service, and its answer passed back as it comes; after 101
 * the two connections are joined and the request is over. The last steps of exec, attach, port-forward and
 * the proxies.
 *
 *     step: relay_open ──▶ STEP_NEXT, relay_answer: waits for the head ─┬▶ 101: joined
 *                                                                       └▶ code, headers, body as a stream
 */
#pragma once

#include "apiserver/edge/request.h"

struct relay_opts {
	const char *url;
	struct http_client *client; /* of the edge */
	bool with_body;             /* the request's body and its type go along */
	const char
	    *location_prefix; /* put before paths in the answer's Location, copied; NULL: as it comes */
};

/* Sends R on, with the headers that are not about the connection to us or about who asks; those of an upgrade
 * as well. R->state becomes the relay's. */
enum step_result relay_open(struct request *r, const struct relay_opts *opts);
/* The step after it. */
enum step_result relay_answer(struct request *r);
/* Whether R asks for an upgrade of the connection. */
bool relay_upgrades(const struct request *r);
