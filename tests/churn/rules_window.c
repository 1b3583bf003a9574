#include "tests/churn/rules_window.h"

#include <stdlib.h>
#include <string.h>

static void drop_first(struct window *w)
{
	memmove(&w->specs[0], &w->specs[1], --w->n * sizeof(w->specs[0]));
}

void window_see(struct window *w, int64_t generation, int64_t observed, int64_t most, int64_t least)
{
	while (w->n > 1 && w->specs[1].generation <= observed)
		drop_first(w);
	if (w->n > 0 && w->specs[w->n - 1].generation == generation)
		return;
	if (w->n == ARRAY_SIZE(w->specs)) {
		/* The two oldest become one that allows what either did. */
		if (w->specs[1].most < w->specs[0].most)
			w->specs[1].most = w->specs[0].most;
		if (w->specs[1].least > w->specs[0].least)
			w->specs[1].least = w->specs[0].least;
		drop_first(w);
	}
	w->specs[w->n++] = (struct window_spec){ generation, most, least };
}

/* An IntOrString: of REPLICAS when it is a percentage, rounded up or down. */
static int64_t int_or_percent(const struct json_object *value, int64_t replicas, bool up)
{
	if (json_object_get_type(value) != json_type_string)
		return json_object_get_int64(value);
	long percent = strtol(json_object_get_string((struct json_object *)value), NULL, 10);
	return (replicas * percent + (up ? 99 : 0)) / 100;
}

void window_see_deployment(struct window *w, int64_t generation, int64_t observed,
			   const struct json_object *spec)
{
	const struct json_object *strategy = json_get(spec, "strategy");
	const struct json_object *rolling = json_get(strategy, "rollingUpdate");
	int64_t replicas = json_int(spec, "replicas", 1), surge = 0, unavailable = replicas;

	if (strcmp(json_str_or_empty(strategy, "type"), "Recreate") != 0) {
		surge = int_or_percent(json_get(rolling, "maxSurge"), replicas, true);
		unavailable = int_or_percent(json_get(rolling, "maxUnavailable"), replicas, false);
		if (surge == 0 && unavailable == 0)
			unavailable = 1;
	}
	window_see(w, generation, observed, replicas + surge,
		   replicas > unavailable ? replicas - unavailable : 0);
}

int64_t window_most(const struct window *w)
{
	int64_t most = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->specs[i].most > most)
			most = w->specs[i].most;
	return most;
}

int64_t window_least(const struct window *w)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < w->n; i++)
		if (w->specs[i].least < least)
			least = w->specs[i].least;
	return least;
}
