/* A libcurl multi handle on the loop: its sockets as sources, its timeout as a timer. What a transfer is, and
 * who is told of its end, is http_client's business.
 *
 * libcurl forbids adding, removing and resuming transfers from within its callbacks; http_multi_inside()
 * tells whether that is where we are.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/loop.h"

struct http_socket;

struct http_multi {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;      /* libcurl's timeout, when it lies ahead */
	struct loop_task task;        /* libcurl's timeout, when it is now */
	struct http_socket **sockets; /* by descriptor */
	size_t n_sockets;
	unsigned inside;           /* depth of calls into libcurl */
	void (*turned)(void *arg); /* after each run of libcurl; may close the multi */
	void *arg;
};

int http_multi_init(struct http_multi *m, struct loop *loop, long max_connections, void (*turned)(void *arg),
		    void *arg, struct err *err);
/* Closes connections too. All transfers must have been removed. */
void http_multi_close(struct http_multi *m);
/* Sets what a transfer needs so that its sockets are ours: made close-on-exec and watched by the loop. */
void http_multi_prepare(struct http_multi *m, CURL *easy);
static inline bool http_multi_inside(const struct http_multi *m)
{
	return m->inside > 0;
}
