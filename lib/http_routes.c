#include "lib/http_routes.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/metrics.h"

struct http_routes {
	struct http_listener *listener;
	struct http_server *server;
	const struct http_route *table;
	void *arg;
	bool judges; /* clients by their certificates */
	size_t max_body_bytes;
};

/* What is known of a connection's peer; judged at its first request that needs it. */
struct peer {
	bool verified;
	char name[128];
};

/* A decoded member of a query. */
struct parameter {
	const char *key, *value;
};

/* What is kept for an exchange. */
struct visit {
	struct http_routes *routes;
	const struct peer *peer;
	char *path;  /* the target, cut up and decoded */
	char *query; /* its own part of it, or NULL */
	struct parameter *parameters;
	size_t n_parameters;
	struct buf body;
	void (*hang_up)(void *arg);
	void *hang_up_arg;
};

static struct visit *visit_of(const struct http_exchange *exchange)
{
	return http_exchange_data(exchange);
}

/* --- who asks --- */

static void read_name(gnutls_session_t session, struct peer *peer)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	size_t size = sizeof(peer->name);
	gnutls_x509_crt_t certificate;

	if (!chain || n == 0 || gnutls_x509_crt_init(&certificate) < 0)
		return;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, peer->name, &size) <
		0)
		peer->name[0] = '\0';
	gnutls_x509_crt_deinit(certificate);
}

/* The handshake asks for a certificate but takes a peer without one, or with any: here it is judged. */
static const struct peer *peer_of(struct http_exchange *exchange, const struct http_routes *routes)
{
	static const struct peer nobody = { 0 };
	gnutls_session_t session = http_exchange_session(exchange);
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	void **kept = http_exchange_kept(exchange);
	unsigned status = 0;

	struct peer *peer = *kept;

	if (!session || !routes->judges)
		return &nobody;
	if (peer)
		return peer;
	*kept = peer = mem_zalloc(sizeof(*peer));
	peer->verified = gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
	if (peer->verified)
		read_name(session, peer);
	return peer;
}

static void forget(void *kept, void *arg)
{
	(void)arg;
	free(kept);
}

/* --- routes --- */

static void reply_text(struct http_exchange *exchange, int code, const char *text)
{
	http_exchange_reply(exchange, code, "text/plain; charset=utf-8", text, strlen(text));
}

static void serve_health(struct http_exchange *exchange, void *arg)
{
	(void)arg;
	reply_text(exchange, 200, "ok");
}

static void serve_metrics(struct http_exchange *exchange, void *arg)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	(void)arg;
	metrics_write(&text);
	http_exchange_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}

static const struct http_route own_routes[] = {
	{ "GET", "/livez", true, serve_health },
	{ "GET", "/readyz", true, serve_health },
	{ "GET", "/healthz", true, serve_health },
	{ "GET", "/metrics", false, serve_metrics },
	{ 0 },
};

static bool path_matches(const struct http_route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (len > 0 && route->path[len - 1] == '/')
		return strncmp(route->path, path, len) == 0;
	return strcmp(route->path, path) == 0;
}

static bool method_matches(const struct http_route *route, const char *method)
{
	if (!route->method || strcmp(route->method, method) == 0)
		return true;
	/* The server leaves the body out itself. */
	return strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0;
}

static void dispatch(struct http_exchange *exchange, void *arg)
{
	struct http_routes *routes = arg;
	const struct http_route *tables[] = { routes->table, own_routes };
	const struct visit *visit = visit_of(exchange);
	const char *method = http_exchange_method(exchange);
	bool path_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct http_route *route = tables[i]; route && route->path; route++) {
			if (!path_matches(route, visit->path))
				continue;
			path_known = true;
			if (!method_matches(route, method))
				continue;
			if (!route->open && !visit->peer->verified)
				reply_text(exchange, 401, "Unauthorized\n");
			else
				route->fn(exchange, tables[i] == own_routes ? NULL : routes->arg);
			return;
		}
	}
	/* What there is, only those learn who may ask. */
	if (!visit->peer->verified)
		reply_text(exchange, 401, "Unauthorized\n");
	else if (path_known)
		reply_text(exchange, 405, "405 method not allowed\n");
	else
		reply_text(exchange, 404, "404 page not found\n");
}

/* --- exchanges --- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* %XX and '+' in place. A broken escape stays as it is, and so does %00, which would cut the text off. */
static void decode(char *text, bool plus)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high = *from == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;

		if (low >= 0 && high + low > 0) {
			*to++ = (char)(high << 4 | low);
			from += 2;
		} else {
			*to++ = plus && *from == '+' ? ' ' : *from;
		}
	}
	*to = '\0';
}

