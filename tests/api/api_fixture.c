#include "tests/api/api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ftw.h>

#include "api/schema.h"
#include "apiserver/audit/audit.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/authz/bootstrap_rbac.h"
#include "apiserver/bootstrap.h"
#include "apiserver/crd/caretaker.h"
#include "apiserver/service/keeper.h"
#include "apiserver/store/store.h"
#include "lib/json_origin.h"
#include "lib/timefmt.h"

static void must(int result, const struct err *err)
{
	if (result < 0)
		fail_msg("%s", err->msg);
}

static void start_audit(struct api_fixture *fixture)
{
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *policy = mem_printf("%s/audit.yaml", fixture->dir);
	CLEANUP(mem_freep) char *log = mem_printf("%s/audit.log", fixture->dir);
	const char *text = fixture->audit_policy;
	struct audit_log_opts opts = { .path = log };
	if (!text)
		return;
	must(buf_write_file_atomic(policy, text, strlen(text), 0600, &err), &err);
	must(audit_new(policy, &opts, &fixture->audit, &err), &err);
}

static void start_server(struct api_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct core_opts core_opts = { .history_events = 1000,
				       .history_ms = 60000,
				       .event_ttl_ms = 3600000,
				       .watch_max_bytes = 8 * 1024 * 1024,
				       .max_watches = 100 };
	must(store_sqlite_open(fixture->dir, &core_opts.store, &err), &err);
	fixture->definitions = definitions_new(&core_opts);
	must(core_new(&core_opts, &fixture->core, &err), &err);
	must(core_start(fixture->core, &err), &err);
	must(caretaker_new(fixture->definitions, fixture->core, &fixture->caretaker, &err), &err);
	must(bootstrap(fixture->core, &err), &err);
	must(bootstrap_rbac(fixture->core, &err), &err);
	fixture->services = service_keeper_new(fixture->core, fixture->networks ? fixture->networks : &SERVICE_NETWORKS_INIT);
	must(service_keeper_prepare(fixture->services, &err), &err);
	fixture->authz = authz_new(fixture->core);
	struct authn_opts authn_opts = { .token_file = fixture->token_file,
					 .keys = { .signing_file = fixture->signing_key_file } };
	must(authn_new(&authn_opts, &fixture->authn, &err), &err);
	start_audit(fixture);
	struct server_opts opts = {
		.core = fixture->core,
		.audit = fixture->audit,
		.authn = fixture->authn,
		.authz = fixture->authz,
		.definitions = fixture->definitions,
		.allocator = service_keeper_allocator(fixture->services),
		.address = "127.0.0.1",
		.cert_pem = fixture->server_pair.cert_pem,
		.key_pem = fixture->server_pair.key_pem,
		.client_ca_pem = fixture->ca.pem.cert_pem,
		.kubelet = { .ca_pem = fixture->ca.pem.cert_pem,
			     .cert_pem = fixture->client_pair.cert_pem,
			     .key_pem = fixture->client_pair.key_pem },
		.max_reads = fixture->max_reads,
		.max_writes = fixture->max_writes,
		.silence_ms = fixture->silence_ms,
		.answer_ms = fixture->answer_ms,
	};
	must(server_new(&opts, &fixture->server, &err), &err);
}

static void stop_server(struct api_fixture *fixture)
{
	server_stop_and_free(TAKE(fixture->server));
	service_keeper_free(TAKE(fixture->services));
	audit_free(TAKE(fixture->audit));
	authz_free(TAKE(fixture->authz));
	caretaker_free(TAKE(fixture->caretaker));
	core_stop_and_free(TAKE(fixture->core));
	definitions_free(TAKE(fixture->definitions));
	authn_free(TAKE(fixture->authn));
}

void api_fixture_start(struct api_fixture *fixture)
{
	struct err err = ERR_INIT;
	static const char tokens[] = API_TOKEN ",admin,admin,\"system:masters\"\n";
	schema_learn_names();
	json_origin_check_copies();
	snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/knarr-api-test.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	snprintf(fixture->token_file, sizeof(fixture->token_file), "%s/tokens.csv", fixture->dir);
	must(buf_write_file_atomic(fixture->token_file, tokens, sizeof(tokens) - 1, 0600, &err), &err);
	pki_ca_init(&fixture->ca, "test");
	snprintf(fixture->signing_key_file, sizeof(fixture->signing_key_file), "%s/sa.key", fixture->dir);
	must(buf_write_file_atomic(fixture->signing_key_file, fixture->ca.pem.key_pem, strlen(fixture->ca.pem.key_pem),
				   0600, &err),
	     &err);
	fixture->server_pair = pki_server(&fixture->ca, NULL);
	fixture->client_pair = pki_client(&fixture->ca, "jane", "sailors");
	fixture->loop = loop_new(&err);
	assert_non_null(fixture->loop);
	struct http_identity identity = { .ca_pem = fixture->ca.pem.cert_pem };
	fixture->client = http_client_new(fixture->loop, &identity, 64, "unknown", &err);
	assert_non_null(fixture->client);
	start_server(fixture);
}

