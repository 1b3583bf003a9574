/* The core on a disk that fails: what it answers, shows and tells watchers is what is on the disk, before and
 * after each fault, crash and power cut. */
#include "tests/faults/disk_image.h"
#include "tests/faults/fault_run.h"
#include "tests/faults/faulty_disk.h"
#include "tests/support/rng.h"
#include "tests/unit/apiserver/core_fixture.h"

#define NAMES 5
#define STEPS 14
#define BURST 3
#define OPS   (NAMES * 2 + BURST * STEPS * 2)

/* The revision of each object as acknowledged; 0: it is not there. */
struct model {
	uint64_t revision[NAMES];
	bool in_doubt;
	uint64_t events[OPS]; /* revisions of all changes acknowledged, in order */
	size_t n_events;
};

static struct fault_args args;
static char *dir;
static struct rng rng;
static unsigned long runs, writes, refused, doubts;
static char doing[128];

static const char *name_of(unsigned i)
{
	static const char *const names[NAMES] = { "a", "b", "c", "d", "e" };

	return names[i];
}

static struct object *object_of(unsigned i, uint64_t value)
{
	return make(config_maps(), "\"namespace\":\"d\",\"name\":\"%s\"},\"data\":{\"k\":\"%llu\"}",
		    name_of(i), (unsigned long long)value);
}

/* NULL with *ERR when the disk does not let it start. */
static struct core *try_start(struct err *err)
{
	struct store *store = NULL;
	struct core *core = NULL;

	if (store_sqlite_open(dir, &store, err) < 0)
		return NULL;
	disk_image_names_synced();

	struct core_opts opts = default_opts(store);

	if (core_new(&opts, &core, err) < 0)
		return NULL;
	assert_int_equal(core_start(core, err), 0);
	return core;
}

/* --- writes --- */

struct write {
	struct core_command command;
	unsigned name;
};

/* Several at once, of different objects, so that they are committed together. */
static void submit(struct core *core, struct model *model, struct write *write, unsigned name, sem_t *done)
{
	uint64_t revision = model->revision[name];
	enum core_op op = !revision ? CORE_CREATE : rng_below(&rng, 4) ? CORE_UPDATE : CORE_DELETE;

	*write = (struct write){ .name = name };
	write->command = (struct core_command){ .op = op,
						.resource = config_maps(),
						.namespace_ = "d",
						.name = name_of(name),
						.revision = revision,
						.reply = answered,
						.arg = done };
	if (op != CORE_DELETE)
		write->command.object = object_of(name, rng_next(&rng));
	core_submit(core, &write->command);
}

static void check_refusal(const struct core_command *command)
{
	if (command->err.kind == ERR_SERVICE_UNAVAILABLE
		? !strstr(command->err.msg, "is not known until the server was started again")
		: command->err.kind != ERR_SYSTEM || !strstr(command->err.msg, "nothing was stored: "))
		fail_msg("a write was refused with kind %d: %s", (int)command->err.kind, command->err.msg);
}

