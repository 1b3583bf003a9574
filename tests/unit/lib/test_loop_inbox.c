#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/loop_inbox.h"

#define LETTERS 1000
#define ROUNDS  200

struct fixture {
	struct loop *loop;
	struct loop_inbox *inbox;
	struct loop_letter letters[LETTERS];
	size_t order[LETTERS], opened;
	_Atomic size_t posts;
};

static void on_letter(struct loop_letter *letter, void *arg)
{
	struct fixture *f = arg;

	if (f->opened < LETTERS)
		f->order[f->opened] = (size_t)(letter - f->letters);
	f->opened++;
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->loop = loop_new(NULL);
	f->inbox = loop_inbox_new(f->loop, NULL);
	for (size_t i = 0; i < LETTERS; i++)
		f->letters[i] = (struct loop_letter){ .fn = on_letter, .arg = f };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_inbox_free(f->inbox);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void letters_come_in_order_and_not_all_at_once(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < LETTERS; i++)
		loop_inbox_post(f->inbox, &f->letters[i]);
	loop_turn(f->loop, -1);
	assert_true(f->opened > 0 && f->opened < LETTERS);
	while (f->opened < LETTERS)
		loop_turn(f->loop, -1);
	for (size_t i = 0; i < LETTERS; i++)
		assert_int_equal(f->order[i], i);
}

static void a_posted_letter_is_posted_once(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		loop_inbox_post(f->inbox, &f->letters[7]);
	loop_turn(f->loop, -1);
	assert_int_equal(f->opened, 1);
	loop_inbox_post(f->inbox, &f->letters[7]);
	loop_turn(f->loop, -1);
	assert_int_equal(f->opened, 2);
}

static void a_letter_is_taken_back(void **state)
{
	struct fixture *f = *state;

	loop_inbox_cancel(f->inbox, &f->letters[0]); /* was not posted */
	for (size_t i = 0; i < 3; i++)
		loop_inbox_post(f->inbox, &f->letters[i]);
	loop_inbox_cancel(f->inbox, &f->letters[1]);
	while (f->opened < 2)
		loop_turn(f->loop, -1);
	loop_turn(f->loop, 0);
	assert_int_equal(f->opened, 2);
	assert_int_equal(f->order[1], 2);
}

static void the_last_ones_are_opened(void **state)
{
	struct fixture *f = *state;

	loop_inbox_post(f->inbox, &f->letters[0]);
	loop_inbox_free(f->inbox);
	f->inbox = NULL;
	assert_int_equal(f->opened, 1);
}

static void *post_all(void *arg)
{
	struct fixture *f = arg;

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < LETTERS; i++) {
			f->posts++;
			loop_inbox_post(f->inbox, &f->letters[i]);
		}
	return NULL;
}

/* Of letters that several threads post at will the last posting of each is heard. */
static void no_posting_is_lost(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[3];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_all, f), 0);
	while (f->posts < ARRAY_SIZE(threads) * ROUNDS * LETTERS)
		loop_turn(f->loop, 1);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	for (bool left = true; left;) {
		loop_turn(f->loop, 0);
		left = false;
		for (size_t i = 0; i < LETTERS; i++)
			left |= f->letters[i].posted;
	}
	assert_true(f->opened >= LETTERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(letters_come_in_order_and_not_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_posted_letter_is_posted_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_letter_is_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_ones_are_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(no_posting_is_lost, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
