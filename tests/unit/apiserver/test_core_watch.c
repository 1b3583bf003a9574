/* Watches, and the history that they and pages go back into. */
#include "tests/unit/apiserver/core_config_maps.h"

static void test_watch(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct reader reader, initial, late;
	uint64_t begin = create_config_map(core, "a", "1");

	assert_int_equal(reader_open(&reader, core, &(struct core_command){ .resource = config_maps() }),
			 ERR_NONE);
	expect(&reader, WATCH_ADDED, "a", begin);
	update_config_map(core, "a", "2");
	expect(&reader, WATCH_MODIFIED, "a", begin + 1);
	remove_object(core, config_maps(), "d", "a");
	expect(&reader, WATCH_DELETED, "a", begin + 2);
	create_config_map(core, "b", "1");
	assert_int_equal(reader_open(&initial, core,
				     &(struct core_command){ .resource = config_maps(),
							     .initial_events = true,
							     .bookmarks = true }),
			 ERR_NONE);
	expect(&initial, WATCH_ADDED, "b", begin + 3);
	expect(&initial, WATCH_INITIAL_EVENTS_END, NULL, begin + 3);
	assert_int_equal(
	    reader_open(&late, core,
			&(struct core_command){ .resource = config_maps(), .at_revision = begin }),
	    ERR_NONE);
	expect(&late, WATCH_MODIFIED, "a", begin + 1);
	expect(&late, WATCH_DELETED, "a", begin + 2);
	expect(&late, WATCH_ADDED, "b", begin + 3);
	reader_close(&late);
	/* From a revision that is not reached yet. */
	assert_int_equal(
	    reader_open(&late, core,
			&(struct core_command){ .resource = config_maps(), .at_revision = begin + 4 }),
	    ERR_NONE);
	update_config_map(core, "b", "2");
	update_config_map(core, "b", "3");
	expect(&late, WATCH_MODIFIED, "b", begin + 5);
	reader_close(&late);
	expect(&reader, WATCH_ADDED, "b", begin + 3);
	core_stop_and_free(core);
	expect(&reader, WATCH_CLOSED, NULL, 0);
	reader_close(&reader);
	reader_close(&initial);
	remove_folder(dir);
}

static void test_watch_resumes_after_restart(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct reader reader;
	uint64_t begin = create_config_map(core, "a", "1");

	update_config_map(core, "a", "2");
	create_config_map(core, "b", "1");
	remove_object(core, config_maps(), "d", "b");
	core_stop_and_free(core);
	core = start(dir);
	assert_int_equal(core_revision(core), begin + 3);
	assert_int_equal(
	    reader_open(&reader, core,
			&(struct core_command){ .resource = config_maps(), .at_revision = begin }),
	    ERR_NONE);
	expect(&reader, WATCH_MODIFIED, "a", begin + 1);
	expect(&reader, WATCH_ADDED, "b", begin + 2);
	expect(&reader, WATCH_DELETED, "b", begin + 3);
	assert_int_equal(create_config_map(core, "c", "1"), begin + 4);
	expect(&reader, WATCH_ADDED, "c", begin + 4);
	reader_close(&reader);
	core_stop_and_free(core);
	remove_folder(dir);
}

static struct core *start_short(const char *dir, unsigned events)
{
	struct store *store = NULL;

	assert_int_equal(store_sqlite_open(dir, &store, NULL), 0);

	struct core_opts opts = default_opts(store);

	opts.history_events = events;
	return start_with(&opts);
}

