/* Service account tokens that this server's own key signed, with claims that TokenRequest never makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/authn/authn.h"
#include "apiserver/authn/token_claims.h"
#include "lib/timefmt.h"
#include "tests/api/api_fixture.h"

#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"

static int setup(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	api_fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	api_fixture_stop(*state);
	free(*state);
	return 0;
}

/* Makes an object, or reads it; its uid. */
static char *uid_of(struct api_fixture *fixture, const char *method, const char *path, const char *body)
{
	struct api_request request = { .method = method,
				       .path = path,
				       .type = "application/json",
				       .body = body,
				       .body_len = body ? strlen(body) : 0 };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, body ? 201 : 200);
	char *uid = mem_dup(json_str(json_get(answer.json, "metadata"), "uid"));
	api_answer_close(&answer);
	return uid;
}

static char *sign(struct api_fixture *fixture, const struct json_object *claims)
{
	struct buf token = BUF_INIT;
	struct err err = ERR_INIT;
	if (token_keys_sign(fixture->authn->keys, claims, &token, &err) < 0)
		fail_msg("%s", err.msg);
	return buf_take(&token);
}

/* Code of a request with TOKEN, and what a TokenReview says about it. */
static int use(struct api_fixture *fixture, const char *token, char **ret_error)
{
	static const char self[] =
	    "{\"kind\":\"SelfSubjectReview\",\"apiVersion\":\"authentication.k8s.io/v1\"}";
	struct api_request request = { .method = "POST",
				       .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
				       .type = "application/json",
				       .token = token,
				       .body = self,
				       .body_len = strlen(self) };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	int code = answer.code;
	api_answer_close(&answer);
	CLEANUP(mem_freep)
	char *review = mem_printf(
	    "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"spec\":{\"token\":"
	    "\"%s\"}}",
	    token);
	request = (struct api_request){ .method = "POST",
					.path = "/apis/authentication.k8s.io/v1/tokenreviews",
					.type = "application/json",
					.body = review,
					.body_len = strlen(review) };
	api_exchange(fixture, &request, &answer);
	*ret_error = mem_dup(json_str_or_empty(json_get(answer.json, "status"), "error"));
	api_answer_close(&answer);
	return code;
}

struct account {
	char *uid, *node_uid;
	struct json_object *audiences;
};

/* What holds: each test spoils one thing of it. */
static struct token_grant good(const struct account *account)
{
	int64_t now_s = time_now_us() / 1000000;
	return (struct token_grant){ .issuer = AUTHN_DEFAULT_ISSUER,
				     .id = "1",
				     .namespace_ = "default",
				     .account = { "default", account->uid },
				     .audiences = account->audiences,
				     .issued_s = now_s,
				     .expires_s = now_s + 3600 };
}

static void judge(struct api_fixture *fixture, const struct json_object *claims, int code, const char *error)
{
	CLEANUP(mem_freep) char *token = sign(fixture, claims), *said = NULL;
	/* Twice: the second time what the token says is known. */
	for (int i = 0; i < 2; i++) {
		free(TAKE(said));
		assert_int_equal(use(fixture, token, &said), code);
		assert_string_equal(said, error);
	}
}

static void judge_grant(struct api_fixture *fixture, const struct token_grant *grant, int code,
			const char *error)
{
	CLEANUP(json_putp) struct json_object *claims = token_claims_write(grant);
	judge(fixture, claims, code, error);
}

static struct account account_new(struct api_fixture *fixture)
{
	struct account account = {
		.uid = uid_of(fixture, "GET", ACCOUNTS "/default", NULL),
		.node_uid = uid_of(fixture, "POST", "/api/v1/nodes",
				   "{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"}}"),
		.audiences = json_object_new_array(),
	};
	json_object_array_add(account.audiences, json_object_new_string(AUTHN_DEFAULT_ISSUER));
	return account;
}

static void account_close(struct account *account)
{
	free(account->uid);
	free(account->node_uid);
	json_object_put(account->audiences);
}

static void times_count(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(account_close) struct account account = account_new(fixture);
	struct token_grant grant = good(&account);
	int64_t now_s = grant.issued_s;
	judge_grant(fixture, &grant, 201, "");
	grant.expires_s = now_s - 30; /* within the leeway */
	judge_grant(fixture, &grant, 201, "");
	grant.expires_s = now_s - 120;
	judge_grant(fixture, &grant, 401, "[invalid bearer token, service account token has expired]");
	grant = good(&account);
	grant.issued_s = now_s + 600;
	judge_grant(fixture, &grant, 401, "[invalid bearer token, service account token is not valid yet]");
}

