#include "apiserver/edge/server.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "apiserver/admission/policies.h"
#include "apiserver/authn/known_certificates.h"
#include "apiserver/edge/request.h"
#include "lib/timefmt.h"

#define EDGES       2
#define CONNECTIONS 25000
/* As Kubernetes: for a request in all. */
#define ANSWER_MS     60000
#define STOP_GRACE_MS 2000

/* Connections are what the descriptors of the process limit. */
static unsigned connection_limit(unsigned wanted)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return wanted;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	const rlim_t others = 128;
	rlim_t room = files.rlim_cur > 2 * others ? files.rlim_cur - others : others;
	return room < wanted ? (unsigned)room : wanted;
}

static void server_free(struct server *server)
{
	/* They hand connections to each other: none may go while another runs. */
	for (size_t i = 0; i < server->n_edges; i++)
		if (server->edges[i].started)
			pthread_join(server->edges[i].thread, NULL);
	for (size_t i = 0; i < server->n_edges; i++)
		edge_close(&server->edges[i]);
	http_listener_free(server->listener);
	policies_free(server->policies);
	known_certificates_free(server->known_certificates);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->ended);
	free(server->edges);
	free(server);
}

static int start_edges(struct server *server, const struct server_opts *opts, struct err *err)
{
	unsigned limit = connection_limit(opts->max_connections ? opts->max_connections : CONNECTIONS);
	size_t n = opts->threads ? opts->threads : EDGES;
	struct http_server_opts http = { .listener = server->listener,
					 .max_connections = limit / (unsigned)n + 1,
					 .max_body_bytes = REQUEST_DISCARD_MAX,
					 .silence_ms = opts->silence_ms };
	http.credentials = http_credentials_new(opts->cert_pem, opts->key_pem, opts->client_ca_pem, err);
	if (!http.credentials)
		return -1;
	server->edges = mem_zalloc(n * sizeof(struct edge));
	int result = 0;
	/* All there before the first runs: it may hand over to any. */
	while (server->n_edges < n && result == 0)
		result = edge_init(&server->edges[server->n_edges++], server, &http, err);
	http_credentials_unref(http.credentials);
	for (size_t i = 0; i < n && result == 0; i++)
		result = edge_begin(&server->edges[i], err);
	return result;
}

int server_new(const struct server_opts *opts, struct server **ret, struct err *err)
{
	struct server *server = mem_zalloc(sizeof(*server));
	server->core = opts->core;
	server->authn = opts->authn;
	server->policies = policies_new(opts->core);
	server->known_certificates = known_certificates_new();
	server->authz = opts->authz;
	server->audit = opts->audit;
	server->definitions = opts->definitions;
	server->allocator = opts->allocator;
	server->kubelet = opts->kubelet;
	server->asks_certificates = opts->client_ca_pem != NULL;
	server->max_reads = opts->max_reads ? opts->max_reads : 400;
	server->max_writes = opts->max_writes ? opts->max_writes : 200;
	server->answer_ms = opts->answer_ms ? opts->answer_ms : ANSWER_MS;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->ended, NULL);
	server->listener = http_listener_new(opts->address, opts->port, err);
	if (!server->listener || start_edges(server, opts, err) < 0) {
		for (size_t i = 0; i < server->n_edges; i++)
			edge_stop(&server->edges[i]);
		server_free(server);
		return -1;
	}
	*ret = server;
	return 0;
}

uint16_t server_port(const struct server *server)
{
	return http_listener_port(server->listener);
}

/* False: not within STOP_GRACE_MS. */
static bool wait_for_edges(struct server *server)
{
	struct timespec until = time_mono_in(STOP_GRACE_MS);
	int waited = 0;
	pthread_mutex_lock(&server->lock);
	while (server->running && waited == 0)
		waited = pthread_cond_clockwait(&server->ended, &server->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&server->lock);
	return waited == 0;
}

void server_stop_and_free(struct server *server)
{
	if (!server)
		return;
	server->stopping = true;
	http_listener_close(server->listener);
	for (size_t i = 0; i < server->n_edges; i++)
		edge_stop(&server->edges[i]);
	/* Streams end in order when their peers read; those that do not are cut off. */
	if (!wait_for_edges(server))
		for (size_t i = 0; i < server->n_edges; i++)
			edge_cut(&server->edges[i]);
	server_free(server);
}

int server_set_credentials(struct server *server, const char *cert_pem, const char *key_pem,
			   const char *client_ca_pem, struct err *err)
{
	struct http_credentials *credentials = http_credentials_new(cert_pem, key_pem, client_ca_pem, err);
	if (!credentials)
		return -1;
	known_certificates_forget(server->known_certificates);
	for (size_t i = 0; i < server->n_edges; i++)
		edge_renew(&server->edges[i], http_credentials_ref(credentials));
	http_credentials_unref(credentials);
	return 0;
}
