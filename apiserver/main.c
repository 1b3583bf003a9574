/* knarr-apiserver: the Kubernetes API over HTTPS, and its store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/ip.h"
#include "api/resource.h"
#include "apiserver/audit/audit.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/authz/bootstrap_rbac.h"
#include "apiserver/bootstrap.h"
#include "apiserver/core/core.h"
#include "apiserver/crd/caretaker.h"
#include "apiserver/edge/server.h"
#include "apiserver/encryption_file.h"
#include "apiserver/service/keeper.h"
#include "apiserver/serving_files.h"
#include "apiserver/store/encrypted.h"
#include "apiserver/store/store.h"
#include "lib/log.h"
#include "lib/own_address.h"
#include "lib/program.h"
#include "lib/timefmt.h"

#define PEM_MAX (1024 * 1024)
/* What core.h recommends. */
#define HISTORY_EVENTS   10000
#define HISTORY_MS       (5 * 60 * 1000)
#define WATCH_MAX_BYTES  (8 * 1024 * 1024)
#define MAX_WATCHES      20000
#define EDGE_THREADS_MAX 64
#define LIST_MAX         32

static const char *data_dir,
    *listen_at = "127.0.0.1:6443", *tls_cert, *tls_key, *client_ca, *token_file, *signing_key, *key_files,
    *issuers, *audiences, *jwks_uri, *max_token_life, *extend_tokens = "true", *kubelet_cert, *kubelet_key,
    *kubelet_ca, *encryption_config, *audit_policy, *audit_path, *audit_max_size, *audit_max_files,
    *audit_max_days, *event_ttl = "1h", *edge_threads, *cluster_ips, *node_ports, *advertise;

static const struct program_flag flags[] = {
	{ "data-dir", "DIR", "folder of the store; made when absent", &data_dir, NULL, true },
	{ "listen", "ADDR:PORT", "where to serve (127.0.0.1:6443)", &listen_at, NULL, false },
	{ "advertise-address", "ADDR",
	  "where pods reach this server: endpoints of the Service kubernetes (what it listens on, unless "
	  "that "
	  "is the loopback)",
	  &advertise, NULL, false },
	{ "service-cluster-ip-range", "CIDR...",
	  "network of the Services' addresses, or one of each family (" SERVICE_CIDR_DEFAULT ")",
	  &cluster_ips, NULL, false },
	{ "service-node-port-range", "FIRST-LAST", "node ports of Services (30000-32767)", &node_ports, NULL,
	  false },
	{ "tls-cert", "FILE", "certificate chain of the server", &tls_cert, NULL, true },
	{ "tls-key", "FILE", "its key", &tls_key, NULL, true },
	{ "client-ca", "FILE", "who signs client certificates: CN is the user, O the groups", &client_ca,
	  NULL, false },
	{ "token-file", "FILE", "bearer tokens: token,user,uid,\"group1,group2\" per line", &token_file, NULL,
	  false },
	{ "service-account-signing-key-file", "FILE", "private key that signs tokens of service accounts",
	  &signing_key, NULL, false },
	{ "service-account-key-file", "FILE...", "more keys whose tokens are good, any number in a file",
	  &key_files, NULL, false },
	{ "service-account-issuer", "URL...",
	  "who issues them; the first one does, all are accepted (" AUTHN_DEFAULT_ISSUER ")", &issuers, NULL,
	  false },
	{ "service-account-jwks-uri", "URL", "where their keys are found (this server)", &jwks_uri, NULL,
	  false },
	{ "service-account-max-token-expiration", "DURATION", "the longest life of such a token (no limit)",
	  &max_token_life, NULL, false },
	{ "service-account-extend-token-expiration", "BOOL", "let pods' tokens live for a year (true)",
	  &extend_tokens, NULL, false },
	{ "api-audiences", "NAME...", "what tokens must be for (the issuers)", &audiences, NULL, false },
	{ "kubelet-client-cert", "FILE", "certificate shown to node agents", &kubelet_cert, NULL, false },
	{ "kubelet-client-key", "FILE", "its key", &kubelet_key, NULL, false },
	{ "kubelet-ca", "FILE", "who signs the certificates of node agents", &kubelet_ca, NULL, false },
	{ "encryption-provider-config", "FILE", "which resources are stored encrypted, with which keys",
	  &encryption_config, NULL, false },
	{ "audit-policy-file", "FILE", "which requests are recorded in the audit log", &audit_policy, NULL,
	  false },
	{ "audit-log-path", "FILE", "the audit log; - is standard output", &audit_path, NULL, false },
	{ "audit-log-maxsize", "MB", "when the audit log is put aside (100)", &audit_max_size, NULL, false },
	{ "audit-log-maxbackup", "N", "how many of those are kept (all)", &audit_max_files, NULL, false },
	{ "audit-log-maxage", "DAYS", "for how long (for ever)", &audit_max_days, NULL, false },
	{ "event-ttl", "DURATION", "how long Events are kept (1h)", &event_ttl, NULL, false },
	{ "edge-threads", "N", "threads that serve connections (one less than there are cores)",
	  &edge_threads, NULL, false },
	{ NULL, NULL, NULL, NULL, NULL, false },
};