static void what_it_is_bound_to_counts(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(account_close) struct account account = account_new(fixture);
	struct token_grant grant = good(&account);
	grant.node.name = "n";
	grant.node.uid = account.node_uid;
	judge_grant(fixture, &grant, 201, "");
	grant.node.name = "m";
	judge_grant(fixture, &grant, 401,
		    "[invalid bearer token, service account token has been invalidated]");
	grant = good(&account);
	grant.secret.name = "s";
	grant.secret.uid = "u";
	judge_grant(fixture, &grant, 401,
		    "[invalid bearer token, service account token has been invalidated]");
	grant = good(&account);
	grant.account.uid = "other";
	CLEANUP(mem_freep)
	char *why = mem_printf(
	    "[invalid bearer token, service account UID (%s) does not match claim (other)]", account.uid);
	judge_grant(fixture, &grant, 401, why);
}

static void others_tokens_are_nobodys(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(account_close) struct account account = account_new(fixture);
	struct token_grant grant = good(&account);
	grant.issuer = "https://elsewhere";
	judge_grant(fixture, &grant, 401, "invalid bearer token");
	static const struct {
		const char *key, *value, *error;
	} rows[] = {
		{ "sub", "\"system:serviceaccount:default:other\"",
		  "[invalid bearer token, claims: sub is not the service account of kubernetes.io]" },
		{ "sub", "null",
		  "[invalid bearer token, claims: sub is not the service account of kubernetes.io]" },
		{ "kubernetes.io", "{}",
		  "[invalid bearer token, claims: no service account in kubernetes.io]" },
		{ "kubernetes.io", "[]",
		  "[invalid bearer token, claims: no service account in kubernetes.io]" },
		{ "exp", "\"never\"", "[invalid bearer token, claims: exp is no number]" },
		{ "aud", "{}",
		  "[invalid bearer token, claims: aud is neither a string nor a list of strings]" },
		{ "aud", "[1]",
		  "[invalid bearer token, claims: aud is neither a string nor a list of strings]" },
		{ "iss", "7", "invalid bearer token" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		grant = good(&account);
		CLEANUP(json_putp) struct json_object *claims = token_claims_write(&grant), *value = NULL;
		assert_int_equal(json_parse(rows[i].value, strlen(rows[i].value), &value, NULL, NULL), 0);
		json_set(claims, rows[i].key, TAKE(value));
		judge(fixture, claims, 401, rows[i].error);
	}
	grant = good(&account);
	CLEANUP(json_putp) struct json_object *claims = token_claims_write(&grant);
	json_set_str(claims, "aud", AUTHN_DEFAULT_ISSUER); /* one audience may stand alone */
	judge(fixture, claims, 201, "");
}

/* --- tokens in Secrets --- */

#define SECRETS "/api/v1/namespaces/default/secrets"

static struct json_object *send(struct api_fixture *fixture, const char *method, const char *path,
				const char *body, int code)
{
	struct api_request request = { .method = method,
				       .path = path,
				       .type = strcmp(method, "PATCH") == 0 ? "application/merge-patch+json"
									    : "application/json",
				       .body = body,
				       .body_len = body ? strlen(body) : 0 };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, code);
	struct json_object *json = json_object_get(answer.json);
	api_answer_close(&answer);
	return json;
}

static char *token_of(const struct json_object *secret)
{
	struct buf token = BUF_INIT;
	const char *text = json_str_or_empty(json_get(secret, "data"), "token");
	assert_int_equal(buf_base64_decode(text, strlen(text), &token, NULL), 0);
	return token.data ? buf_take(&token) : mem_dup("");
}

static char *make_secret(struct api_fixture *fixture, const char *query, const char *uid)
{
	CLEANUP(mem_freep) char *path = mem_printf(SECRETS "%s", query);
	CLEANUP(mem_freep)
	char *body = mem_printf("{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"type\":\"kubernetes.io/"
				"service-account-token\",\"metadata\":{\"name\":\"s\",\"annotations\":{"
				"\"kubernetes.io/service-account.name\":\"crew\","
				"\"kubernetes.io/service-account.uid\":\"%s\"}}}",
				uid);
	CLEANUP(json_putp) struct json_object *secret = send(fixture, "POST", path, body, 201);
	return token_of(secret);
}