static void judge(struct model *model, struct write *write)
{
	struct core_command *command = &write->command;
	uint64_t *revision = &model->revision[write->name];

	if (command->err.kind == ERR_NONE) {
		*revision = command->op == CORE_DELETE ? 0 : command->ret_revision;
		model->events[model->n_events++] = command->ret_revision;
		writes++;
		return;
	}
	check_refusal(command);
	refused++;
	if (command->err.kind == ERR_SERVICE_UNAVAILABLE)
		model->in_doubt = true;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void write_some(struct core *core, struct model *model)
{
	struct write burst[BURST];
	unsigned n = 1 + rng_below(&rng, BURST), first = rng_below(&rng, NAMES);
	size_t before = model->n_events;
	sem_t done;

	sem_init(&done, 0, 0);
	for (unsigned i = 0; i < n; i++)
		submit(core, model, &burst[i], (first + i) % NAMES, &done);
	for (unsigned i = 0; i < n; i++)
		sem_wait(&done);
	for (unsigned i = 0; i < n; i++) {
		judge(model, &burst[i]);
		core_command_close(&burst[i].command);
	}
	qsort(model->events + before, model->n_events - before, sizeof(*model->events), by_number);
	sem_destroy(&done);
}

/* --- reads --- */

/* Reads go on, whatever becomes of writes, and show what was acknowledged; in doubt they show nothing. */
static void check_reads(struct core *core, const struct model *model)
{
	struct core_command list = { .op = CORE_LIST, .resource = config_maps() };
	size_t there = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		struct object *object = NULL;
		struct err err = ERR_INIT;
		int result = core_get(core, config_maps(), "d", name_of(i), &object, &err);

		if (model->in_doubt) {
			assert_int_equal(result, -1);
			assert_int_equal(err.kind, ERR_SERVICE_UNAVAILABLE);
			continue;
		}
		if (result < 0)
			assert_int_equal(err.kind, ERR_NOT_FOUND);
		assert_int_equal(object ? object_revision(object) : 0, model->revision[i]);
		there += object != NULL;
		object_unref(object);
	}
	assert_int_equal(call(core, &list), model->in_doubt ? ERR_SERVICE_UNAVAILABLE : ERR_NONE);
	assert_int_equal(list.ret_n, there);
	core_command_close(&list);
}

/* A watch sees each acknowledged change once, in order, and nothing else. */
static void check_events(struct reader *reader, const struct model *model, size_t from)
{
	struct watch_event event;

	for (size_t i = from; i < model->n_events; i++) {
		event = reader_next(reader);
		assert_int_equal(event.revision, model->events[i]);
		object_unref(event.object);
	}
	assert_false(watch_next(reader->watch, &event));
}

/* After a crash: what was acknowledged; of what was in doubt any part that one transaction may have held. */
static void check_after_crash(struct model *model)
{
	struct err err = ERR_INIT;
	struct core *core = try_start(&err);
	struct reader reader;
	struct core_command watch = { .resource = config_maps(), .at_revision = 1 };

	if (!core)
		fail_msg("the disk works, the server does not start: %s", err.msg);
	assert_int_equal(reader_open(&reader, core, &watch), ERR_NONE);
	for (unsigned i = 0; i < NAMES && model->in_doubt; i++) {
		uint64_t found = revision_of(core, config_maps(), "d", name_of(i));

		if (found != model->revision[i]) {
			struct watch_event event;

			/* Newer than all that was acknowledged, or gone by a deletion that is. */
			assert_true(!found || !model->n_events || found > model->events[model->n_events - 1]);
			for (size_t k = 0; k < model->n_events; k++) {
				event = reader_next(&reader);
				assert_int_equal(event.revision, model->events[k]);
				object_unref(event.object);
			}
			while (watch_next(reader.watch, &event)) {
				assert_true(!model->n_events ||
					    event.revision > model->events[model->n_events - 1]);
				object_unref(event.object);
			}
			reader_close(&reader);
			core_stop_and_free(core);
			return;
		}
	}
	model->in_doubt = false;
	check_reads(core, model);
	check_events(&reader, model, 0);
	write_some(core, model);
	assert_false(model->in_doubt);
	check_reads(core, model);
	reader_close(&reader);
	core_stop_and_free(core);
}

/* --- the sweep --- */

