/* Lists: pages of one snapshot, selectors, owners. */
#include "tests/unit/apiserver/core_config_maps.h"

static void assert_list(struct core *core, struct core_command *command, const char *names)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	command->op = CORE_LIST;
	command->resource = config_maps();
	command->ret_more = false;
	command->ret_remaining = 0;
	assert_int_equal(call(core, command), ERR_NONE);
	for (size_t i = 0; i < command->ret_n; i++)
		buf_str(&b, object_name(command->ret_objects[i]));
	core_command_close(command);
	assert_string_equal(b.data ? b.data : "", names);
}

static void test_pages_of_one_snapshot(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct core_command list = { .filter.namespace_ = "d", .limit = 2 };

	for (const char *name = "abcdefg"; *name; name++)
		create_config_map(core, (char[]){ *name, '\0' }, "1");
	put_object(core, CORE_CREATE, make(config_maps(), "\"name\":\"z\",\"namespace\":\"e\"}"), 0);
	assert_list(core, &list, "ab");
	assert_true(list.ret_more);
	assert_int_equal(list.ret_remaining, 5);
	list.at_revision = list.ret_revision;
	list.after_key = "d/b";
	/* What happens between the pages does not show in them. */
	remove_object(core, config_maps(), "d", "c");
	create_config_map(core, "cc", "new");
	update_config_map(core, "e", "2");
	update_config_map(core, "e", "3");
	remove_object(core, config_maps(), "d", "g");
	create_config_map(core, "g", "again");
	assert_list(core, &list, "cd");
	assert_int_equal(list.ret_remaining, 3);
	list.after_key = "d/d";
	assert_list(core, &list, "ef");
	list.after_key = "d/f";
	assert_list(core, &list, "g");
	assert_false(list.ret_more);
	assert_int_equal(list.ret_remaining, 0);
	list = (struct core_command){ .filter.namespace_ = "d" };
	assert_list(core, &list, "abccdefg");
	list = (struct core_command){ 0 };
	assert_list(core, &list, "abccdefgz");
	list = (struct core_command){ .filter.namespace_ = "d", .filter.name = "c" };
	assert_list(core, &list, "");
	list = (struct core_command){ .filter.namespace_ = "d", .filter.name = "c", .at_revision = 9 };
	assert_list(core, &list, "c");
	list = (struct core_command){ .at_revision = 1 };
	assert_list(core, &list, "");
	core_stop_and_free(core);
	remove_folder(dir);
}

/* On the caller's thread: what is there now, as long as that is little. */
static void test_short_lists_need_no_core(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct core_command list = {
		.op = CORE_LIST, .resource = config_maps(), .filter.namespace_ = "d", .limit = 2
	};

	for (const char *name = "abc"; *name; name++)
		create_config_map(core, (char[]){ *name, '\0' }, "1");
	assert_true(core_list_now(core, &list));
	assert_int_equal(list.ret_n, 2);
	assert_string_equal(object_name(list.ret_objects[1]), "b");
	assert_true(list.ret_more);
	assert_int_equal(list.ret_remaining, 1);
	assert_int_equal(list.ret_revision, core_revision(core));
	core_command_close(&list);
	list = (struct core_command){ .op = CORE_LIST, .resource = config_maps(), .not_older_than = 99 };
	assert_true(core_list_now(core, &list));
	assert_int_equal(list.err.kind, ERR_TIMEOUT);
	/* Of another moment. */
	list = (struct core_command){ .op = CORE_LIST, .resource = config_maps(), .at_revision = 1 };
	assert_false(core_list_now(core, &list));
	/* Many. */
	for (unsigned i = 0; i < 600; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("n%u", i);
		create_config_map(core, name, "1");
	}
	list = (struct core_command){ .op = CORE_LIST, .resource = config_maps(), .limit = 1 };
	assert_false(core_list_now(core, &list));
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_selected_lists(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct selector labels = { 0 };
	struct core_command list = { .filter.labels = &labels, .limit = 1 };

	for (unsigned i = 0; i < 6; i++)
		put_object(core, CORE_CREATE,
			   make(config_maps(),
				"\"name\":\"%u\",\"namespace\":\"d\",\"labels\":{\"odd\":\"%s\"}}", i,
				i % 2 ? "yes" : "no"),
			   0);
	assert_int_equal(selector_parse("odd=yes", &labels, NULL), 0);
	assert_list(core, &list, "1");
	assert_true(list.ret_more);
	assert_int_equal(list.ret_remaining, 0);
	list.after_key = "d/1";
	list.limit = 2;
	assert_list(core, &list, "35");
	assert_false(list.ret_more);
	selector_close(&labels);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_owners(void **state)
{
	(void)state;
	char *dir = make_folder();

	for (unsigned round = 0; round < 2; round++) { /* the second finds it in the store */
		struct core *core = start(dir);
		struct core_command command = { .op = CORE_BY_OWNER, .uid = "o" };

		if (round == 0)
			put_object(core, CORE_CREATE,
				   make(pods(), "\"name\":\"p\",\"namespace\":\"d\",\"ownerReferences\":"
						"[{\"uid\":\"o\"}]}"),
				   0);
		assert_int_equal(call(core, &command), ERR_NONE);
		assert_int_equal(command.ret_n, 1);
		assert_string_equal(object_key(command.ret_objects[0]), "d/p");
		core_command_close(&command);
		core_stop_and_free(core);
	}
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_of_one_snapshot),
		cmocka_unit_test(test_short_lists_need_no_core),
		cmocka_unit_test(test_selected_lists),
		cmocka_unit_test(test_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
