#include "apiserver/edge/edge.h"

#include <string.h>

#include "apiserver/edge/request.h"
#include "apiserver/edge/server.h"

#define AGENT_CONNECTIONS_MAX 512

static void on_empty(void *arg)
{
	struct edge *edge = arg;
	loop_stop(edge->loop);
}

static void on_stop(struct loop_letter *letter, void *arg)
{
	struct edge *edge = arg;
	(void)letter;
	http_server_drain(edge->http, on_empty, edge);
}

static void on_cut(struct loop_letter *letter, void *arg)
{
	struct edge *edge = arg;
	(void)letter;
	http_server_cut(edge->http);
}

static void on_renew(struct loop_letter *letter, void *arg)
{
	struct edge *edge = arg;
	(void)letter;
	pthread_mutex_lock(&edge->server->lock);
	struct http_credentials *credentials = TAKE(edge->credentials);
	pthread_mutex_unlock(&edge->server->lock);
	if (!credentials)
		return;
	http_server_set_credentials(edge->http, credentials);
	http_credentials_unref(credentials);
}

int edge_init(struct edge *edge, struct server *server, const struct http_server_opts *opts, struct err *err)
{
	edge->server = server;
	edge->stop = (struct loop_letter){ .fn = on_stop, .arg = edge };
	edge->cut = (struct loop_letter){ .fn = on_cut, .arg = edge };
	edge->renew = (struct loop_letter){ .fn = on_renew, .arg = edge };
	edge->loop = loop_new(err);
	if (edge->loop)
		edge->http = http_server_new(edge->loop, opts, &request_handler, edge, err);
	return edge->http ? 0 : -1;
}

static void *edge_run(void *arg)
{
	struct edge *edge = arg;
	struct server *server = edge->server;
	loop_run(edge->loop);
	pthread_mutex_lock(&server->lock);
	if (--server->running == 0)
		pthread_cond_signal(&server->ended);
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

int edge_begin(struct edge *edge, struct err *err)
{
	struct server *server = edge->server;
	pthread_mutex_lock(&server->lock);
	int errnum = pthread_create(&edge->thread, NULL, edge_run, edge);
	edge->started = errnum == 0;
	server->running += edge->started;
	pthread_mutex_unlock(&server->lock);
	if (errnum)
		return err_set_errno(err, errnum, "start an edge");
	pthread_setname_np(edge->thread, "edge");
	return 0;
}

void edge_stop(struct edge *edge)
{
	if (edge->started)
		loop_inbox_post(http_server_inbox(edge->http), &edge->stop);
}

void edge_cut(struct edge *edge)
{
	if (edge->started)
		loop_inbox_post(http_server_inbox(edge->http), &edge->cut);
}

void edge_close(struct edge *edge)
{
	http_server_free(edge->http);
	if (edge->agents)
		http_client_free(edge->agents);
	if (edge->strangers)
		http_client_free(edge->strangers);
	loop_free(edge->loop);
	http_credentials_unref(edge->credentials);
}

void edge_renew(struct edge *edge, struct http_credentials *credentials)
{
	pthread_mutex_lock(&edge->server->lock);
	struct http_credentials *before = edge->credentials;
	edge->credentials = credentials;
	pthread_mutex_unlock(&edge->server->lock);
	http_credentials_unref(before);
	loop_inbox_post(http_server_inbox(edge->http), &edge->renew);
}

struct http_client *edge_agents(struct edge *edge, struct err *err)
{
	if (!edge->agents)
		edge->agents = http_client_new(edge->loop, &edge->server->kubelet, AGENT_CONNECTIONS_MAX,
					       "knarr-apiserver", err);
	return edge->agents;
}

struct http_client *edge_strangers(struct edge *edge, struct err *err)
{
	const struct http_identity nobody = { .insecure_skip_verify = true };
	if (!edge->strangers)
		edge->strangers =
		    http_client_new(edge->loop, &nobody, AGENT_CONNECTIONS_MAX, "knarr-apiserver", err);
	return edge->strangers;
}
