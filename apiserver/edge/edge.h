/* One edge: a thread with a loop, the connections it has, and a client for node agents. What belongs to a
 * connection happens on its edge's thread; others reach it by letters (lib/loop_inbox.h).
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "lib/http_client.h"
#include "lib/http_exchange.h"

struct server;

struct edge {
	struct server *server;
	struct loop *loop;
	struct http_server *http;
	struct http_client *agents, *strangers; /* NULL until first needed */
	pthread_t thread;
	bool started;
	struct loop_letter stop, cut;
	/* Credentials to take over, under the server's lock; a later one replaces one not taken yet. */
	struct loop_letter renew;
	struct http_credentials *credentials;
};

/* EDGE is all zero; OPTS are its HTTP server's. */
int edge_init(struct edge *edge, struct server *server, const struct http_server_opts *opts, struct err *err);
/* Runs its loop on a thread of its own. */
int edge_begin(struct edge *edge, struct err *err);
/* Any thread: its loop ends when all connections are gone: streams are ended, answers finished. */
void edge_stop(struct edge *edge);
/* Any thread, after that: those who do not take their answers are cut off. */
void edge_cut(struct edge *edge);
/* When its loop has ended, and those of all others. All zero is fine. */
void edge_close(struct edge *edge);
/* Any thread: handshakes use CREDENTIALS (taken) from soon on. */
void edge_renew(struct edge *edge, struct http_credentials *credentials);
/* The client for requests to node agents, on this edge's loop; made at its first use. NULL and *err when it
 * cannot be. */
struct http_client *edge_agents(struct edge *edge, struct err *err);
/* The one for pods and services: it shows no certificate and verifies none. */
struct http_client *edge_strangers(struct edge *edge, struct err *err);
