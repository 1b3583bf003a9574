#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/authn/jwt.h"

static void base64url_is_strict(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *coded;
	} rows[] = { { "", "" },
		     { "f", "Zg" },
		     { "fo", "Zm8" },
		     { "foo", "Zm9v" },
		     { "\xff\xfe\xfd\xfc", "__79_A" } };
	static const char *const wrong[] = { "Zg==",   "Zg=",  "Z",    "Zh",   "Zm9",
					     "Zm9v\n", "Zm 9", "+/79", "Zm9vZ" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_close) struct buf coded = BUF_INIT, plain = BUF_INIT;
		jwt_base64url(&coded, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(coded.data ? coded.data : "", rows[i].coded);
		assert_int_equal(jwt_base64url_decode(rows[i].coded, strlen(rows[i].coded), &plain, NULL), 0);
		assert_string_equal(plain.data ? plain.data : "", rows[i].plain);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CLEANUP(buf_close) struct buf plain = BUF_INIT;
		assert_int_equal(jwt_base64url_decode(wrong[i], strlen(wrong[i]), &plain, NULL), -1);
	}
}

/* header.claims.signature of plain texts. */
static char *token_of(const char *header, const char *claims, size_t signature_len)
{
	struct buf b = BUF_INIT;
	char signature[200];
	memset(signature, 7, sizeof(signature));
	jwt_base64url(&b, header, strlen(header));
	buf_char(&b, '.');
	jwt_base64url(&b, claims, strlen(claims));
	buf_char(&b, '.');
	jwt_base64url(&b, signature, signature_len);
	return buf_take(&b);
}

static void whole_tokens_are_taken_apart(void **state)
{
	(void)state;
	CLEANUP(mem_freep) char *token = token_of("{\"alg\":\"ES256\",\"kid\":\"k\"}", "{\"iss\":\"i\"}", 64);
	struct jwt jwt;
	assert_int_equal(jwt_parse(token, strlen(token), &jwt, NULL), 0);
	assert_string_equal(jwt.algorithm->name, "ES256");
	assert_string_equal(jwt.kid, "k");
	assert_string_equal(json_str(jwt.claims, "iss"), "i");
	assert_ptr_equal(jwt.signed_text, token);
	assert_int_equal(jwt.signed_text[jwt.signed_len], '.');
	assert_int_equal(jwt.signature.data[0], 0x30); /* DER */
	jwt_close(&jwt);
}

static void others_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *header, *claims;
		size_t signature_len;
		const char *why;
	} rows[] = {
		{ "{\"alg\":\"none\"}", "{}", 0, "unexpected signature algorithm \"none\"" },
		{ "{\"alg\":\"HS256\"}", "{}", 32, "unexpected signature algorithm \"HS256\"" },
		{ "{\"alg\":\"es256\"}", "{}", 64, "unexpected signature algorithm" },
		{ "{}", "{}", 64, "unexpected signature algorithm \"\"" },
		{ "{\"alg\":[\"ES256\"]}", "{}", 64, "unexpected signature algorithm" },
		{ "{\"alg\":\"ES256\",\"crit\":[\"b64\"]}", "{}", 64, "crit" },
		{ "{\"alg\":\"none\",\"alg\":\"ES256\"}", "{}", 64, "each name once" },
		{ "[]", "{}", 64, "not a JSON object" },
		{ "{", "{}", 64, "header" },
		{ "{\"alg\":\"ES256\"}", "null", 64, "claims" },
		{ "{\"alg\":\"ES256\"}", "{\"a\":1,\"a\":2}", 64, "each name once" },
		{ "{\"alg\":\"ES256\"}", "{}", 63, "63 bytes instead of 64" },
		{ "{\"alg\":\"ES512\"}", "{}", 64, "64 bytes instead of 132" },
		{ "{\"alg\":\"ES256\"}", "{}", 0, "0 bytes instead of 64" },
	};
	static const char *const texts[] = { "",           ".",       "..",       "...",
					     "a.b",        "a.b.c.d", "e30.e30.", "\xff.\xff.\xff",
					     "e30=.e30.AA" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(mem_freep)
		char *token = token_of(rows[i].header, rows[i].claims, rows[i].signature_len);
		struct err err = ERR_INIT;
		struct jwt jwt;
		assert_int_equal(jwt_parse(token, strlen(token), &jwt, &err), -1);
		if (!strstr(err.msg, rows[i].why))
			fail_msg("row %zu: %s", i, err.msg);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct jwt jwt;
		assert_int_equal(jwt_parse(texts[i], strlen(texts[i]), &jwt, NULL), -1);
	}
	CLEANUP(mem_freep) char *kid = mem_printf("{\"alg\":\"ES256\",\"kid\":\"%0200d\"}", 0);
	CLEANUP(mem_freep) char *token = token_of(kid, "{}", 64);
	CLEANUP(mem_freep) char *large = mem_zalloc(JWT_MAX_BYTES + 1);
	struct jwt jwt;
	assert_int_equal(jwt_parse(token, strlen(token), &jwt, NULL), -1);
	memset(large, 'A', JWT_MAX_BYTES + 1);
	assert_int_equal(jwt_parse(large, JWT_MAX_BYTES + 1, &jwt, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(whole_tokens_are_taken_apart),
		cmocka_unit_test(others_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
