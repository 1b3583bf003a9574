/* Metrics in the Prometheus text format 0.0.4. A metric is a static struct registered once; counting
 * is an atomic add, safe on any thread.
 *
 *     static struct metric pods_bound = METRIC_COUNTER("scheduler_pods_bound_total", "Pods bound to a
 * node."); metrics_register(&pods_bound); metric_add(&pods_bound, 1);
 *
 * Names are Kubernetes' where Kubernetes has the metric, else begin with knarr_.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/buf.h"

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_HISTOGRAM };

#define METRIC_BUCKETS 16

struct metric {
	const char *name;
	const char *help;
	const char
	    *labels; /* NULL, or fixed labels: `verb="GET",code="200"`; metrics of one name differ in it */
	enum metric_kind kind;
	_Atomic int64_t value;                        /* counter, gauge; histogram: sum in microseconds */
	_Atomic uint64_t buckets[METRIC_BUCKETS + 1]; /* histogram: 100 us * 2^i, the last is +Inf */
	int64_t (*read)(void *arg);                   /* gauge: asked at exposition instead of value */
	void *read_arg;
	struct metric *next;
};

#define METRIC_COUNTER(name_, help_)                                                                         \
	{                                                                                                    \
		.name = (name_), .help = (help_), .kind = METRIC_KIND_COUNTER                                \
	}
#define METRIC_GAUGE(name_, help_)                                                                           \
	{                                                                                                    \
		.name = (name_), .help = (help_), .kind = METRIC_KIND_GAUGE                                  \
	}
/* Durations; exposed in seconds. */
#define METRIC_HISTOGRAM(name_, help_)                                                                       \
	{                                                                                                    \
		.name = (name_), .help = (help_), .kind = METRIC_KIND_HISTOGRAM                              \
	}

void metrics_register(struct metric *metric); /* before other threads start, or under the caller's lock */
void metric_add(struct metric *metric, int64_t n);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_us(struct metric *metric, int64_t us);
/* Appends all registered metrics and process_* (cpu, resident memory, open fds, start time). */
void metrics_write(struct buf *b);