/* What the settings name, read and parsed. */
struct setup {
	struct serving_files serving;
	struct encryption_file encryption;
	struct buf kubelet_cert, kubelet_key, kubelet_ca;
	char address[64];
	uint16_t port;
	int64_t event_ttl_us;
	unsigned threads;
	struct service_networks networks;
	char *advertise; /* NULL: no pod reaches us */
};

static void setup_close(struct setup *setup)
{
	serving_files_close(&setup->serving);
	buf_close(&setup->kubelet_cert);
	buf_close(&setup->kubelet_key);
	buf_close(&setup->kubelet_ca);
	free(setup->advertise);
}

static int read_pem(struct buf *ret, const char *flag, const char *path, struct err *err)
{
	if (path && buf_read_file(ret, path, PEM_MAX, err) < 0)
		return err_wrap(err, "--%s", flag);
	return 0;
}

static int parse_listen(struct setup *setup, struct err *err)
{
	const char *colon = strrchr(listen_at, ':');
	char *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	size_t len = colon ? (size_t)(colon - listen_at) : 0;
	bool brackets = len > 2 && listen_at[0] == '[' && listen_at[len - 1] == ']';
	if (!colon || !colon[1] || *end || port > UINT16_MAX || len >= sizeof(setup->address) || len == 0)
		return err_set(err, ERR_BAD_REQUEST, "--listen: \"%s\" is not ADDRESS:PORT", listen_at);
	snprintf(setup->address, sizeof(setup->address), "%.*s", (int)(brackets ? len - 2 : len),
		 brackets ? listen_at + 1 : listen_at);
	setup->port = (uint16_t)port;
	return 0;
}

/* The core has a thread of its own: more edges than the other cores can run only take turns (measured on two
 * cores: one edge thread answers a fifth more than two). */
static int parse_threads(struct setup *setup, struct err *err)
{
	char *end = NULL;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long threads = edge_threads ? strtoul(edge_threads, &end, 10)
				: cores > 2  ? (unsigned long)cores - 1
					     : 1;
	if (edge_threads && (!*edge_threads || *end || threads < 1 || threads > EDGE_THREADS_MAX))
		return err_set(err, ERR_BAD_REQUEST, "--edge-threads: \"%s\" is not between 1 and %d",
			       edge_threads, EDGE_THREADS_MAX);
	setup->threads = (unsigned)(threads < EDGE_THREADS_MAX ? threads : EDGE_THREADS_MAX);
	return 0;
}

/* Nobody else reaches a loopback address: pods are told none rather than one that leads into themselves. */
static int parse_advertise(struct setup *setup, struct err *err)
{
	bool any = strcmp(setup->address, "0.0.0.0") == 0 || strcmp(setup->address, "::") == 0;

	if (advertise && (!ip_valid(advertise, NULL) || own_address_is_loopback(advertise)))
		return err_set(err, ERR_BAD_REQUEST,
			       "--advertise-address: \"%s\" is not an address that others reach", advertise);
	setup->advertise = advertise ? mem_dup(advertise) : any ? own_address() : mem_dup(setup->address);
	if (!ip_valid(setup->advertise, NULL) || own_address_is_loopback(setup->advertise)) {
		free(setup->advertise);
		setup->advertise = NULL;
	}
	return 0;
}

static int parse_networks(struct setup *setup, struct err *err)
{
	setup->networks = SERVICE_NETWORKS_INIT;
	if (cluster_ips && service_networks_parse_cidrs(&setup->networks, cluster_ips, err) < 0)
		return err_wrap(err, "--service-cluster-ip-range");
	if (node_ports && service_networks_parse_ports(&setup->networks, node_ports, err) < 0)
		return err_wrap(err, "--service-node-port-range");
	return 0;
}

