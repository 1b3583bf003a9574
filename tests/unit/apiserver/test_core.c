#include <errno.h>
#include <pthread.h>

#include "tests/unit/apiserver/core_fixture.h"

static struct object *config(const char *name, const char *value)
{
	return make(config_maps(),
		    "\"name\":\"%s\",\"namespace\":\"d\",\"uid\":\"uid-%s\"},\"data\":{\"k\":\"%s\"}", name,
		    name, value);
}

static uint64_t create(struct core *core, const char *name, const char *value)
{
	return put_object(core, CORE_CREATE, config(name, value), 0);
}

static uint64_t update(struct core *core, const char *name, const char *value)
{
	return put_object(core, CORE_UPDATE, config(name, value), 0);
}

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
	first = create(core, "a", "1");
	assert_int_equal(first, 2);
	assert_int_equal(core_revision(core), 2);
	assert_int_equal(core_count(core, config_maps()), 1);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), first);
	assert_int_equal(revision_of(core, config_maps(), "d", "b"), 0);
	second = update(core, "a", "2");
	assert_int_equal(second, 3);
	/* The same bytes again change nothing. */
	assert_int_equal(update(core, "a", "2"), 3);
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

	create(core, "a", "1");
	assert_failed(core,
		      &(struct core_command){
			  .op = CORE_CREATE, .resource = config_maps(), .object = config("a", "2") },
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
					      .object = config("b", "2") },
		      ERR_NOT_FOUND, "configmaps \"b\" not found");
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_UPDATE,
				    .resource = config_maps(),
				    .namespace_ = "d",
				    .name = "a",
				    .object = config("a", "2"),
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
				    .object = config("a", "2"),
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
					      .object = config("n", "2"),
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
					.object = config("a", "1"),
					.check_namespace = true,
					.dry_run = true };

	put_object(core, CORE_CREATE, make(namespaces, "\"name\":\"d\"}"), 0);
	assert_int_equal(call(core, &command), ERR_NONE);
	assert_int_equal(object_revision(command.ret_object), 0);
	core_command_close(&command);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), 0);
	command = (struct core_command){ .op = CORE_CREATE,
					 .resource = config_maps(),
					 .object = config("a", "1"),
					 .check_namespace = true };
	assert_int_equal(call(core, &command), ERR_NONE);
	core_command_close(&command);
	put_object(core, CORE_UPDATE,
		   make(namespaces, "\"name\":\"d\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}"), 0);
	assert_failed(
	    core,
	    &(struct core_command){ .op = CORE_CREATE,
				    .resource = config_maps(),
				    .object = config("b", "1"),
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

/* --- lists --- */

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
		create(core, (char[]){ *name, '\0' }, "1");
	put_object(core, CORE_CREATE, make(config_maps(), "\"name\":\"z\",\"namespace\":\"e\"}"), 0);
	assert_list(core, &list, "ab");
	assert_true(list.ret_more);
	assert_int_equal(list.ret_remaining, 5);
	list.at_revision = list.ret_revision;
	list.after_key = "d/b";
	/* What happens between the pages does not show in them. */
	remove_object(core, config_maps(), "d", "c");
	create(core, "cc", "new");
	update(core, "e", "2");
	update(core, "e", "3");
	remove_object(core, config_maps(), "d", "g");
	create(core, "g", "again");
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

/* --- watches --- */

static void test_watch(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	struct reader reader, initial, late;
	uint64_t begin = create(core, "a", "1");

	assert_int_equal(reader_open(&reader, core, &(struct core_command){ .resource = config_maps() }),
			 ERR_NONE);
	expect(&reader, WATCH_ADDED, "a", begin);
	update(core, "a", "2");
	expect(&reader, WATCH_MODIFIED, "a", begin + 1);
	remove_object(core, config_maps(), "d", "a");
	expect(&reader, WATCH_DELETED, "a", begin + 2);
	create(core, "b", "1");
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
	update(core, "b", "2");
	update(core, "b", "3");
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
	uint64_t begin = create(core, "a", "1");

	update(core, "a", "2");
	create(core, "b", "1");
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
	assert_int_equal(create(core, "c", "1"), begin + 4);
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

	create(core, "a", "0");
	for (unsigned i = 1; i < 6; i++)
		update(core, "a", (char[]){ (char)('0' + i), '\0' });
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
	uint64_t revision = create(core, "a", "0");
	size_t size;
	CLEANUP(mem_freep) char *path = mem_printf("%s/store.db", dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; i < 3000; i++) {
		value[0] = (char)('a' + i % 26);
		revision = update(core, "a", value);
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
	assert_int_equal(create(core, "b", "1"), revision + 2);
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
	create(core, "stays", "1");
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

/* --- batches, on a store that waits and fails on demand --- */

struct stub {
	struct store base;
	sem_t entered, leave; /* each commit posts the one and waits for the other */
	bool gated;
	atomic_bool fail;
	size_t last_n;
};

static int stub_load(struct store *base, const struct store_loader *loader, uint64_t *ret_revision,
		     struct err *err)
{
	(void)base;
	(void)loader;
	(void)err;
	*ret_revision = 10;
	return 0;
}

static int stub_commit(struct store *base, const struct store_batch *batch, struct err *err)
{
	struct stub *stub = CONTAINER_OF(base, struct stub, base);

	if (stub->gated) {
		sem_post(&stub->entered);
		sem_wait(&stub->leave);
	}
	stub->last_n = batch->n_changes;
	return atomic_load(&stub->fail) ? err_set_errno(err, ENOSPC, "committing") : 0;
}

static bool stub_maintain(struct store *base, bool idle)
{
	(void)base;
	(void)idle;
	return false;
}

static void stub_close(struct store *base)
{
	(void)base;
}

static const struct store_ops stub_ops = { .name = "stub",
					   .load = stub_load,
					   .commit = stub_commit,
					   .maintain = stub_maintain,
					   .close = stub_close };

static void stub_init(struct stub *stub, bool gated)
{
	*stub = (struct stub){ .base.ops = &stub_ops, .gated = gated };
	sem_init(&stub->entered, 0, 0);
	sem_init(&stub->leave, 0, 0);
}

static void submit(struct core *core, struct core_command *command, sem_t *done)
{
	command->resource = config_maps();
	command->reply = answered;
	command->arg = done;
	core_submit(core, command);
}

/* Several writes in one transaction see each other; what they answer waits for it, and when it fails all
 * fail. */
static void batch(bool fail)
{
	struct stub stub;
	sem_t done;
	struct reader reader;
	struct core_command first = { .op = CORE_CREATE, .object = config("first", "1") };
	struct core_command commands[] = {
		{ .op = CORE_CREATE, .object = config("a", "1") },
		{ .op = CORE_CREATE, .object = config("a", "2") },
		{ .op = CORE_UPDATE,
		  .namespace_ = "d",
		  .name = "a",
		  .object = config("a", "3"),
		  .revision = 12 },
		{ .op = CORE_UPDATE,
		  .namespace_ = "d",
		  .name = "a",
		  .object = config("a", "4"),
		  .revision = 12 },
		{ .op = CORE_DELETE, .namespace_ = "d", .name = "first" },
		{ .op = CORE_CREATE, .object = config("first", "2") },
		{ .op = CORE_LIST },
	};
	static const enum err_kind expected[] = { ERR_NONE, ERR_ALREADY_EXISTS, ERR_NONE, ERR_CONFLICT,
						  ERR_NONE, ERR_NONE,           ERR_NONE };
	size_t writes = ARRAY_SIZE(commands) - 1;

	stub_init(&stub, true);
	sem_init(&done, 0, 0);

	struct core_opts opts = default_opts(&stub.base);
	struct core *core = start_with(&opts);

	assert_int_equal(reader_open(&reader, core, &(struct core_command){ .resource = config_maps() }),
			 ERR_NONE);
	submit(core, &first, &done);
	sem_wait(&stub.entered);
	/* The core is inside the first commit: these will be drained together. */
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		submit(core, &commands[i], &done);
	assert_int_equal(sem_trywait(&done), -1);
	sem_post(&stub.leave);
	sem_wait(&stub.entered);
	sem_wait(&done); /* first */
	sem_wait(&done); /* the list: before the transaction, from the state before it */
	assert_int_equal(commands[writes].err.kind, ERR_NONE);
	assert_int_equal(commands[writes].ret_n, 1);
	assert_int_equal(core_revision(core), 11);
	/* Nor does a look-up see what is being committed. */
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), 0);
	assert_int_equal(revision_of(core, config_maps(), "d", "first"), 11);
	assert_int_equal(sem_trywait(&done), -1);
	atomic_store(&stub.fail, fail);
	sem_post(&stub.leave);
	for (size_t i = 0; i < writes; i++)
		sem_wait(&done);
	assert_int_equal(stub.last_n, 4);
	expect(&reader, WATCH_ADDED, "first", 11);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(commands[i].err.kind, fail && i < writes ? ERR_SYSTEM : expected[i]);
		core_command_close(&commands[i]);
	}
	core_command_close(&first);
	assert_int_equal(core_healthy(core), !fail);
	assert_int_equal(core_revision(core), fail ? 11 : 15);
	assert_int_equal(revision_of(core, config_maps(), "d", "a"), fail ? 0 : 13);
	assert_int_equal(revision_of(core, config_maps(), "d", "first"), fail ? 11 : 15);
	assert_int_equal(core_count(core, config_maps()), fail ? 1 : 2);
	/* The next one works, and gets the next number. */
	atomic_store(&stub.fail, false);
	sem_post(&stub.leave);
	assert_int_equal(create(core, "next", "1"), fail ? 12 : 16);
	assert_true(core_healthy(core));
	if (!fail) {
		expect(&reader, WATCH_ADDED, "a", 12);
		expect(&reader, WATCH_MODIFIED, "a", 13);
		expect(&reader, WATCH_DELETED, "first", 14);
		expect(&reader, WATCH_ADDED, "first", 15);
	}
	expect(&reader, WATCH_ADDED, "next", 0);
	reader_close(&reader);
	core_stop_and_free(core);
}

static void test_batch(void **state)
{
	(void)state;
	batch(false);
}

static void test_failed_batch(void **state)
{
	(void)state;
	batch(true);
}

/* --- many threads --- */

#define THREADS 8
#define ROUNDS  300

static void *increment(void *arg)
{
	struct core *core = arg;

	for (unsigned done = 0; done < ROUNDS;) {
		CLEANUP(object_unrefp) struct object *object = NULL;
		CLEANUP(json_putp) struct json_object *obj = NULL;

		assert_int_equal(core_get(core, config_maps(), "d", "n", &object, NULL), 0);
		obj = object_json(object);
		json_set_int(json_get(obj, "data"), "n", json_int(json_get(obj, "data"), "n", 0) + 1);

		struct core_command put = { .op = CORE_UPDATE,
					    .resource = config_maps(),
					    .namespace_ = "d",
					    .name = "n",
					    .object = object_new(config_maps(), obj, NULL, 0),
					    .revision = object_revision(object) };

		if (call(core, &put) == ERR_NONE)
			done++;
		else
			assert_int_equal(put.err.kind, ERR_CONFLICT);
		core_command_close(&put);
	}
	return NULL;
}

static void test_no_lost_update(void **state)
{
	(void)state;
	struct stub stub;
	pthread_t threads[THREADS];

	stub_init(&stub, false);

	struct core_opts opts = default_opts(&stub.base);
	struct core *core = start_with(&opts);
	CLEANUP(object_unrefp) struct object *object = NULL;

	put_object(core, CORE_CREATE,
		   make(config_maps(), "\"name\":\"n\",\"namespace\":\"d\"},\"data\":{\"n\":0}"), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, increment, core);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(core_get(core, config_maps(), "d", "n", &object, NULL), 0);

	CLEANUP(json_putp) struct json_object *obj = object_json(object);

	assert_int_equal(json_int(json_get(obj, "data"), "n", 0), THREADS * ROUNDS);
	core_stop_and_free(core);
}

/* --- killed at any moment --- */

static void write_forever(const char *dir, int tell)
{
	struct core *core = start(dir);

	for (uint64_t i = core_revision(core);; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("k%llu", (unsigned long long)i % 50);
		CLEANUP(mem_freep) char *value = mem_printf("%llu", (unsigned long long)i);
		uint64_t revision = update(core, name, value);

		if (!revision)
			revision = create(core, name, value);
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
		cmocka_unit_test(test_pages_of_one_snapshot),
		cmocka_unit_test(test_selected_lists),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_watch_resumes_after_restart),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_compaction),
		cmocka_unit_test(test_event_expiry),
		cmocka_unit_test(test_watch_limit),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_failed_batch),
		cmocka_unit_test(test_no_lost_update),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
