/* Checks of the writes of a history against its timeline; see verdict.h. */
#pragma once

#include "tests/crash/timeline.h"

/* Fills in who wrote what in TIMELINE. */
void check_writes(struct timeline *timeline, struct verdict *verdict);
