/* Tables of resources that come and go: made when they are first used, loaded before or after what defines
 * them, kept without a definition, and dropped when their definition goes. */
#include "api/resource_set.h"
#include "tests/unit/apiserver/core_fixture.h"

/* ships.g.dev, as a definition makes it. */
static const struct resource *ships(void)
{
	struct resource_slot *slot = resource_slot_new("g.dev", "ships");
	const struct resource *row = resource_holder_new(slot, "v1", "Ship", true, NULL);

	resource_slot_unref(slot);
	return row;
}

static struct object *ship(const struct resource *row, const char *name)
{
	return make(row, "\"namespace\":\"a\",\"name\":\"%s\",\"uid\":\"u-%s\"}", name, name);
}

static enum err_kind retire(struct core *core, const struct resource *row)
{
	struct core_command command = { .op = CORE_RETIRE, .resource = row };

	return call(core, &command);
}

static void test_first_use(void **state)
{
	char *dir = make_folder();
	struct core *core = start(dir);
	const struct resource *row = ships();

	(void)state;
	assert_int_equal(revision_of(core, row, "a", "one"), 0);
	assert_int_equal(core_count(core, row), 0);
	assert_int_not_equal(put_object(core, CORE_CREATE, ship(row, "one"), 0), 0);
	assert_int_not_equal(revision_of(core, row, "a", "one"), 0);
	assert_int_equal(core_count(core, row), 1);
	core_stop_and_free(core);
	resource_unref(row);
	remove_folder(dir);
}

/* A definition: its name is that of a resource of g.dev. */
static void define(struct object *definition, void *arg)
{
	const struct resource **row = arg;

	assert_string_equal(object_name(definition), "ships.g.dev");
	*row = ships();
	assert_true(resource_publish(NULL, row, 1));
}

/* The definition was written last: its objects come before it in the log. */
static void test_defined_later(void **state)
{
	char *dir = make_folder();
	struct core *core = start(dir);
	const struct resource *row = ships(), *defined = NULL;
	struct store *store = NULL;

	(void)state;
	put_object(core, CORE_CREATE, ship(row, "one"), 0);
	put_object(core, CORE_CREATE, ship(row, "two"), 0);
	remove_object(core, row, "a", "two");
	put_object(core, CORE_CREATE, make(config_maps(), "\"namespace\":\"a\",\"name\":\"ships.g.dev\"}"),
		   0);
	core_stop_and_free(core);
	resource_unref(row);

	assert_int_equal(store_sqlite_open(dir, &store, NULL), 0);
	struct core_opts opts = default_opts(store);
	opts.definitions = config_maps();
	opts.define = define;
	opts.define_arg = &defined;
	core = start_with(&opts);
	assert_non_null(defined);
	assert_int_not_equal(revision_of(core, defined, "a", "one"), 0);
	assert_int_equal(revision_of(core, defined, "a", "two"), 0);
	assert_int_equal(core_count(core, defined), 1);
	assert_true(resource_publish(defined->family, NULL, 0));
	core_stop_and_free(core);
	resource_unref(defined);
	remove_folder(dir);
}

/* Nothing defines it: its objects stay, and are there again for who defines it later. */
static void test_undefined(void **state)
{
	char *dir = make_folder();
	struct core *core = start(dir);
	const struct resource *row = ships();

	(void)state;
	put_object(core, CORE_CREATE, ship(row, "one"), 0);
	core_stop_and_free(core);
	resource_unref(row);
	core = start(dir);
	row = ships();
	assert_int_not_equal(revision_of(core, row, "a", "one"), 0);
	assert_int_equal(put_object(core, CORE_CREATE, ship(row, "one"), 0), 0);
	core_stop_and_free(core);
	resource_unref(row);
	remove_folder(dir);
}

static void test_retired(void **state)
{
	char *dir = make_folder();
	struct core *core = start(dir);
	const struct resource *row = ships(), *again;
	unsigned index = row->index;

	(void)state;
	uint64_t first = put_object(core, CORE_CREATE, ship(row, "one"), 0);
	assert_int_equal(retire(core, row), ERR_CONFLICT);
	remove_object(core, row, "a", "one");
	assert_int_equal(retire(core, row), ERR_NONE);
	/* Who still has the row can store nothing by it. */
	assert_int_equal(put_object(core, CORE_CREATE, ship(row, "late"), 0), 0);
	again = ships();
	assert_int_not_equal(again->index, index);
	assert_int_not_equal(put_object(core, CORE_CREATE, ship(again, "one"), 0), 0);
	/* What was before cannot be resumed. */
	struct reader reader;
	struct core_command command = { .resource = again, .at_revision = first };
	assert_int_equal(reader_open(&reader, core, &command), ERR_EXPIRED);
	watch_close(core, reader.watch);
	core_stop_and_free(core);
	resource_unref(row);
	resource_unref(again);
	/* And a restart finds what is there now. */
	core = start(dir);
	again = ships();
	assert_int_not_equal(revision_of(core, again, "a", "one"), 0);
	assert_int_equal(revision_of(core, again, "a", "late"), 0);
	core_stop_and_free(core);
	resource_unref(again);
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_use),
		cmocka_unit_test(test_defined_later),
		cmocka_unit_test(test_undefined),
		cmocka_unit_test(test_retired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