static int setup_read(struct setup *setup, struct err *err)
{
	if (parse_threads(setup, err) < 0)
		return -1;
	if (!time_parse_duration(event_ttl, &setup->event_ttl_us) || setup->event_ttl_us <= 0)
		return err_set(err, ERR_BAD_REQUEST, "--event-ttl: \"%s\" is not a duration such as 1h30m",
			       event_ttl);
	if (parse_listen(setup, err) < 0 || parse_advertise(setup, err) < 0 ||
	    parse_networks(setup, err) < 0 ||
	    serving_files_read(&setup->serving, tls_cert, tls_key, client_ca, err) < 0 ||
	    read_pem(&setup->kubelet_cert, "kubelet-client-cert", kubelet_cert, err) < 0 ||
	    read_pem(&setup->kubelet_key, "kubelet-client-key", kubelet_key, err) < 0 ||
	    read_pem(&setup->kubelet_ca, "kubelet-ca", kubelet_ca, err) < 0)
		return -1;
	return 0;
}

/* The core's word to the main thread that the store is in doubt. */
struct doubt {
	struct loop *loop;
	struct loop_wake *wake;
	struct err err; /* written before the wake */
};

static void on_doubt(const struct err *err, void *arg)
{
	struct doubt *doubt = arg;
	doubt->err = *err;
	loop_wake_send(doubt->wake);
}

static void stop_in_doubt(void *arg)
{
	struct doubt *doubt = arg;
	loop_stop(doubt->loop);
}

static int start_core(struct setup *setup, struct doubt *doubt, struct definitions **ret_definitions,
		      struct core **ret, struct err *err)
{
	struct store *store = NULL;
	struct encryption *encryption = NULL;
	if (mkdir(data_dir, 0700) < 0 && errno != EEXIST)
		return err_set_errno(err, errno, "make data folder %s", data_dir);
	encryption_file_init(&setup->encryption, encryption_config);
	if (encryption_new(encryption_config, &encryption, err) < 0)
		return -1;
	if (store_sqlite_open(data_dir, &store, err) < 0) {
		encryption_free(encryption);
		return -1;
	}
	struct core_opts opts = { .store = store_encrypted(store, encryption),
				  .history_events = HISTORY_EVENTS,
				  .history_ms = HISTORY_MS,
				  .event_ttl_ms = setup->event_ttl_us / 1000,
				  .watch_max_bytes = WATCH_MAX_BYTES,
				  .max_watches = MAX_WATCHES,
				  .on_doubt = on_doubt,
				  .on_doubt_arg = doubt };
	struct core *core = NULL;
	*ret_definitions = definitions_new(&opts);
	if (core_new(&opts, &core, err) < 0)
		return -1;
	if (core_start(core, err) < 0 || bootstrap(core, err) < 0 || bootstrap_rbac(core, err) < 0) {
		core_stop_and_free(core);
		return -1;
	}
	setup->encryption.store = opts.store;
	*ret = core;
	return 0;
}

/* A list flag's value taken apart, in place. */
static size_t split_list(char *text, const char **items, size_t max)
{
	size_t n = 0;
	for (char *item; (item = strsep(&text, ",")) && n < max;)
		if (*item)
			items[n++] = item;
	return n;
}

static int start_authn(struct authn **ret, struct err *err)
{
	const char *items[3][LIST_MAX];
	CLEANUP(mem_freep)
	char *files = mem_dup(key_files), *urls = mem_dup(issuers), *names = mem_dup(audiences);
	int64_t life_us = 0;
	if (max_token_life &&
	    (!time_parse_duration(max_token_life, &life_us) || life_us < INT64_C(3600000000)))
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "--service-account-max-token-expiration: \"%s\" is not a duration of 1h or more",
		    max_token_life);
	struct authn_opts opts = { .token_file = token_file,
				   .keys = { .signing_file = signing_key, .files = items[0] },
				   .issuers = items[1],
				   .audiences = items[2],
				   .jwks_uri = jwks_uri,
				   .exact_expiration = strcmp(extend_tokens, "false") == 0,
				   .max_expiration_s = life_us / 1000000 };
	opts.keys.n_files = split_list(files, items[0], LIST_MAX);
	opts.n_issuers = split_list(urls, items[1], LIST_MAX);
	opts.n_audiences = split_list(names, items[2], LIST_MAX);
	return authn_new(&opts, ret, err);
}

static int parse_number(const char *flag, const char *text, long max, long *ret, struct err *err)
{
	char *end = NULL;
	*ret = text ? strtol(text, &end, 10) : 0;
	if (text && (!*text || *end || *ret < 0 || *ret > max))
		return err_set(err, ERR_BAD_REQUEST, "--%s: \"%s\" is not between 0 and %ld", flag, text,
			       max);
	return 0;
}