static void expect_use(struct api_fixture *fixture, const char *token, int code, const char *error)
{
	CLEANUP(mem_freep) char *said = NULL;
	assert_int_equal(use(fixture, token, &said), code);
	if (!strstr(said, error) || (!*error && *said))
		fail_msg("%s", said);
}

/* What is signed when; and what calls it back. */
static void a_secret_holds_a_token(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep)
	char *uid =
	    uid_of(fixture, "POST", ACCOUNTS,
		   "{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"crew\"}}");
	CLEANUP(mem_freep) char *dry = make_secret(fixture, "?dryRun=All", uid);
	CLEANUP(mem_freep) char *other = make_secret(fixture, "", "other");
	CLEANUP(json_putp) struct json_object *gone = send(fixture, "DELETE", SECRETS "/s", NULL, 200);
	CLEANUP(mem_freep) char *none = make_secret(fixture, "", "");
	assert_string_equal(dry, "");
	assert_string_equal(other, "");
	assert_string_equal(none, "");
	CLEANUP(mem_freep)
	char *patch = mem_printf(
	    "{\"metadata\":{\"annotations\":{\"kubernetes.io/service-account.uid\":\"%s\"}}}", uid);
	CLEANUP(json_putp)
	struct json_object *filled = send(fixture, "PATCH", SECRETS "/s", patch, 200);
	CLEANUP(mem_freep) char *token = token_of(filled);
	expect_use(fixture, token, 201, "");
	expect_use(fixture, token, 201, "");

	CLEANUP(json_putp)
	struct json_object *marked = send(
	    fixture, "PATCH", SECRETS "/s",
	    "{\"metadata\":{\"labels\":{\"kubernetes.io/legacy-token-invalid-since\":\"2026-01-01\"}}}", 200);
	CLEANUP(mem_freep) char *kept = token_of(marked);
	assert_string_equal(kept, token);
	expect_use(fixture, token, 401, "has been marked invalid");
	CLEANUP(json_putp)
	struct json_object *taken_out =
	    send(fixture, "PATCH", SECRETS "/s",
		 "{\"metadata\":{\"labels\":null},\"data\":{\"token\":\"eA==\"}}", 200);
	expect_use(fixture, token, 401, "Token does not match server's copy");
	CLEANUP(json_putp)
	struct json_object *again = send(fixture, "PATCH", SECRETS "/s", "{\"data\":null}", 200);
	free(TAKE(token));
	token = token_of(again);
	expect_use(fixture, token, 201, "");
	CLEANUP(json_putp)
	struct json_object *account = send(fixture, "DELETE", ACCOUNTS "/crew", NULL, 200);
	expect_use(fixture, token, 401, "serviceaccounts \"crew\" not found");
	CLEANUP(mem_freep)
	char *uid2 =
	    uid_of(fixture, "POST", ACCOUNTS,
		   "{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"crew\"}}");
	expect_use(fixture, token, 401, "does not match claim");
	CLEANUP(json_putp) struct json_object *secret = send(fixture, "DELETE", SECRETS "/s", NULL, 200);
	expect_use(fixture, token, 401, "Token has been invalidated");
}

static void claims_of_secrets_are_whole(void **state)
{
	struct api_fixture *fixture = *state;
	static const struct {
		const char *key, *value, *error;
	} rows[] = {
		{ "sub", NULL, "sub claim is missing" },
		{ "sub", "system:serviceaccount:default:other", "sub claim is invalid" },
		{ "kubernetes.io/serviceaccount/namespace", NULL, "namespace claim is missing" },
		{ "kubernetes.io/serviceaccount/secret.name", NULL, "secretName claim is missing" },
		{ "kubernetes.io/serviceaccount/service-account.name", "",
		  "serviceAccountName claim is missing" },
		{ "kubernetes.io/serviceaccount/service-account.uid", NULL,
		  "serviceAccountUID claim is missing" },
		{ "nothing", NULL, "Token has been invalidated" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(json_putp)
		struct json_object *claims = token_claims_write_secret("default", "none", "default", "u");
		json_set_str(claims, rows[i].key, rows[i].value);
		CLEANUP(mem_freep) char *error = mem_printf("[invalid bearer token, %s]", rows[i].error);
		judge(fixture, claims, 401, error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_is_bound_to_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(others_tokens_are_nobodys, setup, teardown),
		cmocka_unit_test_setup_teardown(a_secret_holds_a_token, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_of_secrets_are_whole, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
