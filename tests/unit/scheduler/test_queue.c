#include "tests/unit/scheduler/fixture.h"

#include "scheduler/queue.h"
#include "tests/support/test_server.h"

struct setup {
	struct loop *loop;
	struct shapes shapes;
	struct queue queue;
	unsigned wakes;
};

static void woken(void *arg)
{
	(*(unsigned *)arg)++;
}

static int begin(void **state)
{
	struct setup *s = mem_zalloc(sizeof(*s));

	s->loop = loop_new(NULL);
	queue_init(&s->queue, s->loop, woken, &s->wakes);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;

	queue_close(&s->queue);
	shapes_close(&s->shapes);
	loop_free(s->loop);
	free(s);
	return 0;
}

static struct pod *pod(struct setup *s, const char *name, int priority)
{
	CLEANUP(mem_freep) char *spec = mem_printf("'priority':%d", priority);

	return fixture_pod(&s->shapes, name, "", spec);
}

static void by_priority_then_first_come(void **state)
{
	static const int priorities[] = { 0, 5, 0, 1000, 5, -1 };
	static const size_t order[] = { 3, 1, 4, 0, 2, 5 };
	struct setup *s = *state;
	struct pod *pods[ARRAY_SIZE(priorities)];

	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		pods[i] = pod(s, "p", priorities[i]);
		queue_add(&s->queue, pods[i]);
	}
	assert_int_equal(s->wakes, ARRAY_SIZE(pods));
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		struct pod *next = queue_pop(&s->queue);
		assert_ptr_equal(next, pods[order[i]]);
		assert_int_equal(next->place, POD_NONE);
	}
	assert_null(queue_pop(&s->queue));
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		fixture_pod_free(pods[i]);
}

/* Removing from the middle keeps the order. */
static void many_pods(void **state)
{
	enum { N = 500 };
	struct setup *s = *state;
	struct pod *pods[N];
	int64_t last = INT64_MAX;
	size_t left = 0;

	for (size_t i = 0; i < N; i++) {
		pods[i] = pod(s, "p", (int)(i * 7919 % 101));
		queue_add(&s->queue, pods[i]);
	}
	for (size_t i = 0; i < N; i += 3)
		queue_remove(&s->queue, pods[i]);
	for (struct pod *next; (next = queue_pop(&s->queue)); left++) {
		assert_true(next->priority <= last);
		last = next->priority;
	}
	assert_int_equal(left, N - (N + 2) / 3);
	for (size_t i = 0; i < N; i++)
		fixture_pod_free(pods[i]);
}

static void backoff_doubles_to_ten_seconds(void **state)
{
	static const int64_t expected[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
	struct setup *s = *state;
	struct pod *p = pod(s, "p", 0);

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		queue_begin(&s->queue, p);
		assert_int_equal(p->due_ms - loop_now_ms(s->loop), expected[i]);
	}
	queue_retry(&s->queue, p);
	assert_int_equal(p->place, POD_BACKOFF);
	assert_int_equal(s->queue.timer.due_ms, p->due_ms);
	assert_null(queue_pop(&s->queue));
	queue_remove(&s->queue, p);
	assert_false(loop_timer_armed(&s->queue.timer));
	fixture_pod_free(p);
}

static void backoff_ends(void **state)
{
	struct setup *s = *state;
	struct pod *late = pod(s, "late", 0), *soon = pod(s, "soon", 0), *past = pod(s, "past", 0);

	late->due_ms = loop_now_ms(s->loop) + 40;
	soon->due_ms = loop_now_ms(s->loop) + 20;
	past->due_ms = loop_now_ms(s->loop) - 1;
	queue_retry(&s->queue, late);
	queue_retry(&s->queue, soon);
	assert_int_equal(s->wakes, 0);
	queue_retry(&s->queue, past);
	assert_int_equal(s->wakes, 1);
	assert_ptr_equal(queue_pop(&s->queue), past);
	LOOP_UNTIL(s->loop, s->wakes == 2);
	assert_ptr_equal(queue_pop(&s->queue), soon);
	LOOP_UNTIL(s->loop, s->wakes == 3);
	assert_ptr_equal(queue_pop(&s->queue), late);
	assert_false(loop_timer_armed(&s->queue.timer)); /* nothing waits: idle */
	fixture_pod_free(late);
	fixture_pod_free(soon);
	fixture_pod_free(past);
}

