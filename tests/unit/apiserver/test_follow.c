#include "apiserver/core/follow.h"

#include <pthread.h>
#include <stdatomic.h>

#include "apiserver/store/sqlite.h"
#include "tests/unit/apiserver/core_fixture.h"

/* The changes a follower was told, as text: "+d/a ~d/a -d/a". */
static void note(const struct follow_change *change, void *arg)
{
	const struct object *shown = change->object ? change->object : change->previous;

	assert_non_null(shown);
	assert_ptr_equal(object_resource(shown), change->resource);
	assert_ptr_not_equal(change->object, change->previous);
	buf_printf(arg, "%c%s ", !change->object ? '-' : change->previous ? '~' : '+', object_key(shown));
}

/* What was told since the last time. */
static void assert_told(struct follow *follow, struct buf *told, const char *expected)
{
	struct err err = ERR_INIT;

	if (follow_read(follow, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(told->data ? told->data : "", expected);
	follow_done(follow);
	buf_reset(told);
	buf_str(told, "");
}

static uint64_t put_config(struct core *core, enum core_op op, const char *name, const char *value)
{
	return put_object(
	    core, op,
	    make(config_maps(), "\"name\":\"%s\",\"namespace\":\"d\"},\"data\":{\"k\":\"%s\"}", name, value),
	    0);
}

static void test_changes(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	CLEANUP(buf_close) struct buf told = BUF_INIT;
	const struct resource *const followed[] = { config_maps(), pods() };

	put_config(core, CORE_CREATE, "a", "1");

	struct follow *follow = follow_new(core, followed, 2, note, &told);

	put_config(core, CORE_CREATE, "b", "1");
	assert_told(follow, &told, "+d/a +d/b ");
	assert_told(follow, &told, "");
	put_config(core, CORE_UPDATE, "a", "2");
	put_object(core, CORE_CREATE, make(pods(), "\"name\":\"p\",\"namespace\":\"d\"}"), 0);
	remove_object(core, config_maps(), "d", "b");
	assert_told(follow, &told, "~d/a -d/b +d/p ");
	put_config(core, CORE_CREATE, "b", "2");
	remove_object(core, config_maps(), "d", "b");
	assert_told(follow, &told, "+d/b -d/b ");

	assert_int_equal(follow_read(follow, NULL), 0);
	assert_string_equal(object_name(follow_get(follow, config_maps(), "d/a")), "a");
	assert_null(follow_get(follow, config_maps(), "d/b"));
	assert_null(follow_get(follow, resource_find("", "v1", "secrets"), "d/a"));
	follow_done(follow);
	follow_free(follow);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_unread_and_freed_late(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start(dir);
	CLEANUP(buf_close) struct buf told = BUF_INIT;
	const struct resource *const followed[] = { config_maps() };
	struct follow *unread = follow_new(core, followed, 1, note, &told);
	struct follow *late = follow_new(core, followed, 1, note, &told);

	put_config(core, CORE_CREATE, "a", "1");
	assert_told(late, &told, "+d/a ");
	put_config(core, CORE_CREATE, "b", "1");
	follow_free(unread);
	core_stop_and_free(core);
	follow_free(late);
	follow_free(NULL);
	assert_string_equal(told.data, "");
	remove_folder(dir);
}

/* A core whose watches hold MAX_BYTES and whose clients have no place for one. */
static struct core *start_small(const char *dir, size_t max_bytes)
{
	struct store *store = NULL;

	assert_int_equal(store_sqlite_open(dir, &store, NULL), 0);

	struct core_opts opts = default_opts(store);

	opts.watch_max_bytes = max_bytes;
	opts.max_watches = 0;
	return start_with(&opts);
}

static void test_overflow(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct core *core = start_small(dir, 4096);
	CLEANUP(buf_close) struct buf told = BUF_INIT;
	const struct resource *const followed[] = { config_maps() };
	struct follow *follow = follow_new(core, followed, 1, note, &told);
	char value[24];

	put_config(core, CORE_CREATE, "gone", "1");
	put_config(core, CORE_CREATE, "same", "1");
	put_config(core, CORE_CREATE, "updated", "1");
	put_config(core, CORE_CREATE, "replaced", "1");
	assert_told(follow, &told, "+d/gone +d/replaced +d/same +d/updated ");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(value, sizeof(value), "%u", i + 2);
		put_config(core, CORE_UPDATE, "updated", value);
	}
	remove_object(core, config_maps(), "d", "gone");
	remove_object(core, config_maps(), "d", "replaced");
	put_config(core, CORE_CREATE, "replaced", "1");
	put_config(core, CORE_CREATE, "added", "1");
	/* Of a hundred updates the last is seen, since the queue was given up long before. */
	assert_told(follow, &told, "+d/added ~d/replaced ~d/updated -d/gone ");
	put_config(core, CORE_UPDATE, "same", "2");
	assert_told(follow, &told, "~d/same ");
	follow_free(follow);
	core_stop_and_free(core);
	remove_folder(dir);
}

/* --- threads --- */

#define THREADS 3
#define WRITES  200

/* How many objects there are. */
static void count(const struct follow_change *change, void *arg)
{
	unsigned *n = arg;

	if (!change->previous)
		++*n;
	if (!change->object)
		--*n;
}

struct shared {
	struct core *core;
	struct follow *follow;
	unsigned n;
};

struct writer {
	struct shared *shared;
	pthread_t thread;
	unsigned id;
	unsigned missed;
};

/* Each finds what it wrote, whoever took the change. */
static void *write_and_look(void *arg)
{
	struct writer *writer = arg;
	struct shared *shared = writer->shared;

	for (unsigned i = 0; i < WRITES; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("c-%u-%u", writer->id, i);
		CLEANUP(mem_freep) char *key = mem_printf("d/%s", name);

		put_config(shared->core, CORE_CREATE, name, "1");
		if (follow_read(shared->follow, NULL) < 0) {
			writer->missed++;
			continue;
		}
		if (!follow_get(shared->follow, config_maps(), key) || shared->n <= i)
			writer->missed++;
		follow_done(shared->follow);
	}
	return NULL;
}

static void run_threads(size_t max_bytes)
{
	char *dir = make_folder();
	struct core *core = start_small(dir, max_bytes);
	struct shared shared = { .core = core };
	const struct resource *const followed[] = { config_maps() };
	struct writer writers[THREADS];

	shared.follow = follow_new(core, followed, 1, count, &shared.n);
	for (unsigned i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){ .shared = &shared, .id = i };
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_and_look, &writers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(writers[i].thread, NULL);
		assert_int_equal(writers[i].missed, 0);
	}
	assert_int_equal(follow_read(shared.follow, NULL), 0);
	assert_int_equal(shared.n, THREADS * WRITES);
	follow_done(shared.follow);
	follow_free(shared.follow);
	core_stop_and_free(core);
	remove_folder(dir);
}

static void test_threads(void **state)
{
	(void)state;
	run_threads(8 << 20);
	/* The queue is given up all the time. */
	run_threads(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_unread_and_freed_late),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
