/* knarr-churn: a cluster under kill -9, held against its promises. (README.md beside this file says how and
 * why.) */
#include <stdlib.h>
#include <string.h>

#include "lib/program.h"
#include "tests/churn/churn.h"
#include "tests/churn/control.h"
#include "tests/churn/node.h"
#include "tests/churn/players.h"

static const struct programs_extra control_extra[] = {
	{ PROGRAM_CONTROLLER, "--node-monitor-grace-period=" PLAYERS_GRACE },
	{ 0, NULL },
};
static const struct programs_extra no_extra[] = { { 0, NULL } };

static const struct shape {
	const char *name;
	const struct programs_extra *extra;
	void (*run)(struct churn *churn);
} shapes[] = {
	{ "control", control_extra, control_run },
	{ "node", no_extra, node_run },
};

static const struct shape *find_shape(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(shapes); i++)
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
	fprintf(stderr, "error: name a shape of churn: control or node\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *seed = "1", *seconds = "20";
	struct churn_opts opts = { 0 };
	const struct program_flag flags[] = {
		{ "data", "DIR", "a cluster that runs: knarr up -d --data DIR", &opts.dir, NULL, true },
		{ "bin", "DIR", "the programs", &opts.bin_dir, NULL, true },
		{ "seed", "N", "what happens (default 1)", &seed, NULL, false },
		{ "seconds", "N", "how long there is fire, without the calm between (default 20)", &seconds,
		  NULL, false },
		{ "report", "FILE", "where the counts go as JSON", &opts.report, NULL, false },
		{ 0 },
	};
	struct churn churn = { 0 };
	struct err err = ERR_INIT;

	int i = program_flags("knarr-churn",
			      "Churns a cluster while its programs are killed. Operand: control or node.",
			      flags, argc, argv);
	const struct shape *shape = find_shape(argv[i]);
	opts.shape = shape->name;
	opts.seed = strtoull(seed, NULL, 10);
	opts.fire_ms = strtoll(seconds, NULL, 10) * 1000;
	printf("churn of %s, seed %llu, %s s of fire\n", shape->name, (unsigned long long)opts.seed, seconds);
	fflush(stdout);
	if (churn_open(&churn, &opts, shape->extra, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return 1;
	}
	shape->run(&churn);
	if (churn.faults) {
		churn_show_journal(&churn);
		fprintf(stderr, "to see it again: knarr-churn --seed %llu --seconds %s %s\n",
			(unsigned long long)opts.seed, seconds, shape->name);
	}
	unsigned faults = churn.faults;
	churn_close(&churn);
	return faults > 0;
}
