#include "nodeagent/probe.h"

#include <stdlib.h>
#include <string.h>

#include "lib/timefmt.h"

#define FAST_FIRST_MS      10
#define FAST_FIRST_EXEC_MS 50 /* each try is a process */

const char *const probe_kind_names[3] = { "Startup", "Readiness", "Liveness" };
static const char *const probe_fields[3] = { "startupProbe", "readinessProbe", "livenessProbe" };

static int64_t at_least(int64_t value, int64_t least)
{
	return value < least ? least : value;
}

void probe_schedule_init(struct probe_schedule *s, enum probe_kind kind, const struct json_object *probe)
{
	*s = (struct probe_schedule){
		.initial_delay_ms = at_least(json_int(probe, "initialDelaySeconds", 0), 0) * 1000,
		.period_ms = at_least(json_int(probe, "periodSeconds", 10), 1) * 1000,
		.timeout_ms = at_least(json_int(probe, "timeoutSeconds", 1), 1) * 1000,
		.success_threshold = at_least(json_int(probe, "successThreshold", 1), 1),
		.failure_threshold = at_least(json_int(probe, "failureThreshold", 3), 1),
		.quick = kind != PROBE_LIVENESS,
		.fast_ms = json_get(probe, "exec") ? FAST_FIRST_EXEC_MS : FAST_FIRST_MS,
	};
	s->fast_left_ms = s->quick ? s->period_ms : 0;
}

int64_t probe_schedule_first_ms(const struct probe_schedule *s)
{
	if (s->quick)
		return s->initial_delay_ms;
	/* A program that was started this instant may be alive and not listen yet. */
	return at_least(s->initial_delay_ms, s->period_ms);
}

/* Next step of the fast phase, which ends at the whole period so that counting starts there. */
static int64_t fast_step(struct probe_schedule *s)
{
	int64_t step = s->fast_ms < s->fast_left_ms ? s->fast_ms : s->fast_left_ms;

	s->fast_left_ms -= step;
	s->fast_ms *= 2;
	/* A last crumb is not worth a try of its own. */
	if (s->fast_left_ms < s->fast_ms / 4) {
		step += s->fast_left_ms;
		s->fast_left_ms = 0;
	}
	return step;
}

enum probe_verdict probe_schedule_result(struct probe_schedule *s, enum probe_outcome outcome,
					 bool *ret_counted, int64_t *ret_next_ms)
{
	bool success = outcome == PROBE_SUCCESS;

	*ret_counted = false;
	*ret_next_ms = s->period_ms;
	if (!success && s->fast_left_ms > 0) {
		*ret_next_ms = fast_step(s);
		return PROBE_VERDICT_NONE;
	}
	s->fast_left_ms = 0;
	*ret_counted = !success;
	if (outcome == PROBE_UNKNOWN)
		return PROBE_VERDICT_NONE;
	s->run = s->run > 0 && s->run_success == success ? s->run + 1 : 1;
	s->run_success = success;
	if (success)
		return s->run >= s->success_threshold ? PROBE_VERDICT_GOOD : PROBE_VERDICT_NONE;
	return s->run >= s->failure_threshold ? PROBE_VERDICT_BAD : PROBE_VERDICT_NONE;
}

struct probe {
	struct probe_set *set;
	enum probe_kind kind;
	const struct json_object *spec; /* NULL: the container has none */
	struct probe_schedule schedule;
	struct loop_timer timer;
	struct probe_action *action;
	int64_t tried_ms; /* loop clock; periods count from try to try */
	bool good;
};

struct probe_set {
	struct probe_target target;
	struct probe_set_ops ops;
	void *arg;
	int64_t started_us;
	struct probe probes[3];
	bool stopping;
};

static void begin(struct probe_set *set, enum probe_kind kind);

