/* knarr-bench-parts: what single functions of the server cost, called in this process. A measurement is a row
 * of the table; it prints "NAME VALUE" as knarr-bench does.
 */
#include <stdio.h>
#include <string.h>

#include "bench/parts/parts.h"
#include "lib/mem.h"

static const struct {
	const char *name, *args;
	int n_args;
	int (*run)(char **argv);
} commands[] = {
	{ "authorize", "FOLDER", 1, parts_authorize },
	{ "admit-pod", "", 0, parts_admit_pod },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].n_args)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  knarr-bench-parts %s %s\n", commands[i].name, commands[i].args);
	return 2;
}
