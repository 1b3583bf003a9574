#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "nodeagent/start_slots.h"

static void on_turn(void *arg)
{
	++*(int *)arg;
}

static void test_first_come_first_served(void **state)
{
	struct start_slots *slots = start_slots_new(2);
	struct start_slot s[5] = { 0 };
	int told[5] = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		s[i].fn = on_turn;
		s[i].arg = &told[i];
		assert_int_equal(start_slots_take(slots, &s[i]), i < 2);
	}
	assert_false(start_slots_take(slots, &s[2])); /* still in line, once */
	start_slots_give(&s[3]);                      /* left the line */
	start_slots_give(&s[0]);
	assert_int_equal(told[2], 1);
	assert_true(start_slots_take(slots, &s[2]));
	start_slots_give(&s[1]);
	assert_int_equal(told[4], 1);
	assert_int_equal(told[3], 0);
	start_slots_give(&s[1]);
	start_slots_give(&s[2]);
	start_slots_give(&s[4]);
	assert_true(start_slots_take(slots, &s[0]));
	assert_true(start_slots_take(slots, &s[1]));
	assert_false(start_slots_take(slots, &s[3]));
	start_slots_give(&s[3]);
	/* The line's end is still right after its last one left. */
	assert_false(start_slots_take(slots, &s[4]));
	start_slots_give(&s[0]);
	assert_int_equal(told[4], 2);
	start_slots_free(slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come_first_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
