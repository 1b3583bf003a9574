#include "api/description.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mem.h"

/* Each line is found by its own key: the table is sorted as the search wants it. */
static void every_line_is_found(void **state)
{
	(void)state;
	size_t n = 0;
	for (const char *line = description_lines; *line; line = strchr(line, '\n') + 1, n++) {
		size_t def_len = strcspn(line, "\t"), field_len = strcspn(line + def_len + 1, "\t"), len;
		CLEANUP(mem_freep) char *name = mem_dupn(line, def_len);
		CLEANUP(mem_freep) char *field = mem_dupn(line + def_len + 1, field_len);
		const struct schema_def *def = schema_def_find(name);
		if (strcmp(name, "*") == 0)
			continue;
		assert_non_null(def);
		assert_ptr_equal(description_find(def, field, &len), line + def_len + field_len + 2);
		assert_int_equal(len, strcspn(line + def_len + field_len + 2, "\n"));
	}
	assert_true(n > 0);
}

static void closed_sets_of_values_are_known(void **state)
{
	(void)state;
	size_t len;
	const char *values =
	    description_values(schema_def_find("core.v1.Container"), "imagePullPolicy", &len);
	assert_non_null(values);
	assert_int_equal(len, strlen("Always|Never|IfNotPresent"));
	assert_memory_equal(values, "Always|Never|IfNotPresent", len);
	/* Others add to these. */
	assert_null(description_values(schema_def_find("core.v1.PodCondition"), "type", &len));
	assert_null(description_values(schema_def_find("core.v1.Container"), "image", &len));
	for (const char *line = description_value_lines; *line; line = strchr(line, '\n') + 1) {
		size_t def_len = strcspn(line, "\t"), field_len = strcspn(line + def_len + 1, "\t");
		CLEANUP(mem_freep) char *name = mem_dupn(line, def_len);
		CLEANUP(mem_freep) char *field = mem_dupn(line + def_len + 1, field_len);
		const struct schema_def *def = schema_def_find(name);
		assert_non_null(def);
		assert_non_null(schema_field_find(def, field, field_len));
		assert_ptr_equal(description_values(def, field, &len), line + def_len + field_len + 2);
	}
}

static void what_all_kinds_have_is_found_for_kinds_only(void **state)
{
	(void)state;
	size_t len;
	assert_non_null(description_find(schema_def_find("networking.v1.NetworkPolicy"), "apiVersion", &len));
	assert_null(description_find(schema_def_find("core.v1.ObjectReference"), "metadata", &len));
	assert_null(description_find(schema_def_find("core.v1.Pod"), "nope", &len));
	assert_null(description_find(schema_def_find("core.v1.Pod"), "kin", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_found),
		cmocka_unit_test(closed_sets_of_values_are_known),
		cmocka_unit_test(what_all_kinds_have_is_found_for_kinds_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
