#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "lib/yaml.h"

static void check(const char *yaml, const char *json)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (yaml_parse("t.yaml", yaml, strlen(yaml), &docs, &n, &err) < 0)
		fail_msg("%s: %s", yaml, err.msg);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(&b, '\n');
		json_write(&b, docs[i].value);
	}
	yaml_docs_free(docs, n);
	assert_string_equal(b.data ? b.data : "", json);
}

static void test_scalars(void **state)
{
	(void)state;
	check("- null\n- ~\n- Null\n-\n- \"\"", "[null,null,null,null,\"\"]");
	check("[true, yes, On, FALSE, no, off, y, N]", "[true,true,true,false,false,false,true,false]");
	check("[1, -1, +1, 0x1F, 0b101, 0o17, 0644, 1_000, 18446744073709551615]",
	      "[1,-1,1,31,5,15,420,1000,18446744073709551615]");
	check("[1.5, .5, 1e3, -1.5e-3, 089, 18446744073709551616]",
	      "[1.5,0.5,1000,-0.0015,89,1.8446744073709552e+19]");
	check("[\"1\", '2', !!str 3, !!int \"4\", 1.2.3, 0x, 1a, 1-2, -]",
	      "[\"1\",\"2\",\"3\",4,\"1.2.3\",\"0x\",\"1a\",\"1-2\",\"-\"]");
	check("2026-11-21", "\"2026-11-21\"");
	check("!!binary aGk=", "\"hi\"");
	check("a: |\n  one\n  two\nb: >-\n  three\n  four\n",
	      "{\"a\":\"one\\ntwo\\n\",\"b\":\"three four\"}");
}

static void test_keys_become_strings(void **state)
{
	(void)state;
	check("8080: a\ntrue: b\n\"x\": c\n1.5: d\n",
	      "{\"8080\":\"a\",\"true\":\"b\",\"x\":\"c\",\"1.5\":\"d\"}");
}

