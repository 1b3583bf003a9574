#include "tests/unit/apiserver/core_fixture.h"

/* One ConfigMap is written along with another one: all or nothing. */

static uint64_t create_counter(struct core *core)
{
	struct core_command command = { .op = CORE_CREATE,
					.resource = config_maps(),
					.object = make(config_maps(), "\"name\":\"counter\",\"namespace\":\"a\",\"uid\":\"u\"},\"data\":{\"n\":\"0\"}") };

	assert_int_equal(call(core, &command), ERR_NONE);
	uint64_t revision = command.ret_revision;
	core_command_close(&command);
	return revision;
}

/* The counter's revision; N is what it must hold. */
static uint64_t counter_is(struct core *core, const char *n)
{
	struct object *object = NULL;

	assert_int_equal(core_get(core, config_maps(), "a", "counter", &object, NULL), 0);
	CLEANUP(json_putp) struct json_object *obj = object_json(object);
	assert_string_equal(json_str(json_get(obj, "data"), "n"), n);
	uint64_t revision = object_revision(object);
	object_unref(object);
	return revision;
}

static enum err_kind create_counted(struct core *core, const char *name, uint64_t counter_revision, const char *n, bool *ret_with_failed)
{
	struct core_command counter = {
		.op = CORE_UPDATE,
		.resource = config_maps(),
		.namespace_ = "a",
		.name = "counter",
		.object = make(config_maps(), "\"name\":\"counter\",\"namespace\":\"a\",\"uid\":\"u\"},\"data\":{\"n\":\"%s\"}", n),
		.revision = counter_revision,
	};
	struct core_command command = {
		.op = CORE_CREATE,
		.resource = config_maps(),
		.object = make(config_maps(), "\"name\":\"%s\",\"namespace\":\"a\",\"uid\":\"u-%s\"}", name, name),
		.with = &counter,
	};
	enum err_kind kind = call(core, &command);

	*ret_with_failed = command.with_failed;
	assert_null(counter.object);
	core_command_close(&command);
	return kind;
}

static void test_all_or_nothing(void **state)
{
	CLEANUP(mem_freep) char *dir = make_folder();
	struct core *core = start(dir);
	bool with_failed;

	(void)state;
	uint64_t first = create_counter(core);
	assert_int_equal(create_counted(core, "one", first, "1", &with_failed), ERR_NONE);
	uint64_t second = counter_is(core, "1");
	assert_true(second > first);

	/* The counter has moved on: nothing is created. */
	assert_int_equal(create_counted(core, "two", first, "2", &with_failed), ERR_CONFLICT);
	assert_true(with_failed);
	counter_is(core, "1");
	assert_int_equal(core_get(core, config_maps(), "a", "two", &(struct object *){ NULL }, NULL), -1);

	/* What is to be created is there already: the counter stays. */
	assert_int_equal(create_counted(core, "one", second, "2", &with_failed), ERR_ALREADY_EXISTS);
	assert_false(with_failed);
	assert_int_equal(counter_is(core, "1"), second);
	core_stop_and_free(core);

	/* Both are on disk. */
	core = start(dir);
	counter_is(core, "1");
	struct object *object = NULL;
	assert_int_equal(core_get(core, config_maps(), "a", "one", &object, NULL), 0);
	object_unref(object);
	core_stop_and_free(core);
	remove_files(dir);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