static void only_the_right_event_wakes(void **state)
{
	struct setup *s = *state;
	struct pod *tainted = pod(s, "tainted", 0), *large = pod(s, "large", 0), *lately = pod(s, "lately", 0);

	queue_unschedulable(&s->queue, tainted, WAKE_NODE_CHANGED);
	queue_unschedulable(&s->queue, large, WAKE_NODE_CHANGED | WAKE_POD_LEFT);
	queue_begin(&s->queue, lately);
	queue_unschedulable(&s->queue, lately, WAKE_POD_LEFT);
	assert_int_equal(s->queue.n_unschedulable, 3);
	queue_event(&s->queue, WAKE_POD_LEFT);
	assert_ptr_equal(queue_pop(&s->queue), large);
	assert_null(queue_pop(&s->queue));
	assert_int_equal(lately->place, POD_BACKOFF); /* it was tried less than a second ago */
	assert_int_equal(tainted->place, POD_UNSCHEDULABLE);
	queue_event(&s->queue, WAKE_POD_LEFT);
	assert_int_equal(s->wakes, 1);
	queue_event(&s->queue, WAKE_NODE_CHANGED);
	assert_ptr_equal(queue_pop(&s->queue), tainted);
	assert_int_equal(s->queue.n_unschedulable, 0);
	queue_remove(&s->queue, lately);
	fixture_pod_free(tainted);
	fixture_pod_free(large);
	fixture_pod_free(lately);
}

/* Each is woken five minutes after it was put there, whatever comes and goes meanwhile. */
static void flush(void **state)
{
	enum { FIVE_MINUTES_MS = 5 * 60 * 1000 };
	struct setup *s = *state;
	struct pod *old = pod(s, "old", 0), *young = pod(s, "young", 0), *other = pod(s, "other", 0);

	queue_unschedulable(&s->queue, old, WAKE_NODE_CHANGED);
	old->parked_ms -= FIVE_MINUTES_MS - 20;
	queue_unschedulable(&s->queue, young, WAKE_NODE_CHANGED);
	queue_unschedulable(&s->queue, other, WAKE_NODE_CHANGED);
	assert_int_equal(s->queue.timer.due_ms, old->parked_ms + FIVE_MINUTES_MS);
	queue_remove(&s->queue, other);
	LOOP_UNTIL(s->loop, s->wakes == 1);
	assert_ptr_equal(queue_pop(&s->queue), old);
	assert_int_equal(young->place, POD_UNSCHEDULABLE);
	assert_int_equal(s->queue.timer.due_ms, young->parked_ms + FIVE_MINUTES_MS);
	queue_remove(&s->queue, young);
	fixture_pod_free(old);
	fixture_pod_free(young);
	fixture_pod_free(other);
}

/* The informer's new struct takes the old one's place. */
static void replacing(void **state)
{
	struct setup *s = *state;
	struct pod *first = pod(s, "first", 0), *second = pod(s, "second", 0), *again = pod(s, "first", 0);

	queue_add(&s->queue, first);
	queue_add(&s->queue, second);
	queue_replace(&s->queue, first, again);
	assert_int_equal(first->place, POD_NONE);
	assert_ptr_equal(queue_pop(&s->queue), again);
	assert_ptr_equal(queue_pop(&s->queue), second);

	queue_begin(&s->queue, again);
	queue_retry(&s->queue, again);
	queue_replace(&s->queue, again, first);
	assert_int_equal(first->place, POD_BACKOFF);
	assert_int_equal(first->attempts, 1);
	assert_int_equal(first->due_ms, again->due_ms);
	queue_remove(&s->queue, first);

	/* A change of status leaves it where it is, in its row. */
	queue_unschedulable(&s->queue, first, WAKE_NODE_CHANGED);
	queue_unschedulable(&s->queue, second, WAKE_NODE_CHANGED);
	queue_replace(&s->queue, first, again);
	assert_int_equal(again->place, POD_UNSCHEDULABLE);
	assert_ptr_equal(s->queue.unschedulable, again);
	assert_ptr_equal(s->queue.unschedulable_last, second);
	assert_int_equal(again->waits_for, WAKE_NODE_CHANGED);
	/* One of what decides tries it again. */
	struct pod *tolerant = fixture_pod(&s->shapes, "first", "", "'tolerations':[{'operator':'Exists'}]");
	again->due_ms = 0;
	queue_replace(&s->queue, again, tolerant);
	assert_ptr_equal(queue_pop(&s->queue), tolerant);
	queue_remove(&s->queue, second);
	fixture_pod_free(tolerant);
	fixture_pod_free(first);
	fixture_pod_free(second);
	fixture_pod_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_priority_then_first_come, begin, end),
		cmocka_unit_test_setup_teardown(many_pods, begin, end),
		cmocka_unit_test_setup_teardown(backoff_doubles_to_ten_seconds, begin, end),
		cmocka_unit_test_setup_teardown(backoff_ends, begin, end),
		cmocka_unit_test_setup_teardown(only_the_right_event_wakes, begin, end),
		cmocka_unit_test_setup_teardown(flush, begin, end),
		cmocka_unit_test_setup_teardown(replacing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