void api_fixture_restart(struct api_fixture *fixture)
{
	stop_server(fixture);
	start_server(fixture);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void api_fixture_stop(struct api_fixture *fixture)
{
	http_client_free(fixture->client);
	stop_server(fixture);
	loop_free(fixture->loop);
	pki_pair_close(&fixture->client_pair);
	pki_pair_close(&fixture->server_pair);
	pki_ca_close(&fixture->ca);
	if (!fixture->keep_dir)
		nftw(fixture->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void api_answer_close(struct api_answer *answer)
{
	json_object_put(answer->json);
	free(answer->text);
	free(answer->content_type);
	free(answer->warning);
	*answer = (struct api_answer){ 0 };
}

/* A call that is under way. */
struct exchange {
	struct loop *loop;
	struct loop_timer timer;
	struct api_answer answer;
	struct err err;
	struct json_object *events;
	struct buf line;
	size_t wanted;
	bool done, enough, late;
};

static void exchange_done(const struct http_response *response, void *arg)
{
	struct exchange *exchange = arg;
	exchange->done = true;
	exchange->answer.code = response->code;
	exchange->answer.text = mem_dupn(response->data, response->len);
	exchange->answer.content_type = mem_dup(response->content_type);
	exchange->answer.warning = mem_dup(response->warning);
	exchange->answer.retry_after_s = response->retry_after_s;
	exchange->err = response->err;
	json_parse(response->data, response->len, &exchange->answer.json, NULL, NULL);
	loop_stop(exchange->loop);
}

static bool exchange_data(const char *data, size_t len, void *arg)
{
	struct exchange *exchange = arg;
	buf_add(&exchange->line, data, len);
	for (char *end;
	     exchange->line.len && (end = memchr(exchange->line.data, '\n', exchange->line.len));) {
		struct json_object *event = NULL;
		size_t n = (size_t)(end - exchange->line.data);
		if (json_parse(exchange->line.data, n, &event, NULL, &exchange->err) < 0)
			return false;
		json_object_array_add(exchange->events, event);
		buf_consume(&exchange->line, n + 1);
	}
	exchange->enough = json_len(exchange->events) >= exchange->wanted;
	if (exchange->enough)
		loop_stop(exchange->loop);
	return true;
}

static void too_late(struct loop_timer *timer, void *arg)
{
	(void)timer;
	struct exchange *exchange = arg;
	exchange->late = true;
	loop_stop(exchange->loop);
}

static struct http_call *send_request(struct api_fixture *fixture, const struct api_request *request,
				      struct exchange *exchange, bool stream)
{
	const char *token = request->token ? request->token : API_TOKEN;
	CLEANUP(mem_freep)
	char *url = mem_printf("https://127.0.0.1:%u%s", server_port(fixture->server), request->path);
	CLEANUP(mem_freep) char *authorization = mem_printf("Authorization: Bearer %s", token);
	const char *headers[8] = { NULL };
	size_t n_headers = 0;
	if (*token)
		headers[n_headers++] = authorization;
	for (size_t i = 0; request->headers && request->headers[i] && n_headers < 7; i++)
		headers[n_headers++] = request->headers[i];
	struct http_request http = { .method = request->method,
				     .url = url,
				     .content_type = request->type,
				     .accept = request->accept,
				     .headers = headers,
				     .body = request->body,
				     .body_len = request->body_len };
	exchange->loop = fixture->loop;
	loop_timer_init(&exchange->timer, fixture->loop, too_late, exchange);
	loop_timer_arm(&exchange->timer, 10000);
	return http_client_send(fixture->client, &http, stream ? exchange_data : NULL, exchange_done,
				exchange);
}

void api_exchange(struct api_fixture *fixture, const struct api_request *request, struct api_answer *ret)
{
	struct exchange exchange = { 0 };
	send_request(fixture, request, &exchange, false);
	loop_run(fixture->loop);
	loop_timer_disarm(&exchange.timer);
	if (exchange.late || (exchange.answer.code == 0 && !request->may_break))
		fail_msg("%s %s: no answer: %s", request->method, request->path, exchange.err.msg);
	*ret = exchange.answer;
}

struct json_object *api_watch(struct api_fixture *fixture, const struct api_request *request, size_t n,
			      int *ret_code)
{
	struct exchange exchange = { .events = json_object_new_array(), .wanted = n };
	struct http_call *call = send_request(fixture, request, &exchange, true);
	loop_run(fixture->loop);
	loop_timer_disarm(&exchange.timer);
	if (!exchange.done)
		http_call_cancel(call);
	*ret_code = exchange.done ? exchange.answer.code : 200;
	if (exchange.done && exchange.answer.code != 200 && exchange.answer.json)
		json_object_array_add(exchange.events, json_object_get(exchange.answer.json));
	api_answer_close(&exchange.answer);
	buf_close(&exchange.line);
	return exchange.events;
}
