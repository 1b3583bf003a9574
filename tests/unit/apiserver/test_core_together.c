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

/* Creates, or with REVISION removes, "main", along with WITH. */
static enum err_kind write_main(struct core *core, uint64_t revision, struct core_command *with, bool dry_run,
				bool *ret_with_failed)
{
	struct core_command command = {
		.op = revision ? CORE_DELETE : CORE_CREATE,
		.resource = config_maps(),
		.namespace_ = "a",
		.name = "main",
		.revision = revision,
		.object = revision ? NULL : make(config_maps(), "\"name\":\"main\",\"namespace\":\"a\",\"uid\":\"m\"}"),
		.with = with,
		.dry_run = dry_run,
	};
	enum err_kind kind = call(core, &command);

	*ret_with_failed = command.with_failed;
	core_command_close(&command);
	return kind;
}

static struct core_command creation(const char *uid)
{
	return (struct core_command){
		.op = CORE_CREATE,
		.resource = config_maps(),
		.namespace_ = "a",
		.name = "other",
		.object = make(config_maps(), "\"name\":\"other\",\"namespace\":\"a\",\"uid\":\"%s\"}", uid),
	};
}

static void test_others_come_and_go(void **state)
{
	CLEANUP(mem_freep) char *dir = make_folder();
	struct core *core = start(dir);
	bool with_failed;

	(void)state;
	struct core_command other = creation("o");
	assert_int_equal(write_main(core, 0, &other, true, &with_failed), ERR_NONE);
	assert_int_equal(revision_of(core, config_maps(), "a", "other"), 0);

	other = creation("o");
	assert_int_equal(write_main(core, 0, &other, false, &with_failed), ERR_NONE);
	uint64_t revision = revision_of(core, config_maps(), "a", "main");
	assert_true(revision_of(core, config_maps(), "a", "other") > revision);

	/* It goes along; what is not there does not matter, nor what has another uid. */
	struct core_command another = { .op = CORE_DELETE, .resource = config_maps(), .namespace_ = "a", .name = "other", .uid = "x" };
	struct core_command gone = { .op = CORE_DELETE, .resource = config_maps(), .namespace_ = "a", .name = "gone", .next = &another };
	assert_int_equal(write_main(core, revision, &gone, false, &with_failed), ERR_NONE);
	assert_int_equal(revision_of(core, config_maps(), "a", "main"), 0);
	assert_true(revision_of(core, config_maps(), "a", "other") != 0);

	/* What is there already is not made again, and nothing else either. */
	other = creation("p");
	assert_int_equal(write_main(core, 0, &other, false, &with_failed), ERR_CONFLICT);
	assert_true(with_failed);
	assert_int_equal(revision_of(core, config_maps(), "a", "main"), 0);

	assert_true(put_object(core, CORE_CREATE, make(config_maps(), "\"name\":\"main\",\"namespace\":\"a\",\"uid\":\"m\"}"), 0));
	another.uid = "o";
	another.next = NULL;
	assert_int_equal(write_main(core, revision_of(core, config_maps(), "a", "main"), &another, false, &with_failed), ERR_NONE);
	core_stop_and_free(core);

	core = start(dir);
	assert_int_equal(revision_of(core, config_maps(), "a", "main"), 0);
	assert_int_equal(revision_of(core, config_maps(), "a", "other"), 0);
	core_stop_and_free(core);
	remove_files(dir);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_others_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