/* NULL without a policy. */
static int start_audit(struct audit **ret, struct err *err)
{
	long megabytes, files, days;
	if (parse_number("audit-log-maxsize", audit_max_size, 1000000, &megabytes, err) < 0 ||
	    parse_number("audit-log-maxbackup", audit_max_files, 1000000, &files, err) < 0 ||
	    parse_number("audit-log-maxage", audit_max_days, 100000, &days, err) < 0)
		return -1;
	if (!audit_policy != !audit_path)
		return err_set(err, ERR_BAD_REQUEST, "--audit-policy-file and --audit-log-path go together");
	struct audit_log_opts opts = { .path = audit_path,
				       .max_bytes = (int64_t)megabytes * 1000000,
				       .max_files = (unsigned)files,
				       .max_days = (unsigned)days };
	return audit_policy ? audit_new(audit_policy, &opts, ret, err) : 0;
}

static int start_server(const struct setup *setup, struct core *core, struct authn *authn,
			struct authz *authz, struct audit *audit, struct definitions *definitions,
			struct service_keeper *services, struct server **ret, struct err *err)
{
	struct server_opts opts = {
		.core = core,
		.authn = authn,
		.authz = authz,
		.audit = audit,
		.definitions = definitions,
		.allocator = service_keeper_allocator(services),
		.address = setup->address,
		.port = setup->port,
		.cert_pem = setup->serving.cert.data,
		.key_pem = setup->serving.key.data,
		.client_ca_pem = setup->serving.client_ca.data,
		.kubelet = { .ca_pem = setup->kubelet_ca.data,
			     .cert_pem = setup->kubelet_cert.data,
			     .key_pem = setup->kubelet_key.data },
		.threads = setup->threads,
	};
	return server_new(&opts, ret, err);
}

static int serve(struct setup *setup, struct err *err)
{
	struct loop *loop = loop_new(err);
	struct doubt doubt = { .loop = loop,
			       .wake = loop ? loop_wake_new(loop, stop_in_doubt, &doubt, err) : NULL };
	struct core *core = NULL;
	struct authn *authn = NULL;
	struct authz *authz = NULL;
	struct audit *audit = NULL;
	struct definitions *definitions = NULL;
	struct caretaker *caretaker = NULL;
	struct service_keeper *services = NULL;
	struct server *server = NULL;
	int result = -1;
	if (doubt.wake && program_stop_on_signals(loop, err) == 0 && start_authn(&authn, err) == 0 &&
	    start_audit(&audit, err) == 0 && start_core(setup, &doubt, &definitions, &core, err) == 0 &&
	    (authz = authz_new(core)) != NULL && caretaker_new(definitions, core, &caretaker, err) == 0 &&
	    (services = service_keeper_new(core, &setup->networks)) != NULL &&
	    service_keeper_prepare(services, err) == 0 &&
	    start_server(setup, core, authn, authz, audit, definitions, services, &server, err) == 0 &&
	    service_keeper_start(services, setup->advertise, server_port(server), err) == 0) {
		struct err unwatched = ERR_INIT;
		if (serving_files_watch(&setup->serving, loop, server, &unwatched) < 0)
			log_warn("certificates are not watched", "error", unwatched.msg, NULL);
		if (encryption_file_watch(&setup->encryption, loop, &unwatched) < 0)
			log_warn("the encryption configuration is not watched", "error", unwatched.msg, NULL);
		log_info("serving", "address", setup->address, "port", log_num(server_port(server)), NULL);
		program_ready();
		loop_run(loop);
		result = 0;
	}
	serving_files_close(&setup->serving);
	encryption_file_close(&setup->encryption);
	server_stop_and_free(server);
	service_keeper_free(services);
	audit_free(audit);
	authz_free(authz);
	caretaker_free(caretaker);
	if (core)
		core_stop_and_free(core);
	definitions_free(definitions);
	authn_free(authn);
	/* The core's thread has ended: what it said is whole. */
	if (doubt.err.kind != ERR_NONE) {
		*err = doubt.err;
		result = -1;
	}
	if (doubt.wake)
		loop_wake_free(doubt.wake);
	loop_free(loop);
	return result;
}

int main(int argc, char **argv)
{
	struct setup setup = { 0 };
	struct err err = ERR_INIT;
	int operand =
	    program_flags("knarr-apiserver", "Serves the Kubernetes API over HTTPS from one folder of data.",
			  flags, argc, argv);
	if (operand < argc) {
		fprintf(stderr, "knarr-apiserver: unexpected argument \"%s\"\n", argv[operand]);
		return 2;
	}
	schema_learn_names();
	resource_all(&(size_t){ 0 }); /* joined before there are threads */
	int result = setup_read(&setup, &err) < 0 ? -1 : serve(&setup, &err);
	if (result < 0)
		log_error("cannot serve", "error", err.msg, NULL);
	setup_close(&setup);
	return result < 0 ? 1 : 0;
}
