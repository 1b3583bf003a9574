#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} rows[] = {
	{ "api-ready", bench_api_ready },
	{ "bind", bench_bind },
	{ "pod-ready", bench_pod_ready },
	{ "burst", bench_burst },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(rows); i++)
		if (strcmp(argv[1], rows[i].name) == 0)
			return rows[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: knarr-bench api-ready|bind|pod-ready|burst ...; bench/run calls it\n");
	return 2;
}
