#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/mem.h"

struct outer {
	int before;
	int inner;
};

static void test_null_stays_null(void **state)
{
	(void)state;
	assert_null(mem_dup(NULL));
	assert_null(mem_dupn(NULL, 3));
}

static void test_copies(void **state)
{
	CLEANUP(mem_freep) char *part = mem_dupn("abcdef", 3);
	CLEANUP(mem_freep) char *text = mem_printf("%s/%d", "pods", 7);
	CLEANUP(mem_freep) char *bytes = mem_copy("a\0b", 3);
	CLEANUP(mem_freep) int *zeros = mem_zalloc(4 * sizeof(int));

	(void)state;
	assert_string_equal(part, "abc");
	assert_string_equal(text, "pods/7");
	assert_memory_equal(bytes, "a\0b", 3);
	assert_int_equal(zeros[3], 0);
}

static void test_size_zero_is_a_pointer(void **state)
{
	CLEANUP(mem_freep) void *p = mem_alloc(0);
	CLEANUP(mem_freep) void *q = mem_realloc_array(NULL, 0, 8);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
}

static void test_take_leaves_null(void **state)
{
	char *owner = mem_dup("x");
	CLEANUP(mem_freep) char *taker = TAKE(owner);

	(void)state;
	assert_null(owner);
	assert_string_equal(taker, "x");
}

static void test_container_of(void **state)
{
	struct outer outer = { 1, 2 };
	int *inner = &outer.inner;

	(void)state;
	assert_ptr_equal(CONTAINER_OF(inner, struct outer, inner), &outer);
}

static void test_cleanup_closes(void **state)
{
	int number;

	(void)state;
	{
		CLEANUP(mem_closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		CLEANUP(mem_closep) int none = -1;
		CLEANUP(mem_fclosep) FILE *no_file = NULL;

		number = fd;
		assert_true(fd >= 0);
		assert_int_equal(none, -1);
		assert_null(no_file);
	}
	assert_int_equal(fcntl(number, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null_stays_null),        cmocka_unit_test(test_copies),
		cmocka_unit_test(test_size_zero_is_a_pointer), cmocka_unit_test(test_take_leaves_null),
		cmocka_unit_test(test_container_of),           cmocka_unit_test(test_cleanup_closes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
