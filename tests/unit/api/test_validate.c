/* Names and the shared checks of validate.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/validate.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64 A63 "a"

static void check_label_value(const char *name, bool is_prefix, struct name_faults *faults)
{
	(void)is_prefix;
	name_check_label_value(name, faults);
}

static void check_qualified(const char *name, bool is_prefix, struct name_faults *faults)
{
	(void)is_prefix;
	name_check_qualified(name, faults);
}

static void check_config_key(const char *name, bool is_prefix, struct name_faults *faults)
{
	(void)is_prefix;
	name_check_config_key(name, faults);
}

static void check_port_name(const char *name, bool is_prefix, struct name_faults *faults)
{
	(void)is_prefix;
	name_check_port_name(name, faults);
}

/* How many faults a name has, and how the first begins. */
static const struct name_case {
	void (*check)(const char *name, bool is_prefix, struct name_faults *faults);
	const char *name;
	bool is_prefix;
	size_t n;
	const char *first;
} cases[] = {
	{ name_check_dns_subdomain, "a", false, 0, NULL },
	{ name_check_dns_subdomain, "a.b-c.0", false, 0, NULL },
	{ name_check_dns_subdomain, "", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a..b", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, ".a", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a.", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a-", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a-.b", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a_b", false, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "web-", true, 0, NULL },
	{ name_check_dns_subdomain, "web--", true, 0, NULL },
	{ name_check_dns_subdomain, "web.", true, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "a.-", true, 0, NULL },
	{ name_check_dns_subdomain, "-", true, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_subdomain, "Web-", true, 1, "a lowercase RFC 1123 subdomain" },
	{ name_check_dns_label, A63, false, 0, NULL },
	{ name_check_dns_label, A64, false, 1, "must be no more than 63 characters" },
	{ name_check_dns_label, A64 "_", false, 2, "must be no more than 63 characters" },
	{ name_check_dns_label, "a.b", false, 1, "a lowercase RFC 1123 label" },
	{ name_check_dns_label, "0a", false, 0, NULL },
	{ name_check_dns1035_label, "0a", false, 1, "a DNS-1035 label" },
	{ name_check_dns1035_label, "a0", false, 0, NULL },
	{ name_check_path_segment, "p.17a", false, 0, NULL },
	{ name_check_path_segment, "..", false, 1, "may not be '..'" },
	{ name_check_path_segment, "a/b%", false, 2, "may not contain '/'" },
	{ check_qualified, "app", false, 0, NULL },
	{ check_qualified, "example.com/App_1.x", false, 0, NULL },
	{ check_qualified, "/a", false, 1, "prefix part must be non-empty" },
	{ check_qualified, "A/a", false, 1, "prefix part a lowercase RFC 1123 subdomain" },
	{ check_qualified, "a/", false, 2, "name part must be non-empty" },
	{ check_qualified, "a/" A64, false, 1, "name part must be no more than 63 characters" },
	{ check_qualified, "a/b/c", false, 1, "a valid label key" },
	{ check_label_value, "", false, 0, NULL },
	{ check_label_value, "A.b_c-9", false, 0, NULL },
	{ check_label_value, "-a", false, 1, "a valid label must be" },
	{ check_label_value, A64, false, 1, "must be no more than 63 characters" },
	{ check_config_key, "tls.crt", false, 0, NULL },
	{ check_config_key, "a/b", false, 1, "a valid config key" },
	{ check_config_key, "", false, 1, "a valid config key" },
	{ check_config_key, "..", false, 1, "must not be '..'" },
	{ check_config_key, "..a", false, 1, "must not start with '..'" },
	{ check_port_name, "http-1", false, 0, NULL },
	{ check_port_name, "1", false, 1, "must contain at least one letter (a-z)" },
	{ check_port_name, "a--b", false, 1, "must not contain consecutive hyphens" },
	{ check_port_name, "-a", false, 1, "must not begin or end with a hyphen" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct name_case *c = &cases[i];
		struct name_faults faults = { .n = 0 };

		c->check(c->name, c->is_prefix, &faults);
		if (faults.n != c->n ||
		    (c->first && strncmp(faults.text[0], c->first, strlen(c->first)) != 0))
			fail_msg("\"%s\" (case %zu): %zu faults, the first: %s", c->name, i, faults.n,
				 faults.n > 0 ? faults.text[0] : "none");
	}
}

static void test_question(void **state)
{
	CLEANUP(buf_close) struct buf message = BUF_INIT;

	(void)state;
	assert_true(name_is_dns_label("a", false, &message));
	assert_null(message.data);
	assert_false(name_is_dns_label(A64, false, &message));
	assert_string_equal(message.data, "must be no more than 63 characters");
	assert_false(name_is_qualified("-", NULL));
	assert_true(name_is_label_value("", NULL));
}

/* A selector's faults, joined as a Status shows them. */
static void check_selector(const char *text, const char *expected)
{
	CLEANUP(json_putp) struct json_object *selector = NULL;
	CLEANUP(buf_close) struct buf got = BUF_INIT;
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct field_path path;

	assert_int_equal(json_parse(text, strlen(text), &selector, NULL, NULL), 0);
	field_path_init(&path, "spec");
	validate_label_selector(selector, &path, &errors);
	if (errors.n > 0)
		field_errors_write(&got, &errors);
	assert_string_equal(got.data ? got.data : "", expected);
	assert_string_equal(path.text, "spec");
	field_errors_close(&errors);
}

static void test_selectors(void **state)
{
	(void)state;
	check_selector("{}", "");
	check_selector(
	    "{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}",
	    "");
	check_selector("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"b\"]}]}", "");
	check_selector(
	    "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\",\"values\":[\"b\"]}]}",
	    "spec.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or "
	    "'DoesNotExist'");
	check_selector(
	    "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Is\"}]}",
	    "spec.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_selectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
