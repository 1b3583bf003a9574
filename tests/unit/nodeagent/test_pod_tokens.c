#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nodeagent/pod_tokens.h"
#include "tests/support/test_server.h"

static const char pod_text[] =
    "{\"metadata\":{\"namespace\":\"port\",\"name\":\"p\",\"uid\":\"u\"},\"spec\":{\"serviceAccountName\":"
    "\"crew\",\"volumes\":["
    "{\"name\":\"a\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"token\","
    "\"expirationSeconds\":3607}}]}},"
    "{\"name\":\"b\",\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"c\"}},"
    "{\"serviceAccountToken\":{\"path\":\"same\",\"expirationSeconds\":3607}},"
    "{\"serviceAccountToken\":{\"path\":\"vault\",\"audience\":\"vault\",\"expirationSeconds\":600}}]}}]}}";

struct fixture {
	struct test_server server;
	struct loop *loop;
	struct api_client *api;
	struct json_object *pod;
	struct pod_tokens *tokens;
	unsigned asked, refuse; /* requests; how many of the next are refused */
	int64_t life_s;         /* of the tokens */
	unsigned changes;
};

static void answer(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	char until[TIMEFMT_SIZE];
	assert_string_equal(http_exchange_target(exchange),
			    "/api/v1/namespaces/port/serviceaccounts/crew/token");
	assert_string_equal(http_exchange_method(exchange), "POST");
	f->asked++;
	if (f->refuse) {
		f->refuse--;
		reply_json(exchange, 404,
			   "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,"
			   "\"message\":\"serviceaccounts \\\"crew\\\" not found\"}");
		return;
	}
	CLEANUP(mem_freep)
	char *body = mem_printf(
	    "{\"kind\":\"TokenRequest\",\"status\":{\"token\":\"token-%u\",\"expirationTimestamp\":\"%s\"}}",
	    f->asked, time_format(time_now_us() + f->life_s * 1000000, until));
	reply_json(exchange, 201, body);
}

static void changed(void *arg)
{
	struct fixture *f = arg;
	f->changes++;
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct err err = ERR_INIT;
	f->life_s = 3600;
	test_server_start(&f->server, answer, f);
	f->loop = f->server.loop;
	f->api = api_client_new(f->loop, &f->server.config, "test", &err);
	assert_non_null(f->api);
	assert_int_equal(json_parse(pod_text, strlen(pod_text), &f->pod, NULL, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	pod_tokens_free(f->tokens);
	api_client_free(f->api);
	json_object_put(f->pod);
	test_server_close(&f->server);
	free(f);
	return 0;
}

static const struct json_object *source(struct fixture *f, size_t volume, size_t i)
{
	const struct json_object *volumes = json_path(f->pod, "spec", "volumes", NULL);
	return json_get(json_at(json_path(json_at(volumes, volume), "projected", "sources", NULL), i),
			"serviceAccountToken");
}

static void each_kind_of_token_is_asked_for_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	f->tokens = pod_tokens_new(f->loop, f->api, f->pod, changed, f);
	assert_non_null(f->tokens);
	assert_false(pod_tokens_settled(f->tokens));
	assert_null(pod_tokens_get(f->tokens, source(f, 0, 0), &err));
	LOOP_UNTIL(f->loop, pod_tokens_settled(f->tokens));
	assert_int_equal(f->asked, 2);
	assert_int_equal(f->changes, 2);
	const char *first = pod_tokens_get(f->tokens, source(f, 0, 0), &err);
	assert_non_null(first);
	assert_ptr_equal(first, pod_tokens_get(f->tokens, source(f, 1, 1), &err));
	assert_string_not_equal(first, pod_tokens_get(f->tokens, source(f, 1, 2), &err));
}

static void it_is_renewed_before_its_end(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	f->life_s = 2;
	f->tokens = pod_tokens_new(f->loop, f->api, f->pod, changed, f);
	LOOP_UNTIL(f->loop, pod_tokens_settled(f->tokens));
	CLEANUP(mem_freep) char *first = mem_dup(pod_tokens_get(f->tokens, source(f, 0, 0), &err));
	LOOP_UNTIL(f->loop, strcmp(pod_tokens_get(f->tokens, source(f, 0, 0), &err), first) != 0);
}

static void a_refusal_is_told_and_tried_again(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	f->refuse = 2;
	f->tokens = pod_tokens_new(f->loop, f->api, f->pod, changed, f);
	LOOP_UNTIL(f->loop, pod_tokens_settled(f->tokens));
	assert_null(pod_tokens_get(f->tokens, source(f, 0, 0), &err));
	assert_string_equal(err.msg, "failed to fetch token: serviceaccounts \"crew\" not found");
	LOOP_UNTIL(f->loop, pod_tokens_get(f->tokens, source(f, 0, 0), NULL) != NULL);
}

static void who_wants_none_asks_for_none(void **state)
{
	struct fixture *f = *state;
	CLEANUP(json_putp) struct json_object *pod = json_object_new_object();
	assert_null(pod_tokens_new(f->loop, f->api, pod, changed, f));
	assert_true(pod_tokens_settled(NULL));
	assert_int_equal(f->asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_of_token_is_asked_for_once, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_renewed_before_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_told_and_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(who_wants_none_asks_for_none, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
