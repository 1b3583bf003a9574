/* Numbers that are kept to be ranked. */
#pragma once

#include <stddef.h>

struct stats {
	double *values;
	size_t n, cap;
};

void stats_close(struct stats *stats); /* also for CLEANUP; may be used again */
void stats_add(struct stats *stats, double value);
/* The value that a fraction RANK (0 to 1) of all do not exceed; sorts; 0 when there is none. */
double stats_rank(struct stats *stats, double rank);
