#include <pthread.h>
#include <sched.h>

#include "apiserver/core/watch_hub.h"
#include "lib/selector.h"
#include "tests/unit/apiserver/core_fixture.h"

static void count_wake(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static struct object *pod(const char *namespace_, const char *name, const char *node, const char *app,
			  uint64_t revision)
{
	struct object *object = make(pods(),
				     "\"name\":\"%s\",\"namespace\":\"%s\",\"labels\":{\"app\":\"%s\"}},"
				     "\"spec\":{\"nodeName\":\"%s\"}",
				     name, namespace_, app, node);

	object_set_revision(object, revision);
	return object;
}

/* Publishes a change made of two states, whose references it takes. */
static void change(struct watch_hub *hub, struct object *previous, struct object *object, bool deleted)
{
	watch_hub_publish(hub, pods(), &(struct watch_change){ object, previous, deleted });
	watch_hub_flush(hub);
	object_unref(previous);
	object_unref(object);
}

/* What the watch has got, as text: "+a -b ~c"; a number after a deletion says whether the state shown is the
 * old one. */
static void assert_events(struct watch *watch, const char *expected)
{
	static const char marks[] = { [WATCH_ADDED] = '+',
				      [WATCH_MODIFIED] = '~',
				      [WATCH_DELETED] = '-',
				      [WATCH_BOOKMARK] = 'B',
				      [WATCH_CLOSED] = 'C' };
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct watch_event event;

	while (watch_next(watch, &event)) {
		buf_char(&b, marks[event.type]);
		if (event.object) {
			buf_str(&b, object_name(event.object));
			assert_true(object_revision(event.object) == event.revision);
		}
		object_unref(event.object);
	}
	assert_string_equal(b.data ? b.data : "", expected);
}

struct one {
	struct watch *watch;
	atomic_uint wakes;
	struct selector fields, labels;
};

static void open_watch(struct watch_hub *hub, struct one *one, const char *namespace_, const char *name,
		       const char *fields, const char *labels)
{
	struct core_filter filter = { .namespace_ = namespace_, .name = name };

	*one = (struct one){ 0 };
	if (fields) {
		assert_int_equal(selector_parse_fields(fields, &one->fields, NULL), 0);
		filter.fields = &one->fields;
	}
	if (labels) {
		assert_int_equal(selector_parse(labels, &one->labels, NULL), 0);
		filter.labels = &one->labels;
	}
	one->watch = watch_new(count_wake, &one->wakes);
	watch_hub_add(hub, one->watch, pods(), &filter, 0, true);
	selector_close(&one->fields);
	selector_close(&one->labels);
}

static void close_watch(struct watch_hub *hub, struct one *one)
{
	if (watch_release(one->watch, true))
		watch_hub_remove(hub, one->watch);
}

static void test_places(void **state)
{
	(void)state;
	struct watch_hub hub;
	struct one all, key, name, node, space, labels;

	watch_hub_init(&hub, 1 << 20);
	open_watch(&hub, &all, NULL, NULL, NULL, NULL);
	open_watch(&hub, &key, "d", "a", NULL, NULL);
	open_watch(&hub, &name, NULL, "a", NULL, NULL);
	open_watch(&hub, &node, NULL, NULL, "spec.nodeName=n1", NULL);
	open_watch(&hub, &space, "d", NULL, NULL, NULL);
	open_watch(&hub, &labels, NULL, NULL, "spec.nodeName!=n1", "app in (x,y)");
	change(&hub, NULL, pod("d", "a", "", "x", 1), false);
	change(&hub, NULL, pod("e", "a", "n1", "z", 2), false);
	change(&hub, NULL, pod("d", "b", "n2", "y", 3), false);
	assert_int_equal(all.wakes, 1);
	assert_events(all.watch, "+a+a+b");
	assert_events(key.watch, "+a");
	assert_events(name.watch, "+a+a");
	assert_events(node.watch, "+a");
	assert_events(space.watch, "+a+b");
	assert_events(labels.watch, "+a+b");

	/* a gets its node: it enters one selection and leaves another. */
	change(&hub, pod("d", "a", "", "x", 1), pod("d", "a", "n1", "x", 4), false);
	assert_events(all.watch, "~a");
	assert_events(node.watch, "+a");
	assert_events(labels.watch, "-a");
	change(&hub, pod("d", "a", "n1", "x", 4), pod("d", "a", "n2", "q", 5), false);
	assert_events(node.watch, "-a");
	assert_events(labels.watch, "");
	assert_events(key.watch, "~a~a");
	change(&hub, pod("d", "b", "n2", "y", 3), pod("d", "b", "n2", "y", 6), true);
	assert_events(labels.watch, "-b");
	assert_events(node.watch, "");
	assert_events(space.watch, "~a~a-b");

	watch_hub_bookmark(&hub, 9);
	assert_events(node.watch, "B");
	assert_events(all.watch, "~a-b"); /* not while there is something unread */
	close_watch(&hub, &all);
	close_watch(&hub, &key);
	close_watch(&hub, &name);
	close_watch(&hub, &node);
	close_watch(&hub, &space);
	assert_int_equal(hub.count, 1);
	watch_hub_end_all(&hub);
	assert_int_equal(hub.owed, 0);
	assert_events(labels.watch, "C");
	close_watch(&hub, &labels);
	watch_hub_close(&hub);
}

static void test_state_of_what_left(void **state)
{
	(void)state;
	struct watch_hub hub;
	struct one one;
	struct watch_event event;

	watch_hub_init(&hub, 1 << 20);
	open_watch(&hub, &one, NULL, NULL, NULL, "app=x");
	change(&hub, pod("d", "a", "", "x", 1), pod("d", "a", "", "y", 7), false);
	assert_true(watch_next(one.watch, &event));
	assert_int_equal(event.type, WATCH_DELETED);
	assert_string_equal(object_label(event.object, "app"), "x");
	assert_int_equal(object_revision(event.object), 7);
	object_unref(event.object);
	close_watch(&hub, &one);
	watch_hub_close(&hub);
}

static void test_slow_reader(void **state)
{
	(void)state;
	struct watch_hub hub;
	struct one slow, fast;
	struct watch_event event;

	watch_hub_init(&hub, 5000);
	open_watch(&hub, &slow, NULL, NULL, NULL, NULL);
	open_watch(&hub, &fast, NULL, NULL, NULL, NULL);
	for (unsigned i = 0; i < 100; i++) {
		change(&hub, NULL, pod("d", "a", "", "x", i + 1), false);
		assert_events(fast.watch, "+a");
	}
	assert_int_equal(hub.count, 1);
	assert_int_equal(slow.wakes, 2);
	assert_true(watch_next(slow.watch, &event));
	assert_int_equal(event.type, WATCH_CLOSED);
	assert_int_equal(event.err.kind, ERR_TOO_MANY_REQUESTS);
	assert_false(watch_next(slow.watch, &event));
	close_watch(&hub, &slow);
	close_watch(&hub, &fast);
	watch_hub_close(&hub);
}

#define RACE_EVENTS 200000U

struct race {
	struct watch *watch;
	sem_t awake;
	uint64_t read;
};

static void wake_race(void *arg)
{
	sem_post(&((struct race *)arg)->awake);
}

static void *read_all(void *arg)
{
	struct race *race = arg;
	struct watch_event event;

	while (race->read < RACE_EVENTS) {
		while (!watch_next(race->watch, &event))
			sem_wait(&race->awake);
		assert_int_equal(event.revision, race->read + 1);
		race->read = event.revision;
	}
	return NULL;
}

/* No event and no wake is lost between two threads. */
static void test_two_threads(void **state)
{
	(void)state;
	struct race race = { 0 };
	pthread_t thread;
	struct watch_hub hub;
	struct core_filter filter = { 0 };

	watch_hub_init(&hub, SIZE_MAX);
	sem_init(&race.awake, 0, 0);
	race.watch = watch_new(wake_race, &race);
	watch_hub_add(&hub, race.watch, pods(), &filter, 0, false);
	pthread_create(&thread, NULL, read_all, &race);
	for (uint64_t i = 1; i <= RACE_EVENTS; i++) {
		watch_hub_send(&hub, race.watch, WATCH_BOOKMARK, NULL, i);
		if (i % 3 == 0 || i == RACE_EVENTS)
			watch_hub_flush(&hub);
	}
	pthread_join(thread, NULL);
	assert_true(watch_release(race.watch, true));
	watch_hub_remove(&hub, race.watch);
	watch_hub_close(&hub);
	sem_destroy(&race.awake);
}

struct closing {
	struct watch *watch;
	atomic_bool gone; /* the reader's memory may not be woken any more */
	atomic_bool woken_after;
	bool to_core;
};

static void wake_closing(void *arg)
{
	struct closing *closing = arg;

	if (atomic_load(&closing->gone))
		atomic_store(&closing->woken_after, true);
}

static void *close_it(void *arg)
{
	struct closing *closing = arg;

	closing->to_core = watch_release(closing->watch, false);
	atomic_store(&closing->gone, true);
	return NULL;
}

/* Reader and core end the watch at the same time: it is freed once, and not woken after its close. */
static void test_close_races(void **state)
{
	(void)state;
	struct core_filter filter = { 0 };
	struct watch_hub hub;

	watch_hub_init(&hub, SIZE_MAX);
	for (unsigned i = 0; i < 2000; i++) {
		struct closing closing = { 0 };
		pthread_t thread;

		closing.watch = watch_new(wake_closing, &closing);
		watch_hub_add(&hub, closing.watch, pods(), &filter, 0, false);
		pthread_create(&thread, NULL, close_it, &closing);
		if (i % 2)
			sched_yield();
		watch_hub_send(&hub, closing.watch, WATCH_BOOKMARK, NULL, i);
		watch_hub_end_all(&hub);
		pthread_join(thread, NULL);
		assert_false(closing.woken_after);
		assert_int_equal(hub.owed, closing.to_core);
		if (closing.to_core)
			watch_hub_remove(&hub, closing.watch);
	}
	watch_hub_close(&hub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),      cmocka_unit_test(test_state_of_what_left),
		cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_close_races),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
