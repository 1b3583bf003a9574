#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/garbage_decide.h"
#include "lib/mem.h"

#define OWNERS(...) { __VA_ARGS__ }, sizeof((enum owner_state[]){ __VA_ARGS__ }) / sizeof(enum owner_state)

static const struct garbage_case {
	const char *what;
	enum owner_state owners[4];
	size_t n;
	struct garbage_facts facts;
	enum garbage_action action;
} cases[] = {
	{ "no owners", { 0 }, 0, { 0 }, GARBAGE_KEEP },
	{ "its owner lives", OWNERS(OWNER_SOLID), { 0 }, GARBAGE_KEEP },
	{ "its owner is gone", OWNERS(OWNER_GONE), { 0 }, GARBAGE_DELETE_BACKGROUND },
	{ "all owners gone", OWNERS(OWNER_GONE, OWNER_GONE), { 0 }, GARBAGE_DELETE_BACKGROUND },
	{ "one owner lives", OWNERS(OWNER_GONE, OWNER_SOLID), { 0 }, GARBAGE_RELEASE },
	{ "one owner lives, one waits", OWNERS(OWNER_WAITING, OWNER_SOLID), { 0 }, GARBAGE_RELEASE },
	{ "an owner never seen is asked for first", OWNERS(OWNER_UNSURE, OWNER_GONE), { 0 }, GARBAGE_ASK },
	{ "asked for also beside one that lives", OWNERS(OWNER_UNSURE, OWNER_SOLID), { 0 }, GARBAGE_ASK },
	{ "an owner of an unknown kind protects", OWNERS(OWNER_UNKNOWABLE, OWNER_GONE), { 0 }, GARBAGE_KEEP },
	{ "waiting owner, no dependants", OWNERS(OWNER_WAITING), { 0 }, GARBAGE_DELETE_BACKGROUND },
	{ "waiting owner, dependants", OWNERS(OWNER_WAITING), { .dependants = 2 }, GARBAGE_DELETE_FOREGROUND },
	{ "waiting owner, a circle", OWNERS(OWNER_WAITING), { .dependants = 1, .dependant_in_foreground = true }, GARBAGE_UNBLOCK },
	{ "gone owner, dependants", OWNERS(OWNER_GONE), { .dependants = 2 }, GARBAGE_DELETE_BACKGROUND },
	{ "marked to orphan", OWNERS(OWNER_GONE), { .finalizer_orphan = true }, GARBAGE_DELETE_ORPHAN },
	{ "marked for foreground", OWNERS(OWNER_GONE), { .finalizer_foreground = true }, GARBAGE_DELETE_FOREGROUND },
	{ "being deleted already", OWNERS(OWNER_GONE), { .deleting = true }, GARBAGE_KEEP },
	{ "foreground, blocked", { 0 }, 0, { .deleting = true, .finalizer_foreground = true, .dependants = 2, .blocking = 1 },
	  GARBAGE_KEEP },
	{ "foreground, only dependants that do not block", { 0 }, 0,
	  { .deleting = true, .finalizer_foreground = true, .dependants = 2 }, GARBAGE_END_FOREGROUND },
	{ "foreground, none left", { 0 }, 0, { .deleting = true, .finalizer_foreground = true }, GARBAGE_END_FOREGROUND },
	{ "orphan, dependants", { 0 }, 0, { .deleting = true, .finalizer_orphan = true, .dependants = 1 }, GARBAGE_ORPHAN_DEPENDANTS },
	{ "orphan, none left", { 0 }, 0, { .deleting = true, .finalizer_orphan = true }, GARBAGE_END_ORPHAN },
	{ "orphan comes before foreground", { 0 }, 0,
	  { .deleting = true, .finalizer_orphan = true, .finalizer_foreground = true, .dependants = 1 }, GARBAGE_ORPHAN_DEPENDANTS },
};

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct garbage_facts facts = cases[i].facts;
		facts.owners = cases[i].owners;
		facts.n_owners = cases[i].n;
		if (garbage_decide(&facts) != cases[i].action)
			fail_msg("%s: %d", cases[i].what, (int)garbage_decide(&facts));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_decide) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
