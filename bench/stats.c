#include "bench/stats.h"

#include <math.h>
#include <stdlib.h>

#include "lib/mem.h"

void stats_close(struct stats *stats)
{
	free(stats->values);
	*stats = (struct stats){ 0 };
}

void stats_add(struct stats *stats, double value)
{
	if (stats->n == stats->cap) {
		stats->cap = stats->cap ? 2 * stats->cap : 256;
		stats->values = mem_realloc_array(stats->values, stats->cap, sizeof(*stats->values));
	}
	stats->values[stats->n++] = value;
}

static int compare(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

double stats_rank(struct stats *stats, double rank)
{
	if (stats->n == 0)
		return 0;
	qsort(stats->values, stats->n, sizeof(*stats->values), compare);
	size_t i = (size_t)ceil(rank * (double)stats->n);
	return stats->values[i > 0 ? i - 1 : 0];
}