static bool run(const struct disk_fault *fault, bool power_cut, unsigned steps)
{
	struct model model = { 0 };
	struct err err = ERR_INIT;
	struct reader reader;
	struct core_command watch = { .resource = config_maps() };
	bool happened;

	snprintf(doing, sizeof(doing), "call %u of kinds %u, kind of fault %d, power %d, seed %llu",
		 fault->nth, fault->calls, (int)fault->kind, power_cut, (unsigned long long)fault->seed);
	fault_folder_empty(dir);
	disk_image_forget();
	rng = rng_of(fault->seed, 2);

	struct core *core = try_start(&err);

	assert_non_null(core);
	assert_int_equal(reader_open(&reader, core, &watch), ERR_NONE);
	faulty_disk_arm(fault);
	for (unsigned i = 0; i < steps && !model.in_doubt; i++) {
		write_some(core, &model);
		check_reads(core, &model);
	}
	if (fault->kind == DISK_DEAD) {
		check_events(&reader, &model, 0);
		reader_close(&reader);
		core_stop_and_free(core);
		happened = faulty_disk_heal();
	} else {
		unsigned long refused_before;

		happened = faulty_disk_heal();
		refused_before = refused;
		if (!model.in_doubt) {
			write_some(core, &model);
			assert_int_equal(refused, refused_before);
			assert_true(core_healthy(core));
		}
		check_reads(core, &model);
		check_events(&reader, &model, 0);
		reader_close(&reader);
		faulty_disk_arm(&(struct disk_fault){ .calls = DISK_CHANGES, .nth = 1, .kind = DISK_DEAD });
		core_stop_and_free(core);
		faulty_disk_heal();
	}
	doubts += model.in_doubt;
	if (power_cut)
		disk_image_power_cut(fault->seed);
	check_after_crash(&model);
	runs++;
	*doing = '\0';
	return happened;
}

static void sweep(unsigned calls, enum disk_fault_kind kind, bool full, bool power_cut)
{
#ifdef __SANITIZE_ADDRESS__
	const unsigned stride = 5;
#else
	const unsigned stride = 1;
#endif

	for (unsigned nth = 1;; nth += stride) {
		struct disk_fault fault = {
			.calls = calls, .nth = nth, .kind = kind, .full = full, .seed = nth
		};

		if (!run(&fault, power_cut, STEPS))
			return;
	}
}

static void test_failing_calls(void **state)
{
	(void)state;
	for (int power_cut = 0; power_cut < 2; power_cut++) {
		sweep(DISK_WRITE, DISK_ONCE, power_cut, power_cut);
		sweep(DISK_WRITE, DISK_LASTING, !power_cut, power_cut);
		sweep(DISK_SYNC, DISK_ONCE, false, power_cut);
		sweep(DISK_SYNC, DISK_LASTING, false, power_cut);
		sweep(DISK_SYNC | DISK_WRITE, DISK_LASTING, false, power_cut);
	}
	sweep(DISK_READ, DISK_ONCE, false, false);
	sweep(DISK_SHARED, DISK_LASTING, false, false);
	sweep(DISK_MEMORY, DISK_ONCE, false, false);
	sweep(DISK_MEMORY, DISK_LASTING, false, true);
}

static void test_crashes(void **state)
{
	(void)state;
	sweep(DISK_CHANGES, DISK_DEAD, false, false);
	sweep(DISK_CHANGES, DISK_DEAD, false, true);
}

static void random_round(uint64_t seed)
{
	static const unsigned kinds[] = { DISK_WRITE, DISK_SYNC,   DISK_WRITE | DISK_SYNC,
					  DISK_READ,  DISK_SHARED, DISK_MEMORY };
	struct rng choice = rng_of(seed, 3);
	struct disk_fault fault = { .calls = kinds[rng_below(&choice, ARRAY_SIZE(kinds))],
				    .kind = rng_below(&choice, DISK_DEAD + 1),
				    .nth = 1 + rng_below(&choice, 120),
				    .full = rng_below(&choice, 2),
				    .seed = seed };

	if (fault.kind == DISK_DEAD)
		fault.calls = DISK_CHANGES;
	run(&fault, rng_below(&choice, 2), STEPS);
}

static int say_what_failed(void **state)
{
	(void)state;
	if (*doing)
		print_error("at %s\n", doing);
	faulty_disk_heal();
	return 0;
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
						    { "writes acknowledged", writes },
						    { "writes refused", refused },
						    { "times in doubt", doubts },
						    { NULL, 0 } });
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_failing_calls, say_what_failed),
		cmocka_unit_test_teardown(test_crashes, say_what_failed),
	};
	args = fault_args("core-disk", argc, argv);

	faulty_disk_install();
	if (!args.seconds)
		return cmocka_run_group_tests(tests, setup, teardown);
	setup(NULL);
	fault_soak(&args, random_round);
	return teardown(NULL);
}
