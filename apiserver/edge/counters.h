/* What the server counts about requests, under Kubernetes' metric names.
 */
#pragma once

#include "lib/buf.h"

struct request;
struct core;

/* An answered (or aborted) request. Any thread. */
void counters_request(const struct request *r);
/* The whole exposition: requests, the core's objects, the process. */
void counters_write(struct buf *b, struct core *core);
