/* The store on a disk that fails: every call of SQLite fails once, and for good; the process dies at every
 * call; power is cut there. After each the store holds what it acknowledged and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/faults/disk_image.h"
#include "tests/faults/fault_run.h"
#include "tests/faults/faulty_disk.h"
#include "tests/faults/store_script.h"

#define STEPS 8 /* of a script */

enum ending { END_CLOSED, END_KILLED, END_POWER_CUT, ENDINGS };

static struct fault_args args;
static char *dir;
static unsigned long runs, commits, doubts;
static char doing[128]; /* said when a test fails */

static int say_what_failed(void **state)
{
	(void)state;
	if (*doing)
		print_error("at %s\n", doing);
	*doing = '\0';
	faulty_disk_heal();
	return 0;
}

static void shut_dead(struct script *script)
{
	faulty_disk_arm(&(struct disk_fault){ .calls = DISK_CHANGES, .nth = 1, .kind = DISK_DEAD });
	script_shut(script);
	faulty_disk_heal();
}

static void reopen(struct script *script)
{
	struct err err = ERR_INIT;

	if (script_open(script, &err) < 0)
		fail_msg("the disk works, the store does not open: %s", err.msg);
	script_works(script);
}

/* Whether FAULT happened. */
static bool run(const struct disk_fault *fault, enum ending ending, uint64_t seed, unsigned steps)
{
	struct script script;
	struct err err = ERR_INIT;
	bool happened;

	snprintf(doing, sizeof(doing), "call %u of kinds %u, %s, ending %d, seed %llu", fault->nth,
		 fault->calls,
		 fault->kind == DISK_ONCE      ? "once"
		 : fault->kind == DISK_LASTING ? "lasting"
					       : "dead",
		 (int)ending, (unsigned long long)fault->seed);
	fault_folder_empty(dir);
	disk_image_forget();
	script_init(&script, dir, seed);
	/* The next start, and not the next commit, finds what a failed one left. */
	script.stop_at_failure = ending == END_KILLED;
	faulty_disk_arm(fault);
	if (script_open(&script, &err) == 0)
		script_run(&script, steps);
	else if (err.kind == ERR_CORRUPT || err.kind == ERR_NONE)
		fail_msg("a failing disk is not a damaged file: %s", err.msg);
	if (fault->kind == DISK_DEAD)
		script_shut(&script);
	happened = faulty_disk_heal();
	if (script.store && !script.in_doubt && ending != END_KILLED) {
		script_works(&script);
		script_run(&script, 3);
	}
	doubts += script.in_doubt;
	if (ending == END_CLOSED)
		script_shut(&script);
	else
		shut_dead(&script);
	if (ending == END_POWER_CUT)
		disk_image_power_cut(fault->seed);
	reopen(&script);
	/* Twice: what the first start did must be as durable. */
	shut_dead(&script);
	disk_image_power_cut(fault->seed + 1);
	reopen(&script);
	commits += script.commits;
	script_close(&script);
	runs++;
	*doing = '\0';
	return happened;
}

/* Every call is the NTH once, but in sanitizer builds, and where STRIDE leaves most of many to make soak. */
static void sweep(unsigned calls, enum disk_fault_kind kind, bool full, enum ending ending, unsigned stride)
{
#ifdef __SANITIZE_ADDRESS__
	stride *= 7;
#endif
	for (unsigned nth = 1 + (unsigned)ending % stride;; nth += stride) {
		struct disk_fault fault = {
			.calls = calls, .nth = nth, .kind = kind, .full = full, .seed = nth
		};

		if (!run(&fault, ending, 7, STEPS))
			return;
	}
}

static void sweep_all(unsigned calls, bool full)
{
	sweep(calls, DISK_ONCE, full, END_CLOSED, 3);
	sweep(calls, DISK_ONCE, full, END_KILLED, 1);
	sweep(calls, DISK_ONCE, full, END_POWER_CUT, 1);
	sweep(calls, DISK_LASTING, full, END_KILLED, 3);
	sweep(calls, DISK_LASTING, full, END_POWER_CUT, 1);
}