static void test_too_old(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start_short(dir, 3);
	struct core_command command = { .resource = config_maps(), .at_revision = 2 };
	struct reader reader;

	create_config_map(core, "a", "0");
	for (unsigned i = 1; i < 6; i++)
		update_config_map(core, "a", (char[]){ (char)('0' + i), '\0' });
	assert_int_equal(reader_open(&reader, core, &command), ERR_EXPIRED);
	assert_string_equal(command.err.msg, "too old resource version: 2 (4)");
	reader_close(&reader);
	command = (struct core_command){
		.op = CORE_LIST, .resource = config_maps(), .at_revision = 3, .after_key = "d/0"
	};
	assert_int_equal(call(core, &command), ERR_EXPIRED);
	assert_non_null(strstr(command.err.msg,
			       "The provided continue parameter is too old to display a consistent list"));
	command = (struct core_command){ .op = CORE_LIST, .resource = config_maps(), .at_revision = 3 };
	assert_int_equal(call(core, &command), ERR_EXPIRED);
	assert_string_equal(command.err.msg, "The resourceVersion for the provided list is too old.");
	command = (struct core_command){ .resource = config_maps(), .at_revision = 4 };
	assert_int_equal(reader_open(&reader, core, &command), ERR_NONE);
	expect(&reader, WATCH_MODIFIED, "a", 5);
	reader_close(&reader);
	core_stop_and_free(core);
	remove_folder(dir);
}

/* Superseded states leave the store too, also those left over when it stopped, and the numbers go on. */
static void test_compaction(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start_short(dir, 10);
	char value[2000];
	uint64_t revision = create_config_map(core, "a", "0");
	size_t size;
	CLEANUP(mem_freep) char *path = mem_printf("%s/store.db", dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; i < 3000; i++) {
		value[0] = (char)('a' + i % 26);
		revision = update_config_map(core, "a", value);
	}
	core_stop_and_free(core);
	assert_int_equal(buf_read_file(&b, path, 64 << 20, NULL), 0);
	size = b.len;
	assert_true(size < 2 << 20); /* 6 MB were written */

	core = start_short(dir, 10);
	assert_int_equal(core_revision(core), revision);
	assert_int_equal(remove_object(core, config_maps(), "d", "a"), revision + 1);
	core_stop_and_free(core);
	core = start_short(dir, 0);
	assert_int_equal(core_revision(core), revision + 1);
	assert_int_equal(create_config_map(core, "b", "1"), revision + 2);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_event_expiry(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = NULL;
	struct reader reader;
	const struct resource *events = resource_find("", "v1", "events");

	assert_int_equal(store_sqlite_open(dir, &store, NULL), 0);

	struct core_opts opts = default_opts(store);

	opts.event_ttl_ms = 1000;

	struct core *core = start_with(&opts);

	assert_int_equal(reader_open(&reader, core, &(struct core_command){ .resource = events }), ERR_NONE);
	for (unsigned i = 0; i < 600; i++)
		assert_true(put_object(core, CORE_CREATE,
				       make(events, "\"name\":\"e%03u\",\"namespace\":\"d\"}", i), 0) > 0);
	create_config_map(core, "stays", "1");
	for (unsigned added = 0, deleted = 0;
	     deleted < 600;) { /* on a slow machine the first go before the last come */
		struct watch_event event = reader_next(&reader);

		assert_true(event.type == WATCH_ADDED || event.type == WATCH_DELETED);
		added += event.type == WATCH_ADDED;
		deleted += event.type == WATCH_DELETED;
		assert_true(deleted <= added);
		object_unref(event.object);
	}
	assert_int_equal(core_count(core, events), 0);
	assert_int_equal(core_count(core, config_maps()), 1);
	reader_close(&reader);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_watch_limit(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = NULL;
	struct reader one, two;

	assert_int_equal(store_sqlite_open(dir, &store, NULL), 0);

	struct core_opts opts = default_opts(store);

	opts.max_watches = 1;

	struct core *core = start_with(&opts);

	assert_int_equal(reader_open(&one, core, &(struct core_command){ .resource = pods() }), ERR_NONE);
	assert_int_equal(reader_open(&two, core, &(struct core_command){ .resource = pods() }),
			 ERR_TOO_MANY_REQUESTS);
	reader_close(&two);
	reader_close(&one);
	assert_int_equal(reader_open(&two, core, &(struct core_command){ .resource = pods() }), ERR_NONE);
	core_stop_and_free(core);
	assert_int_equal(reader_next(&two).type, WATCH_CLOSED);
	reader_close(&two);
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch),        cmocka_unit_test(test_watch_resumes_after_restart),
		cmocka_unit_test(test_too_old),      cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_event_expiry), cmocka_unit_test(test_watch_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