static void on_result(enum probe_outcome outcome, const char *message, const char *output, void *arg)
{
	struct probe *p = arg;
	struct probe_set *set = p->set;
	bool counted, was_good = p->good;
	int64_t next_ms, spent_ms = loop_now_ms(set->target.loop) - p->tried_ms;

	(void)output;
	p->action = NULL;
	enum probe_verdict verdict = probe_schedule_result(&p->schedule, outcome, &counted, &next_ms);
	if (verdict == PROBE_VERDICT_BAD)
		p->good = false;
	else if (verdict == PROBE_VERDICT_GOOD)
		p->good = true;
	/* A startup probe has done its work when it succeeded. */
	if (!(p->kind == PROBE_STARTUP && p->good))
		loop_timer_arm(&p->timer, at_least(next_ms - spent_ms, 0));
	if (counted)
		set->ops.unhealthy(p->kind, outcome == PROBE_UNKNOWN, message, set->arg);
	if (p->kind == PROBE_STARTUP && p->good && !was_good) {
		begin(set, PROBE_READINESS);
		begin(set, PROBE_LIVENESS);
	}
	if (verdict == PROBE_VERDICT_BAD && p->kind != PROBE_READINESS)
		set->ops.failed(p->kind, set->arg);
	else if (p->good != was_good && p->kind != PROBE_LIVENESS)
		set->ops.changed(set->arg);
}

static void on_due(struct loop_timer *timer, void *arg)
{
	struct probe *p = arg;

	(void)timer;
	p->tried_ms = loop_now_ms(p->set->target.loop);
	p->action = probe_action_start(&p->set->target, p->spec, p->schedule.timeout_ms, on_result, p);
}

/* The first try counts from the container's start, also when the agent or the startup probe came between. */
static void begin(struct probe_set *set, enum probe_kind kind)
{
	struct probe *p = &set->probes[kind];
	int64_t age_ms = (time_now_us() - set->started_us) / 1000;

	if (!p->spec || (set->stopping && kind != PROBE_READINESS))
		return;
	if (age_ms < 0)
		age_ms = 0;
	loop_timer_arm(&p->timer, at_least(probe_schedule_first_ms(&p->schedule) - age_ms, 0));
}

struct probe_set *probe_set_new(const struct probe_target *target, int64_t started_us, bool was_started,
				bool was_ready, const struct probe_set_ops *ops, void *arg)
{
	struct probe_set *set = mem_zalloc(sizeof(*set));
	const bool good[3] = { was_started, was_ready, true };

	set->target = *target;
	set->ops = *ops;
	set->arg = arg;
	set->started_us = started_us;
	for (int i = 0; i < 3; i++) {
		struct probe *p = &set->probes[i];
		p->set = set;
		p->kind = (enum probe_kind)i;
		p->spec = json_get(target->container_spec, probe_fields[i]);
		p->good = !p->spec || good[i];
		loop_timer_init(&p->timer, target->loop, on_due, p);
		probe_schedule_init(&p->schedule, p->kind, p->spec);
		/* Ready before the restart: from here on only counted failures change that. */
		if (p->good)
			p->schedule.fast_left_ms = 0;
	}
	if (!probe_set_started(set)) {
		begin(set, PROBE_STARTUP);
		return set;
	}
	begin(set, PROBE_READINESS);
	begin(set, PROBE_LIVENESS);
	return set;
}

void probe_set_free(struct probe_set *set)
{
	if (!set)
		return;
	for (int i = 0; i < 3; i++) {
		loop_timer_disarm(&set->probes[i].timer);
		probe_action_cancel(set->probes[i].action);
	}
	free(set);
}

bool probe_set_started(const struct probe_set *set)
{
	return set->probes[PROBE_STARTUP].good;
}

bool probe_set_ready(const struct probe_set *set)
{
	return set->probes[PROBE_STARTUP].good && set->probes[PROBE_READINESS].good;
}

void probe_set_stopping(struct probe_set *set)
{
	set->stopping = true;
	for (int i = 0; i < 3; i++) {
		if (i == PROBE_READINESS)
			continue;
		loop_timer_disarm(&set->probes[i].timer);
		probe_action_cancel(TAKE(set->probes[i].action));
	}
}
