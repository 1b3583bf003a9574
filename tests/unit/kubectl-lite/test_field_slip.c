#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/field_slip.h"
#include "lib/buf.h"

static void add(const char *path, void *arg)
{
	buf_printf(arg, "<%s>", path);
}

static void check(const char *message, const char *expected)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	field_slip_each(message, add, &b);
	assert_string_equal(b.data ? b.data : "", expected);
}

#define PATCHED(version, kind)                                                                               \
	" \"\" is invalid: patch: Invalid value: \"map[a:{\\\"apiVersion\\\":\\\"" version                   \
	"\\\",\\\"kind\\\":\\\"" kind "\\\"}]\": strict decoding error: unknown field \"spec.replcas\""
#define DEPLOYMENT "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: "

static void test_slips(void **state)
{
	(void)state;
	check(DEPLOYMENT "unknown field \"spec.replcas\"", "<spec.replicas>");
	check("error when creating \"x\": " DEPLOYMENT
	      "unknown field \"spec.template.spec.containers[0].imge\", unknown field \"spec.replcas\"",
	      "<spec.template.spec.containers[0].image><spec.replicas>");
	check(
	    "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \"Spec\"",
	    "<spec>");
	check(DEPLOYMENT "unknown field \"metdata.name\"", "");
	check(DEPLOYMENT "unknown field \"metdata\"", "<metadata>");
	check(PATCHED("apps/v1", "Deployment"), "<spec.replicas>");
}

static void test_nothing(void **state)
{
	(void)state;
	check(DEPLOYMENT "unknown field \"spec.nothingLikeThat\"", "");
	check("CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown "
	      "field \"spec.x\"",
	      "");
	check(
	    "Deployment in version \"v9\" cannot be handled as a Deployment: unknown field \"spec.replcas\"",
	    "");
	check("unknown field \"spec.replcas\"", "");
	check("pods \"x\" not found", "");
	check(PATCHED("apps/v9", "Deployment"), "");
	check(PATCHED("g.dev/v1", "Ship"), "");
	/* Cut within a path. */
	check(DEPLOYMENT "unknown field \"spec.repl...", "");
	check(DEPLOYMENT "unknown field \"", "");
	check(DEPLOYMENT "unknown field \"spec.template.metadata.labels[a.b].c[\"", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slips),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
