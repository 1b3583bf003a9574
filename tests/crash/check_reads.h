/* Checks of what the clients of a history were shown against its timeline; see verdict.h. */
#pragma once

#include "tests/crash/timeline.h"

/* After check_writes. */
void check_reads(const struct timeline *timeline, struct verdict *verdict);
