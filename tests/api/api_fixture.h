/* A whole API server in this process: store in a folder of its own, core, edge on a free loopback port,
 * throw-away certificates, and a client on a loop.
 */
#pragma once

#include "apiserver/core/core.h"
#include "apiserver/edge/server.h"
#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "tests/support/pki.h"

#define API_TOKEN "token-of-the-admin"

struct api_fixture {
	char dir[64];
	char token_file[96], signing_key_file[96];
	struct pki_ca ca;
	struct pki_pair server_pair, client_pair;
	struct core *core;
	struct authn *authn;
	struct authz *authz;
	struct audit *audit;
	struct definitions *definitions;
	struct service_keeper *services;
	struct caretaker *caretaker;
	struct server *server;
	struct loop *loop;
	struct http_client *client; /* trusts the server; shows no certificate */
	/* 0: the server's defaults */
	unsigned max_reads, max_writes;
	int64_t silence_ms, answer_ms;
	const char *audit_policy; /* YAML; the log is DIR/audit.log. NULL: none */
	const struct service_networks *networks; /* of Services; NULL: the usual */
	bool keep_dir; /* stopping leaves the folder to the test */
};

/* Fails the test when anything does not start. FIXTURE is zero, or its limits are set. */
void api_fixture_start(struct api_fixture *fixture);
void api_fixture_stop(struct api_fixture *fixture);
/* Stops core and server, and starts them again on the same folder. */
void api_fixture_restart(struct api_fixture *fixture);

struct api_answer {
	int code;
	struct json_object *json; /* of the body, or NULL when it is none */
	char *text;
	char *content_type;
	char *warning; /* texts joined by newlines, or NULL */
	long retry_after_s;
};
struct api_request {
	const char *method, *path, *type, *accept, *token; /* token NULL: the admin's, "": none */
	const void *body;
	size_t body_len;
	const char *const *headers; /* further "Name: value" lines, at most 6, NULL-terminated, or NULL */
	bool may_break;             /* the connection, instead of an answer: code 0 */
};
/* One exchange, whole. */
void api_exchange(struct api_fixture *fixture, const struct api_request *request, struct api_answer *ret);
void api_answer_close(struct api_answer *answer);
/* A stream of lines of JSON until N have come, the server ends it, or ten seconds have passed; an array. */
struct json_object *api_watch(struct api_fixture *fixture, const struct api_request *request, size_t n,
			      int *ret_code);