static void test_writes(void **state)
{
	(void)state;
	sweep_all(DISK_WRITE, false);
	sweep_all(DISK_WRITE, true);
}

static void test_syncs(void **state)
{
	(void)state;
	sweep_all(DISK_SYNC, false);
	sweep_all(DISK_SYNC | DISK_WRITE, false);
}

/* What reading depends on: nothing is written because of it. */
static void sweep_reading(unsigned calls, unsigned stride)
{
	sweep(calls, DISK_ONCE, false, END_CLOSED, stride);
	sweep(calls, DISK_ONCE, false, END_KILLED, stride);
	sweep(calls, DISK_LASTING, false, END_KILLED, stride);
}

static void test_reads(void **state)
{
	(void)state;
	sweep_reading(DISK_READ, 1);
}

static void test_others(void **state)
{
	(void)state;
	sweep_all(DISK_TRUNCATE, false);
	sweep_all(DISK_REMOVE, false);
	sweep_reading(DISK_OPEN, 1);
	sweep_reading(DISK_STAT, 3);
	sweep_reading(DISK_LOCK, 3);
	sweep_reading(DISK_SHARED, 1);
	/* Not for good: SQLite would wait for it. */
	sweep(DISK_SHARED_LOCK, DISK_ONCE, false, END_KILLED, 3);
}

static void test_memory(void **state)
{
	(void)state;
	sweep_reading(DISK_MEMORY, 7);
}

/* At every call that could change something. */
static void test_killed(void **state)
{
	(void)state;
	sweep(DISK_CHANGES, DISK_DEAD, false, END_KILLED, 1);
}

static void test_power_cut(void **state)
{
	(void)state;
	sweep(DISK_CHANGES, DISK_DEAD, false, END_POWER_CUT, 1);
}

static int setup(void **state)
{
	(void)state;
	dir = fault_folder();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fault_folder_remove(dir);
	disk_image_forget();
	fault_report(&args, (struct fault_count[]){ { "runs", runs },
						    { "faults", faulty_disk_faults() },
						    { "commits acknowledged", commits },
						    { "times in doubt", doubts },
						    { NULL, 0 } });
	return 0;
}

/* Any fault at any call of any script. */
static void random_round(uint64_t seed)
{
	static const unsigned kinds[] = { DISK_WRITE,  DISK_SYNC,     DISK_WRITE | DISK_SYNC,
					  DISK_READ,   DISK_TRUNCATE, DISK_OPEN,
					  DISK_REMOVE, DISK_STAT,     DISK_LOCK,
					  DISK_SHARED, DISK_MEMORY,   DISK_CHANGES };
	struct disk_fault fault = { .seed = seed };
	enum ending ending;
	unsigned steps;

	disk_image_seed(seed);
	fault.calls = kinds[disk_image_random(ARRAY_SIZE(kinds))];
	fault.kind = disk_image_random(DISK_DEAD + 1);
	if (fault.kind == DISK_DEAD)
		fault.calls = DISK_CHANGES;
	fault.full = disk_image_random(2);
	steps = 1 + disk_image_random(60);
	fault.nth = 1 + disk_image_random(disk_image_random(2) ? 30 : 1500);
	ending = disk_image_random(ENDINGS);
	run(&fault, ending, seed, steps);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_writes, say_what_failed),
		cmocka_unit_test_teardown(test_syncs, say_what_failed),
		cmocka_unit_test_teardown(test_reads, say_what_failed),
		cmocka_unit_test_teardown(test_others, say_what_failed),
		cmocka_unit_test_teardown(test_memory, say_what_failed),
		cmocka_unit_test_teardown(test_killed, say_what_failed),
		cmocka_unit_test_teardown(test_power_cut, say_what_failed),
	};
	args = fault_args("store-disk", argc, argv);

	faulty_disk_install();
	if (!args.seconds)
		return cmocka_run_group_tests(tests, setup, teardown);
	setup(NULL);
	fault_soak(&args, random_round);
	return teardown(NULL);
}
