/* Memory that runs out on demand. The calls of watched shared objects to malloc and its like are led here by
 * way of their global offset tables, so only what they allocate themselves fails, beneath AddressSanitizer as
 * well. Allocations of the thread that calls failing_memory_watch do not count: it is the test's.
 */
#pragma once

#include <stdbool.h>

/* Watches the objects whose file name begins with NAME, "" for the program itself. False when there is none
 * that allocates. Once. */
bool failing_memory_watch(const char *name);
/* The NTH allocation from here on fails, from 1, and with LASTING all after it. */
void failing_memory_arm(unsigned nth, bool lasting);
/* Memory is there again. Whether one had failed. */
bool failing_memory_disarm(void);
