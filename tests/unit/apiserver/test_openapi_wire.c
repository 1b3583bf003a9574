#include "apiserver/openapi_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mem.h"

static void expect_bytes(const struct buf *got, const char *want, size_t len)
{
	assert_int_equal(got->len, len);
	assert_memory_equal(got->data, want, len);
}

/* A field's tag and length, then its content. Field numbers are those of OpenAPIv2.proto. */
#define WANT(...) (const char[]){ __VA_ARGS__ }, sizeof((const char[]){ __VA_ARGS__ })
#define FIELD(number, len) (char)((number) << 3 | 2), (len)
/* Numbers from 16 on take two bytes. */
#define FAR_FIELD(number, len) (char)(((number) << 3 | 2) | 0x80), (number) >> 4, (len)

static void a_schema_is_a_message(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	buf_str(&json, "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#/d\"}},"
		       "\"x-k\":\"v\",\"unknown\":1}");
	openapi_wire_definition(&out, "D", &json);
	expect_bytes(&out, WANT(FIELD(1, 51), FIELD(1, 1), 'D', FIELD(2, 46),		     /* D: */
				FAR_FIELD(22, 8), FIELD(1, 6), 'o', 'b', 'j', 'e', 'c', 't', /* type */
				FAR_FIELD(19, 1), 'a',					     /* required */
				FAR_FIELD(25, 12), FIELD(1, 10), FIELD(1, 1), 'a',	     /* properties: a: */
				FIELD(2, 5), FIELD(1, 3), '#', '/', 'd',		     /* $ref */
				FAR_FIELD(31, 13), FIELD(1, 3), 'x', '-', 'k',		     /* an extension */
				FIELD(2, 6), FIELD(2, 4), '"', 'v', '"', '\n'));
}

static void an_operation_is_a_message(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	buf_str(&json, "{\"get\":{\"operationId\":\"id\",\"parameters\":[{\"required\":true,\"in\":\"query\",\"name\":\"q\","
		       "\"type\":\"string\"}],\"responses\":{\"200\":{\"description\":\"OK\",\"schema\":{\"$ref\":\"#/d\"}}}}}");
	openapi_wire_path(&out, "/p", &json);
	expect_bytes(&out, WANT(FIELD(2, 66), FIELD(1, 2), '/', 'p', FIELD(2, 60), FIELD(2, 58), /* /p: get: */
				FIELD(5, 2), 'i', 'd',
				FIELD(8, 26), FIELD(1, 24), FIELD(2, 22), FIELD(3, 20), /* a parameter, not of the body, in the query */
				1 << 3, 1, FIELD(2, 5), 'q', 'u', 'e', 'r', 'y', FIELD(4, 1), 'q', FIELD(6, 6), 's', 't', 'r',
				'i', 'n', 'g',
				FIELD(9, 24), FIELD(1, 22), FIELD(1, 3), '2', '0', '0', FIELD(2, 15), FIELD(1, 13), /* 200: */
				FIELD(1, 2), 'O', 'K', FIELD(2, 7), FIELD(1, 5), FIELD(1, 3), '#', '/', 'd'));
}

/* --- version 3: OpenAPIv3.proto --- */

static void a_schema_of_version_3(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	buf_str(&json, "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#/d\"}},"
		       "\"additionalProperties\":true,\"default\":\"x\",\"maximum\":1.5,\"x-k\":\"v\",\"unknown\":1}");
	openapi_wire_v3_schema(&out, "D", &json);
	expect_bytes(&out, WANT(FIELD(1, 73), FIELD(1, 1), 'D', FIELD(2, 68), FIELD(1, 66),  /* D: no reference */
				FAR_FIELD(25, 6), 'o', 'b', 'j', 'e', 'c', 't',		     /* type */
				FAR_FIELD(23, 1), 'a',					     /* required */
				FAR_FIELD(31, 14), FIELD(1, 12), FIELD(1, 1), 'a',	     /* properties: a: */
				FIELD(2, 7), FIELD(2, 5), FIELD(1, 3), '#', '/', 'd',	     /* a reference */
				FAR_FIELD(32, 2), 2 << 3, 1,				     /* additionalProperties: true */
				FAR_FIELD(33, 3), FIELD(3, 1), 'x',			     /* default: a text */
				11 << 3 | 1, 0, 0, 0, 0, 0, 0, (char)0xf8, 0x3f,	     /* maximum */
				FAR_FIELD(36, 13), FIELD(1, 3), 'x', '-', 'k',		     /* an extension */
				FIELD(2, 6), FIELD(2, 4), '"', 'v', '"', '\n'));
}

static void an_operation_of_version_3(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	buf_str(&json, "{\"get\":{\"parameters\":[{\"name\":\"q\",\"in\":\"query\",\"schema\":{\"type\":\"string\"}}],"
		       "\"responses\":{\"200\":{\"description\":\"OK\"}}}}");
	openapi_wire_v3_path(&out, "/p", &json);
	expect_bytes(&out, WANT(FIELD(1, 52), FIELD(1, 2), '/', 'p', FIELD(2, 46), FIELD(4, 44), /* /p: get: */
				FIELD(6, 25), FIELD(1, 23), FIELD(1, 1), 'q', FIELD(2, 5), 'q', 'u', 'e', 'r', 'y',
				FIELD(10, 11), FIELD(1, 9), FAR_FIELD(25, 6), 's', 't', 'r', 'i', 'n', 'g',
				FIELD(8, 15), FIELD(2, 13), FIELD(1, 3), '2', '0', '0', FIELD(2, 6), FIELD(1, 4), /* 200: */
				FIELD(1, 2), 'O', 'K'));
}

static void a_document_of_version_3(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf paths = BUF_INIT, schemas = BUF_INIT, out = BUF_INIT;
	buf_str(&paths, "p");
	buf_str(&schemas, "s");
	openapi_wire_v3_document(&out, "{\"openapi\":\"3.0.0\"}", &paths, &schemas);
	expect_bytes(&out, WANT(FIELD(1, 5), '3', '.', '0', '.', '0', FIELD(4, 1), 'p', FIELD(5, 3), FIELD(1, 1), 's'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schema_is_a_message),
		cmocka_unit_test(an_operation_is_a_message),
		cmocka_unit_test(a_schema_of_version_3),
		cmocka_unit_test(an_operation_of_version_3),
		cmocka_unit_test(a_document_of_version_3),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
