#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "kubectl-lite/table.h"
#include "lib/mem.h"

static void check(struct table *t, bool no_headers, const char *want)
{
	CLEANUP(mem_freep) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	table_print(t, f, no_headers);
	fclose(f);
	assert_string_equal(text, want);
}

static void test_widths(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3);
	table_row(&t, (const char *const[]){ "NAME", "A", "B" });
	table_row(&t, (const char *const[]){ "m\xc3\xbchle-1234", "x", NULL });
	check(&t, false, "NAME         A     B\nm\xc3\xbchle-1234   x     \n");
	/* Later rows of a watch keep to the widths of the first. */
	table_row(&t, (const char *const[]){ "b", "y", "z" });
	check(&t, false, "b            y     z\n");
	table_close(&t);
}

static void test_no_headers(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 2);
	table_row(&t, (const char *const[]){ "A-VERY-WIDE-HEADER", "B" });
	table_row(&t, (const char *const[]){ "a", "b" });
	check(&t, true, "a     b\n");
	table_close(&t);
}

static void add(struct table *t, const char *json, const struct table_view *view)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;

	assert_int_equal(json_parse(json, strlen(json), &obj, NULL, NULL), 0);
	table_add_server(t, obj, view);
}

static void test_server_tables(void **state)
{
	const char *labels[] = { "app.io/tier" };
	struct string_list columns = { labels, 1 };
	struct table_view view = { .with_namespace = true, .show_labels = true, .kind_prefix = "pod/", .label_columns = &columns };
	struct table t = { 0 };

	(void)state;
	add(&t,
	    "{\"columnDefinitions\":[{\"name\":\"Name\",\"format\":\"name\"},{\"name\":\"Ready\"},{\"name\":\"IP\",\"priority\":1}],"
	    "\"rows\":[{\"cells\":[\"a\",\"1/1\",\"10.0.0.1\"],\"object\":{\"metadata\":{\"namespace\":\"x\",\"labels\":{\"app.io/tier\":\"db\"}}}}]}",
	    &view);
	check(&t, false,
	      "NAMESPACE   NAME    READY   TIER   LABELS\n"
	      "x           pod/a   1/1     db     app.io/tier=db\n");
	table_close(&t);
}

static void test_server_tables_with_holes(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"columnDefinitions\":3,\"rows\":{}}",
		"{\"columnDefinitions\":[{}],\"rows\":[{}]}",
		"{\"columnDefinitions\":[null,{\"name\":7}],\"rows\":[null,3,{\"cells\":[{\"a\":1}]},{\"cells\":[1,2,3,4]}]}",
		"{\"columnDefinitions\":[{\"name\":\"N\"}],\"rows\":[{\"cells\":[1],\"object\":{\"metadata\":{\"labels\":[1]}}}]}",
	};
	struct table_view view = { .show_labels = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(mem_freep) char *text = NULL;
		size_t len;
		struct table t = { 0 };
		add(&t, bad[i], &view);
		FILE *f = open_memstream(&text, &len);
		table_print(&t, f, false);
		fclose(f);
		table_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_no_headers),
		cmocka_unit_test(test_server_tables),
		cmocka_unit_test(test_server_tables_with_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
