/* Schedules of CronJobs: five fields ("0-30/5 8 * jan-jun mon"), "@hourly" and its like, "@every 1h30m".
 * The dialect and the texts of errors are those of github.com/robfig/cron/v3, which Kubernetes uses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* Bit N of a set: the value N is in it. */
struct cron_schedule {
	uint64_t minutes, hours, days, months, weekdays; /* days from 1, Sunday is weekday 0 */
	bool any_day, any_weekday; /* "*": when both are restricted, a day that fits either is one */
	int64_t every_us;          /* of "@every"; then the sets are empty */
};

/* ERR_PARSE. *ret may be NULL. */
int cron_parse(const char *text, struct cron_schedule *ret, struct err *err);
