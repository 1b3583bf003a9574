/* Single writes: what they check, and what of them is there afterwards, also after a kill. */
#include "tests/unit/apiserver/core_config_maps.h"

static void assert_failed(struct core *core, struct core_command *command, enum err_kind kind,
			  const char *message)
{
	assert_int_equal(call(core, command), kind);
	assert_string_equal(command->err.msg, message);
	core_command_close(command);
}

static void test_write_and_read(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	uint64_t first, second;

	assert_int_equal(core_revision(core), 1);
	first = create_config_map(core, "a", "1");
	assert_int_equal(first, 2);
	assert_int_equal(core_revision(core), 2);
	assert_int_equal(core_count(core, config_maps()), 1);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), first);
	assert_int_equal(revision_of(core, config_maps(), "d", "b"), 0);
	second = update_config_map(core, "a", "2");
	assert_int_equal(second, 3);
	/* The same bytes again change nothing. */
	assert_int_equal(update_config_map(core, "a", "2"), 3);
	assert_int_equal(core_revision(core), 3);
	assert_int_equal(remove_object(core, config_maps(), "d", "a"), 4);
	assert_int_equal(core_count(core, config_maps()), 0);
	assert_int_equal(remove_object(core, config_maps(), "d", "a"), 0);
	assert_true(core_healthy(core));
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_checks(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct object *missing = NULL;
	struct err err = ERR_INIT;
	struct core *core = start(dir);

	create_config_map(core, "a", "1");
	assert_failed(core,
		      &(struct core_command){
			  .op = CORE_CREATE, .resource = config_maps(), .object = config_map("a", "2") },
		      ERR_ALREADY_EXISTS, "configmaps \"a\" already exists");
	assert_int_equal(core_get(core, config_maps(), "d", "b", &missing, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "configmaps \"b\" not found");
	assert_null(missing);
	assert_failed(core,
		      &(struct core_command){ .op = CORE_UPDATE,
					      .resource = config_maps(),
					      .namespace_ = "d",
					      .name = "b",
					      .object = config_map("b", "2") },
		      ERR_NOT_FOUND, "configmaps \"b\" not found");
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_UPDATE,
				    .resource = config_maps(),
				    .namespace_ = "d",
				    .name = "a",
				    .object = config_map("a", "2"),
				    .revision = 1 },
	    ERR_CONFLICT,
	    "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please "
	    "apply your changes to the latest version and try again");
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_UPDATE,
				    .resource = config_maps(),
				    .namespace_ = "d",
				    .name = "a",
				    .object = config_map("a", "2"),
				    .uid = "other" },
	    ERR_CONFLICT,
	    "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, Code: 4, "
	    "Key: /registry/configmaps/d/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
	    "failed: UID in precondition: other, UID in object meta: uid-a");
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_DELETE,
				    .resource = config_maps(),
				    .namespace_ = "d",
				    .name = "a",
				    .uid = "other" },
	    ERR_CONFLICT,
	    "Operation cannot be fulfilled on configmaps \"a\": the UID in the precondition (other) does "
	    "not match the UID in record (uid-a). The object might have been deleted and then "
	    "recreated");
	assert_failed(core,
		      &(struct core_command){ .op = CORE_CREATE,
					      .resource = config_maps(),
					      .object = config_map("n", "2"),
					      .check_namespace = true },
		      ERR_NOT_FOUND, "namespaces \"d\" not found");
	assert_failed(
	    core, &(struct core_command){ .op = CORE_LIST, .resource = config_maps(), .not_older_than = 99 },
	    ERR_TIMEOUT, "Timeout: Too large resource version: 99, current: 2");
	assert_int_equal(core_revision(core), 2);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_namespaces_and_dry_run(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	const struct resource *namespaces = resource_find("", "v1", "namespaces");
	struct core_command command = { .op = CORE_CREATE,
					.resource = config_maps(),
					.object = config_map("a", "1"),
					.check_namespace = true,
					.dry_run = true };

	put_object(core, CORE_CREATE, make(namespaces, "\"name\":\"d\"}"), 0);
	assert_int_equal(call(core, &command), ERR_NONE);
	assert_int_equal(object_revision(command.ret_object), 0);
	core_command_close(&command);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), 0);
	command = (struct core_command){ .op = CORE_CREATE,
					 .resource = config_maps(),
					 .object = config_map("a", "1"),
					 .check_namespace = true };
	assert_int_equal(call(core, &command), ERR_NONE);
	core_command_close(&command);
	put_object(core, CORE_UPDATE,
		   make(namespaces, "\"name\":\"d\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}"), 0);
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_CREATE,
				    .resource = config_maps(),
				    .object = config_map("b", "1"),
				    .check_namespace = true },
	    ERR_FORBIDDEN,
	    "configmaps \"b\" is forbidden: unable to create new content in namespace d because it is "
	    "being terminated");
	command = (struct core_command){
		.op = CORE_DELETE, .resource = config_maps(), .namespace_ = "d", .name = "a", .dry_run = true
	};
	assert_int_equal(call(core, &command), ERR_NONE);
	assert_non_null(command.ret_object);
	core_command_close(&command);
	assert_true(revision_of(core, config_maps(), "d", "a") > 0);
	core_stop_and_free(core);
	remove_folder(dir);
}

