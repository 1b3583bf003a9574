/* Writes of one transaction, on a store that waits and fails on demand, and of many threads. */
#include <errno.h>
#include <pthread.h>

#include "tests/unit/apiserver/core_config_maps.h"

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
	struct core_command first = { .op = CORE_CREATE, .object = config_map("first", "1") };
	struct core_command commands[] = {
		{ .op = CORE_CREATE, .object = config_map("a", "1") },
		{ .op = CORE_CREATE, .object = config_map("a", "2") },
		{ .op = CORE_UPDATE,
		  .namespace_ = "d",
		  .name = "a",
		  .object = config_map("a", "3"),
		  .revision = 12 },
		{ .op = CORE_UPDATE,
		  .namespace_ = "d",
		  .name = "a",
		  .object = config_map("a", "4"),
		  .revision = 12 },
		{ .op = CORE_DELETE, .namespace_ = "d", .name = "first" },
		{ .op = CORE_CREATE, .object = config_map("first", "2") },
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
	assert_int_equal(create_config_map(core, "next", "1"), fail ? 12 : 16);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_failed_batch),
		cmocka_unit_test(test_no_lost_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
