#include "apiserver/edge/counters.h"
#include "api/resource_set.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "apiserver/core/core.h"
#include "apiserver/edge/request.h"
#include "lib/metrics.h"
#include "lib/timefmt.h"

enum counted_verb {
	COUNT_GET,
	COUNT_LIST,
	COUNT_WATCH,
	COUNT_POST,
	COUNT_PUT,
	COUNT_PATCH,
	COUNT_DELETE,
	COUNT_DELETECOLLECTION,
	COUNT_VERBS
};

static const char *const verbs[COUNT_VERBS] = { "GET", "LIST",  "WATCH",  "POST",
						"PUT", "PATCH", "DELETE", "DELETECOLLECTION" };

static const int codes[] = { 200, 201, 202, 400, 401, 403, 404, 405, 406, 409,
			     410, 413, 415, 422, 429, 500, 502, 503, 504 };

struct series {
	struct metric metric;
	char labels[48];
};

/* Made when the first request of its verb and code ends, so that only what happened is exposed. */
static struct series *_Atomic totals[COUNT_VERBS][ARRAY_SIZE(codes)];
static struct series *_Atomic durations[COUNT_VERBS];
/* Registering and exposing walk the same list. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct metric *series_get(struct series *_Atomic *slot, const char *name, const char *help,
				 enum metric_kind kind, const char *verb, int code)
{
	struct series *series = *slot;
	if (series)
		return &series->metric;
	pthread_mutex_lock(&lock);
	series = *slot;
	if (!series) {
		series = mem_zalloc(sizeof(*series));
		if (code)
			snprintf(series->labels, sizeof(series->labels), "code=\"%d\",verb=\"%s\"", code,
				 verb);
		else
			snprintf(series->labels, sizeof(series->labels), "verb=\"%s\"", verb);
		series->metric =
		    (struct metric){ .name = name, .help = help, .kind = kind, .labels = series->labels };
		metrics_register(&series->metric);
		*slot = series;
	}
	pthread_mutex_unlock(&lock);
	return &series->metric;
}

static enum counted_verb verb_of(const struct request *r)
{
	if (r->route.kind == ROUTE_OBJECT && r->route.verb == VERB_LIST)
		return COUNT_LIST;
	if (r->route.kind == ROUTE_OBJECT && r->route.verb == VERB_WATCH)
		return COUNT_WATCH;
	if (r->route.kind == ROUTE_OBJECT && r->route.verb == VERB_DELETECOLLECTION)
		return COUNT_DELETECOLLECTION;
	switch (r->method) {
	case METHOD_POST:
		return COUNT_POST;
	case METHOD_PUT:
		return COUNT_PUT;
	case METHOD_PATCH:
		return COUNT_PATCH;
	case METHOD_DELETE:
		return COUNT_DELETE;
	default:
		return COUNT_GET;
	}
}

void counters_request(const struct request *r)
{
	enum counted_verb verb = verb_of(r);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == r->code)
			metric_add(series_get(&totals[verb][i], "apiserver_request_total",
					      "Requests by verb and code.", METRIC_KIND_COUNTER, verbs[verb],
					      r->code),
				   1);
	/* A watch takes as long as it takes. */
	if (verb != COUNT_WATCH)
		metric_observe_us(series_get(&durations[verb], "apiserver_request_duration_seconds",
					     "Time from a request's first byte to its last answered one.",
					     METRIC_KIND_HISTOGRAM, verbs[verb], 0),
				  time_mono_us() - r->started_us);
}

void counters_write(struct buf *b, struct core *core)
{
	pthread_mutex_lock(&lock);
	metrics_write(b);
	pthread_mutex_unlock(&lock);
	buf_str(b, "# HELP apiserver_resource_objects Objects stored, by resource.\n"
		   "# TYPE apiserver_resource_objects gauge\n");
	CLEANUP(resource_set_putp) struct resource_set *set = resource_set_get();
	for (size_t i = 0; i < set->n; i++) {
		const struct resource *resource = set->rows[i];
		/* Once, of versions that share their objects. */
		bool again = resource->stored != resource;
		for (size_t k = 0; k < i && !again; k++)
			again = set->rows[k]->index == resource->index;
		if (!again)
			buf_printf(b, "apiserver_resource_objects{group=\"%s\",resource=\"%s\"} %llu\n",
				   resource->group, resource->plural,
				   (unsigned long long)core_count(core, resource));
	}
	buf_printf(b,
		   "# HELP knarr_revision Revision of the newest change.\n# TYPE knarr_revision "
		   "gauge\nknarr_revision %llu\n",
		   (unsigned long long)core_revision(core));
}