/* On the caller's thread, whatever the core does; what it cannot know there is for the core. */
static void test_dry_runs_need_no_core(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct core_command command = { .op = CORE_CREATE, .resource = config_maps(), .dry_run = true };
	struct core_command with = {
		.op = CORE_DELETE, .resource = config_maps(), .namespace_ = "d", .name = "b"
	};

	uint64_t revision = create_config_map(core, "a", "1");
	command.object = config_map("a", "1");
	assert_true(core_dry_run(core, &command));
	assert_int_equal(command.err.kind, ERR_ALREADY_EXISTS);
	assert_null(command.object);
	core_command_close(&command);
	command = (struct core_command){ .op = CORE_UPDATE,
					 .resource = config_maps(),
					 .namespace_ = "d",
					 .name = "a",
					 .object = config_map("a", "2"),
					 .revision = revision,
					 .dry_run = true };
	assert_true(core_dry_run(core, &command));
	assert_int_equal(command.err.kind, ERR_NONE);
	assert_int_equal(object_revision(command.ret_object), revision);
	core_command_close(&command);
	command.object = config_map("a", "2");
	command.revision = revision + 1;
	assert_true(core_dry_run(core, &command));
	assert_int_equal(command.err.kind, ERR_CONFLICT);
	core_command_close(&command);
	command = (struct core_command){ .op = CORE_DELETE,
					 .resource = config_maps(),
					 .namespace_ = "d",
					 .name = "a",
					 .with = &with,
					 .dry_run = true };
	assert_false(core_dry_run(core, &command));
	command.with = NULL;
	assert_true(core_dry_run(core, &command));
	assert_int_equal(command.err.kind, ERR_NONE);
	core_command_close(&command);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), revision);
	core_stop_and_free(core);
	remove_folder(dir);
}

/* --- killed at any moment --- */

static void write_forever(const char *dir, int tell)
{
	struct core *core = start(dir);

	for (uint64_t i = core_revision(core);; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("k%llu", (unsigned long long)i % 50);
		CLEANUP(mem_freep) char *value = mem_printf("%llu", (unsigned long long)i);
		uint64_t revision = update_config_map(core, name, value);

		if (!revision)
			revision = create_config_map(core, name, value);
		if (write(tell, &revision, sizeof(revision)) < 0)
			_exit(1);
	}
}

static void test_killed(void **state)
{
	(void)state;
	char *dir = make_folder();
	uint64_t told = 1;

	for (unsigned round = 0; round < 6; round++) {
		told = write_until_killed(write_forever, dir, 30 + round * 40, told);

		struct core *core = start(dir);
		struct reader reader;

		assert_true(core_revision(core) >= told && core_revision(core) <= told + 1);
		/* The whole history is there, in order. */
		assert_int_equal(
		    reader_open(&reader, core,
				&(struct core_command){ .resource = config_maps(), .at_revision = 1 }),
		    ERR_NONE);
		for (uint64_t revision = 2; revision <= core_revision(core); revision++) {
			struct watch_event event = reader_next(&reader);

			assert_int_equal(event.revision, revision);
			object_unref(event.object);
		}
		reader_close(&reader);
		core_stop_and_free(core);
	}
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_namespaces_and_dry_run),
		cmocka_unit_test(test_dry_runs_need_no_core),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