static void test_documents(void **state)
{
	struct yaml_doc *docs = NULL;
	const char *text = "# only a comment\n---\na: 1\n---\n---\nb: 2\n...\n";
	size_t n = 0;

	(void)state;
	check("", "");
	check("a: 1\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}");
	assert_int_equal(yaml_parse("t", text, strlen(text), &docs, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(docs[0].line, 3);
	assert_null(docs[1].value);
	assert_int_equal(docs[2].line, 6);
	yaml_docs_free(docs, n);
}

static void test_anchors_and_merges(void **state)
{
	(void)state;
	check("a: &x {p: 1}\nb: *x\n", "{\"a\":{\"p\":1},\"b\":{\"p\":1}}");
	check("base: &b {p: 1, q: 2}\nc:\n  q: 3\n  <<: *b\n",
	      "{\"base\":{\"p\":1,\"q\":2},\"c\":{\"q\":3,\"p\":1}}");
	check("c:\n  <<: {p: 1}\n  p: 2\n", "{\"c\":{\"p\":2}}");
	check("- &a {p: 1}\n- &b {p: 2, q: 2}\n- <<: [*a, *b]\n",
	      "[{\"p\":1},{\"p\":2,\"q\":2},{\"p\":1,\"q\":2}]");
	check("\"<<\": 1\n", "{\"<<\":1}");
	check("- &a 1\n- &a 2\n- *a\n", "[1,2,2]");
	check("- &k key\n- {*k : v}\n", "[\"key\",{\"key\":\"v\"}]");
}

static void test_aliases_are_copies(void **state)
{
	const char *text = "a: &x {p: 1}\nb: *x\n";
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(yaml_parse("t", text, strlen(text), &docs, &n, NULL), 0);
	json_set_int(json_get(docs[0].value, "b"), "p", 2);
	assert_int_equal(json_int(json_get(docs[0].value, "a"), "p", 0), 1);
	yaml_docs_free(docs, n);
}

static void check_fault(const char *yaml, enum err_kind kind, const char *message)
{
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (yaml_parse("d.yaml", yaml, strlen(yaml), &docs, &n, &err) == 0)
		fail_msg("accepted: %s", yaml);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.msg, message);
}

static void test_faults_say_where(void **state)
{
	(void)state;
	check_fault("a: 1\nb: c: d\n", ERR_PARSE,
		    "d.yaml:2:5: mapping values are not allowed in this context");
	check_fault("a:\n\t- b\n", ERR_PARSE, "d.yaml:2:1: found character that cannot start any token");
	check_fault("a: [1, 2\n", ERR_PARSE, "d.yaml:2:1: did not find expected ',' or ']'");
	check_fault("a: \"b\n", ERR_PARSE, "d.yaml:2:1: found unexpected end of stream");
	check_fault("a: *x\n", ERR_PARSE, "d.yaml:1:4: unknown anchor referenced");
	check_fault("a: &x [*x]\n", ERR_PARSE, "d.yaml:1:8: unknown anchor referenced");
	check_fault("a: .inf\n", ERR_PARSE, "d.yaml:1:4: infinity and NaN have no JSON form");
	check_fault("? [1]\n: 2\n", ERR_PARSE, "d.yaml:1:3: a mapping key must be a scalar");
	check_fault("a: {<<: 3}\n", ERR_PARSE,
		    "d.yaml:1:10: map merge requires map or sequence of maps as the value");
	check_fault("a: !!binary '%'\n", ERR_PARSE,
		    "d.yaml:1:4: !!binary value contains invalid base64 data");
	check_fault("a: !!binary bas=\n", ERR_PARSE, "d.yaml:1:4: !!binary value is not UTF-8 and has no JSON form");
}

static void test_first_fault_of_a_later_document(void **state)
{
	(void)state;
	check_fault("a: 1\n---\nb: 'x\n", ERR_PARSE, "d.yaml:4:1: found unexpected end of stream");
}

static void test_alias_bomb(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	buf_str(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++)
		buf_printf(&b, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
			   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_int_equal(yaml_parse("bomb", b.data, b.len, &docs, &n, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void test_depth(void **state)
{
	CLEANUP(buf_close) struct buf flow = BUF_INIT, chain = BUF_INIT;
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_char(&flow, '[');
	assert_int_equal(yaml_parse("deep", flow.data, flow.len, &docs, &n, &err), -1);
	assert_string_equal(err.msg, "deep:1:129: exceeded max depth");
	/* Deep through aliases alone. */
	buf_str(&chain, "- &a0 [x]\n");
	for (int i = 1; i < 200; i++)
		buf_printf(&chain, "- &a%d [*a%d]\n", i, i - 1);
	assert_int_equal(yaml_parse("deep", chain.data, chain.len, &docs, &n, &err), -1);
	assert_non_null(strstr(err.msg, "exceeded max depth"));
}

static void test_duplicates(void **state)
{
	static const char *const texts[] = {
		"spec:\n  containers:\n  - image: a\n    image: b\n    name: x\n    name: y\n",
		"{\"spec\":{\"containers\":[{\"image\":\"a\",\"image\":\"b\",\"name\":1,\"name\":2}]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct yaml_doc *docs = NULL;
		size_t n = 0;

		assert_int_equal(yaml_parse("t", texts[i], strlen(texts[i]), &docs, &n, NULL), 0);
		assert_int_equal(docs[0].duplicates, 2);
		assert_string_equal(docs[0].first_duplicate, "spec.containers[0].image");
		yaml_docs_free(docs, n);
	}
}

static void test_json_is_taken(void **state)
{
	(void)state;
	check("\n {\"a\": \"\\ud83d\\ude00\",\n\t\"b\": [1.0]}", "{\"a\":\"\xf0\x9f\x98\x80\",\"b\":[1.0]}");
	check("{a: 1}", "{\"a\":1}");
	check("[1, 2]", "[1,2]");
}

static void check_written(const char *json, const char *yaml)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct yaml_doc *docs = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	assert_int_equal(json_parse(json, strlen(json), &obj, NULL, NULL), 0);
	yaml_write(&b, obj);
	assert_string_equal(b.data, yaml);
	/* And reads back as the same value. */
	if (yaml_parse("t", b.data, b.len, &docs, &n, &err) < 0)
		fail_msg("%s", err.msg);
	if (!json_equal(docs[0].value, obj))
		fail_msg("%s", yaml);
	yaml_docs_free(docs, n);
}

static void test_writing(void **state)
{
	(void)state;
	check_written(
	    "{\"b\":[{\"name\":\"x\",\"image\":\"y:1\"},\"z\"],\"a\":{\"c\":null,\"d\":true,\"e\":1.5}}",
	    "a:\n  c: null\n  d: true\n  e: 1.5\nb:\n- image: y:1\n  name: x\n- z\n");
	check_written("{\"e\":{},\"l\":[]}", "e: {}\nl: []\n");
	check_written("[[1,2],[3]]", "- - 1\n  - 2\n- - 3\n");
}

static void test_writing_quotes_what_needs_it(void **state)
{
	(void)state;
	check_written(
	    "[\"\",\"1\",\"true\",\"null\",\"~\",\"1.5\",\"0x1\",\"yes\",\"y\",\"2026-11-21T06:44:49Z\",\"22:"
	    "30\",\"<<\",\".inf\"]",
	    "- \"\"\n- \"1\"\n- \"true\"\n- \"null\"\n- \"~\"\n- \"1.5\"\n- \"0x1\"\n- \"yes\"\n- \"y\"\n"
	    "- \"2026-11-21T06:44:49Z\"\n- \"22:30\"\n- \"<<\"\n- \".inf\"\n");
	check_written(
	    "[\"a: b\",\"- a\",\"#x\",\" a\",\"a \",\"@a\",\"a#b\",\"it's\",\"1.2.3\",\"10.0.0.1\",\"a:b\"]",
	    "- 'a: b'\n- '- a'\n- '#x'\n- ' a'\n- 'a '\n- '@a'\n- a#b\n- it's\n- 1.2.3\n- 10.0.0.1\n- a:b\n");
	check_written("[\"2026-1-2\",\"2026-1-2x\",\"1-2-3\",\"2026\\u0000\"]",
		      "- \"2026-1-2\"\n- 2026-1-2x\n- 1-2-3\n- \"2026\\0\"\n");
	check_written("{\"8080\":\"x\",\"a b\":\"\xc3\xa9\"}", "\"8080\": x\na b: \xc3\xa9\n");
}

static void test_writing_blocks(void **state)
{
	(void)state;
	check_written("{\"a\":\"one\\ntwo\\n\",\"b\":\"x\\ny\",\"c\":\"\\tz\\u0001\"}",
		      "a: |\n  one\n  two\nb: |-\n  x\n  y\nc: \"\\tz\\x01\"\n");
	check_written("{\"a\":\"  lead\\nx\\n\\n\"}", "a: |2+\n    lead\n  x\n\n...\n");
}

static void test_writing_refuses_bad_utf8(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_string("\xff");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	yaml_write(&b, obj);
	assert_true(b.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_keys_become_strings),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_anchors_and_merges),
		cmocka_unit_test(test_aliases_are_copies),
		cmocka_unit_test(test_faults_say_where),
		cmocka_unit_test(test_first_fault_of_a_later_document),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_json_is_taken),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_writing_quotes_what_needs_it),
		cmocka_unit_test(test_writing_blocks),
		cmocka_unit_test(test_writing_refuses_bad_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
