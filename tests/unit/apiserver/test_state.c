#include "apiserver/core/state.h"
#include "tests/unit/apiserver/core_fixture.h"

/* Writes a new state of the object NAME, and lets its history go as the limits say. */
static void write_state(struct state *s, struct table *table, const char *name)
{
	struct object *object = make(config_maps(), "\"name\":\"%s\",\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}", name);

	object_set_revision(object, ++s->revision);
	struct object *old = state_replace(table, object, false);
	history_add(&table->history, object, old, false, 1);
	object_unref(old);
	object_unref(object);
	state_trim(s, table, 1);
}

static void remove_state(struct state *s, struct table *table, const char *name)
{
	struct object *final = make(config_maps(), "\"name\":\"%s\",\"namespace\":\"d\"}", name);

	object_set_revision(final, ++s->revision);
	object_unref(state_replace(table, final, true));
	object_unref(final);
}

/* Old states may take as much as living ones, within a quarter of the limit and the limit. */
static void test_history_follows_what_lives(void **state)
{
	static const struct {
		size_t living, kept; /* in objects, where the limit is 100 */
	} cases[] = { { 10, 25 }, { 80, 80 }, { 300, 100 } };
	struct object *sample = make(config_maps(), "\"name\":\"o-100\",\"namespace\":\"d\"},\"data\":{\"k\":\"v\"}");
	size_t size = object_size(sample);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct history_limits limits = { .events = 10000, .bytes = 100 * size, .seconds = 1000 };
		struct state s;
		char name[16];

		state_init(&s, &limits);
		struct table *table = state_table(&s, config_maps());
		for (size_t n = 0; n < cases[i].living + 500; n++) {
			snprintf(name, sizeof(name), "o-%03zu", 100 + n % cases[i].living);
			write_state(&s, table, name);
		}
		assert_int_equal(table->bytes, cases[i].living * size);
		assert_int_equal(table->history.bytes, cases[i].kept * size);
		for (size_t n = 0; n < cases[i].living; n++) {
			snprintf(name, sizeof(name), "o-%03zu", 100 + n);
			remove_state(&s, table, name);
		}
		assert_int_equal(table->bytes, 0);
		state_close(&s);
	}
	object_unref(sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_history_follows_what_lives) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
