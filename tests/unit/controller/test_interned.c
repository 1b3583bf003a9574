#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/interned.h"
#include "lib/mem.h"

struct number {
	struct interned interned;
	int64_t n;
};

static unsigned made, closed;

static void make(void *value, struct json_span text)
{
	((struct number *)value)->n = json_span_int(text, -1);
	made++;
}

static void close_number(void *value)
{
	(void)value;
	closed++;
}

static void test_shared(void **state)
{
	static struct interned_kind kind = { .size = sizeof(struct number),
					     .make = make,
					     .close = close_number };
	static const char text[] = "12,12,7";
	struct number *a = interned_get(&kind, (struct json_span){ text, 2 });
	struct number *b = interned_get(&kind, (struct json_span){ text + 3, 2 });
	struct number *c = interned_get(&kind, (struct json_span){ text + 6, 1 });

	(void)state;
	assert_ptr_equal(a, b);
	assert_int_equal(a->n, 12);
	assert_int_equal(c->n, 7);
	assert_int_equal(made, 2);
	interned_put(a);
	assert_int_equal(closed, 0);
	interned_put(b);
	assert_int_equal(closed, 1);
	interned_put(c);
	assert_null(interned_get(&kind, (struct json_span){ 0 }));
	interned_put(NULL);
	/* Made anew when it comes again. */
	interned_put(interned_get(&kind, (struct json_span){ text, 2 }));
	assert_int_equal(made, 3);
	assert_int_equal(closed, 3);
	map_close(&kind.by_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shared) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
