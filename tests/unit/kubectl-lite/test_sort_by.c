#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/sort_by.h"
#include "lib/mem.h"

/* Sorts the JSON array TEXT by .k and gives the members' n, as a text. */
static const char *sorted(const char *text, bool rows)
{
	static char order[64];
	CLEANUP(json_putp) struct json_object *list = NULL;
	struct json_object *values[16];
	struct sort_by *sort;
	struct err err = ERR_INIT;

	assert_int_equal(json_parse(text, strlen(text), &list, NULL, NULL), 0);
	for (size_t i = 0; i < json_len(list); i++)
		values[i] = json_at(list, i);
	assert_int_equal(sort_by_new(".k", &sort, &err), 0);
	order[0] = '\0';
	if (sort_by_values(sort, values, NULL, json_len(list), rows, &err) < 0)
		snprintf(order, sizeof(order), "%.60s", err.msg);
	else
		for (size_t i = 0; i < json_len(list); i++)
			strcat(order, json_str(rows ? json_get(values[i], "object") : values[i], "n"));
	sort_by_free(sort);
	return order;
}

static void test_orders(void **state)
{
	(void)state;
	assert_string_equal(
	    sorted(
		"[{\"n\":\"a\",\"k\":\"web-10\"},{\"n\":\"b\",\"k\":\"web-9\"},{\"n\":\"c\",\"k\":\"db-1\"}]",
		false),
	    "cba");
	assert_string_equal(
	    sorted("[{\"n\":\"a\",\"k\":10},{\"n\":\"b\",\"k\":9},{\"n\":\"c\",\"k\":-1.5}]", false), "cba");
	assert_string_equal(
	    sorted("[{\"n\":\"a\",\"k\":\"1Gi\"},{\"n\":\"b\",\"k\":\"200Mi\"},{\"n\":\"c\",\"k\":\"5k\"}]",
		   false),
	    "cba");
	/* Without the field first, equal ones in the order they came in. */
	assert_string_equal(
	    sorted("[{\"n\":\"a\",\"k\":\"x\"},{\"n\":\"b\"},{\"n\":\"c\",\"k\":\"x\"},{\"n\":\"d\"}]",
		   false),
	    "bdac");
	assert_string_equal(
	    sorted("[{\"object\":{\"n\":\"a\",\"k\":\"2\"}},{\"object\":{\"n\":\"b\",\"k\":\"1\"}}]", true),
	    "ba");
	assert_string_equal(sorted("[]", false), "");
	assert_string_equal(sorted("[{\"n\":\"a\"}]", false),
			    "couldn't find any field with path \"{.k}\" in the list of obje");
}

static void test_along(void **state)
{
	CLEANUP(json_putp) struct json_object *a = NULL, *b = NULL;
	struct sort_by *sort;
	struct err err = ERR_INIT;
	static const char x[] = "of a", y[] = "of b";

	(void)state;
	assert_int_equal(json_parse("{\"k\":\"2\"}", 9, &a, NULL, NULL), 0);
	assert_int_equal(json_parse("{\"k\":\"1\"}", 9, &b, NULL, NULL), 0);
	struct json_object *values[] = { a, b };
	const void *along[] = { x, y };
	assert_int_equal(sort_by_new("{.k}", &sort, &err), 0);
	assert_int_equal(sort_by_values(sort, values, along, 2, false, &err), 0);
	assert_ptr_equal(values[0], b);
	assert_ptr_equal(along[0], y);
	sort_by_free(sort);
	assert_int_equal(sort_by_new("{.k", &sort, &err), -1);
	assert_non_null(strstr(err.msg, "unexpected path string"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
