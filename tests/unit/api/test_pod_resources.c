#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/pod_resources.h"
#include "lib/mem.h"

#define CPU(name, cpu)        "{\"name\":\"" name "\",\"resources\":{\"requests\":{\"cpu\":\"" cpu "\"}}}"
#define SIDECAR(name, cpu)    "{\"name\":\"" name "\",\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":\"" cpu "\"}}}"
#define SPEC(init, containers, rest) "{\"initContainers\":[" init "],\"containers\":[" containers "]" rest "}"

static const struct {
	const char *spec, *sum; /* NULL: nobody asks */
} cases[] = {
	{ SPEC("", "{\"name\":\"a\"}", ""), NULL },
	{ SPEC("", CPU("a", "100m") "," CPU("b", "0.2") ",{\"name\":\"c\"}", ""), "300m" },
	/* Init containers run alone: the largest counts when it is more than all others together. */
	{ SPEC(CPU("i", "1") "," CPU("j", "500m"), CPU("a", "100m"), ""), "1" },
	{ SPEC(CPU("i", "50m"), CPU("a", "100m"), ""), "100m" },
	/* Those that stay count beside containers and beside init containers behind them. */
	{ SPEC(SIDECAR("s", "200m") "," CPU("i", "1"), CPU("a", "100m"), ""), "1200m" },
	{ SPEC(CPU("i", "1") "," SIDECAR("s", "200m"), CPU("a", "900m"), ""), "1100m" },
	/* The pod's own word stands for all of them; overhead comes on top. */
	{ SPEC("", CPU("a", "100m"), ",\"resources\":{\"requests\":{\"cpu\":\"2\"}}"), "2" },
	{ SPEC("", CPU("a", "100m"), ",\"overhead\":{\"cpu\":\"50m\"}"), "150m" },
};

static void test_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *spec = NULL, *list = NULL;
		struct quantity sum;
		char text[QUANTITY_SIZE];

		assert_int_equal(json_parse(cases[i].spec, strlen(cases[i].spec), &spec, NULL, NULL), 0);
		assert_int_equal(pod_resources_sum(spec, "requests", "cpu", &sum), cases[i].sum != NULL);
		list = pod_resources_list(spec, "requests");
		if (cases[i].sum) {
			assert_string_equal(quantity_format(&sum, text), cases[i].sum);
			assert_string_equal(json_str(list, "cpu"), cases[i].sum);
		} else {
			assert_null(json_get(list, "cpu"));
		}
		assert_false(pod_resources_sum(spec, "limits", "cpu", &sum));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