static void begun(struct http_exchange *exchange, void *arg)
{
	struct http_routes *routes = arg;
	struct visit *visit = mem_zalloc(sizeof(*visit));

	visit->routes = routes;
	visit->peer = peer_of(exchange, routes);
	visit->path = mem_dup(http_exchange_target(exchange));
	visit->query = strchr(visit->path, '?');
	if (visit->query)
		*visit->query++ = '\0';
	decode(visit->path, false);
	visit->body = BUF_INIT_MAX(routes->max_body_bytes ? routes->max_body_bytes : 1);
	http_exchange_set_data(exchange, visit);
}

static void body(struct http_exchange *exchange, const char *data, size_t len, void *arg)
{
	struct visit *visit = visit_of(exchange);

	(void)arg;
	buf_add(&visit->body, data, len);
	if (visit->body.failed)
		reply_text(exchange, 503, "there is no memory for the request's body; try again later\n");
}

static void hung_up(struct http_exchange *exchange, void *arg)
{
	struct visit *visit = visit_of(exchange);

	(void)arg;
	if (visit->hang_up)
		visit->hang_up(visit->hang_up_arg);
}

static void ended(struct http_exchange *exchange, void *arg)
{
	struct visit *visit = visit_of(exchange);

	(void)arg;
	free(visit->path);
	free(visit->parameters);
	buf_close(&visit->body);
	free(visit);
}

static const struct http_handler handler = {
	.begun = begun,
	.body = body,
	.whole = dispatch,
	.hung_up = hung_up,
	.ended = ended,
	.forget = forget,
};

const char *http_exchange_path(const struct http_exchange *exchange)
{
	return visit_of(exchange)->path;
}

const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_len)
{
	const struct visit *visit = visit_of(exchange);

	if (ret_len)
		*ret_len = visit->body.len;
	return visit->body.data ? visit->body.data : "";
}

const char *http_exchange_client(const struct http_exchange *exchange)
{
	return visit_of(exchange)->peer->name;
}

void http_exchange_on_hang_up(struct http_exchange *exchange, void (*fn)(void *arg), void *arg)
{
	struct visit *visit = visit_of(exchange);

	visit->hang_up = fn;
	visit->hang_up_arg = arg;
}

/* --- the query --- */

static void read_query(struct visit *visit)
{
	char *save = NULL;

	for (char *member = strtok_r(TAKE(visit->query), "&", &save); member;
	     member = strtok_r(NULL, "&", &save)) {
		char *value = strchr(member, '=');

		if (value)
			*value++ = '\0';
		decode(member, true);
		if (value)
			decode(value, true);
		visit->parameters =
		    mem_realloc_array(visit->parameters, visit->n_parameters + 1, sizeof(*visit->parameters));
		visit->parameters[visit->n_parameters++] = (struct parameter){ member, value ? value : "" };
	}
}

const char *http_exchange_query_next(const struct http_exchange *exchange, const char *key, size_t *cursor)
{
	struct visit *visit = visit_of(exchange);

	if (visit->query)
		read_query(visit);
	while (*cursor < visit->n_parameters) {
		const struct parameter *parameter = &visit->parameters[(*cursor)++];
		if (strcmp(parameter->key, key) == 0)
			return parameter->value;
	}
	return NULL;
}

const char *http_exchange_query(const struct http_exchange *exchange, const char *key)
{
	size_t cursor = 0;

	return http_exchange_query_next(exchange, key, &cursor);
}

/* --- life --- */

static struct http_server *start(struct http_routes *routes, struct loop *loop,
				 const struct http_routes_opts *opts, struct err *err)
{
	struct http_server_opts server = { .max_connections = opts->max_connections,
					   .max_body_bytes = opts->max_body_bytes };

	server.credentials = http_credentials_new(opts->cert_pem, opts->key_pem, opts->client_ca_pem, err);
	if (!server.credentials) {
		err_wrap(err, "HTTPS server on %s:%u", opts->address, opts->port);
		return NULL;
	}
	server.listener = routes->listener;
	struct http_server *started = http_server_new(loop, &server, &handler, routes, err);
	http_credentials_unref(server.credentials);
	return started;
}

struct http_routes *http_routes_new(struct loop *loop, const struct http_routes_opts *opts,
				    const struct http_route *table, void *arg, struct err *err)
{
	struct http_routes *routes = mem_zalloc(sizeof(*routes));

	routes->table = table;
	routes->arg = arg;
	routes->judges = opts->client_ca_pem != NULL;
	routes->max_body_bytes = opts->max_body_bytes;
	routes->listener = http_listener_new(opts->address, opts->port, err);
	if (routes->listener)
		routes->server = start(routes, loop, opts, err);
	if (!routes->server) {
		http_routes_free(routes);
		return NULL;
	}
	return routes;
}

void http_routes_free(struct http_routes *routes)
{
	if (!routes)
		return;
	http_server_free(routes->server);
	http_listener_free(routes->listener);
	free(routes);
}

uint16_t http_routes_port(const struct http_routes *routes)
{
	return http_listener_port(routes->listener);
}

struct http_server *http_routes_server(struct http_routes *routes)
{
	return routes->server;
}
