#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/service_cidr.h"

/* kubernetes and wide have the same addresses in part, apart has its own, dual has both families. */
static const char text[] = "[{\"metadata\":{\"name\":\"kubernetes\"},\"spec\":{\"cidrs\":[\"10.96.0.0/24\"]}},"
			   "{\"metadata\":{\"name\":\"wide\"},\"spec\":{\"cidrs\":[\"10.96.0.0/16\"]}},"
			   "{\"metadata\":{\"name\":\"apart\"},\"spec\":{\"cidrs\":[\"10.97.0.0/24\"]}},"
			   "{\"metadata\":{\"name\":\"dual\"},\"spec\":{\"cidrs\":[\"10.97.0.0/24\",\"fd00::/112\"]}}]";

static const struct json_object *named(const struct json_object *all, const char *name)
{
	for (size_t i = 0; i < json_len(all); i++)
		if (strcmp(json_str_or_empty(json_get(json_at(all, i), "metadata"), "name"), name) == 0)
			return json_at(all, i);
	fail_msg("%s", name);
	return NULL;
}

static void test_what_others_have(void **state)
{
	static const struct { const char *name; bool covered; } covered[] = {
		{ "kubernetes", true }, { "wide", false }, { "apart", true }, { "dual", false },
	};
	static const struct { const char *name, *address; bool alone; } alone[] = {
		{ "kubernetes", "10.96.0.9", false }, { "wide", "10.96.0.9", false }, { "wide", "10.96.1.9", true },
		{ "apart", "10.97.0.1", false },      { "dual", "fd00::1", true },     { "dual", "10.97.0.1", false },
		{ "dual", "10.96.1.9", false },
	};
	CLEANUP(json_putp) struct json_object *all = NULL;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &all, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
		if (service_cidr_is_covered(named(all, covered[i].name), all) != covered[i].covered)
			fail_msg("%s", covered[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (service_cidr_alone_has(named(all, alone[i].name), all, alone[i].address) != alone[i].alone)
			fail_msg("%s %s", alone[i].name, alone[i].address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_others_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
