/* Clocks and RFC 3339 times as Kubernetes writes them (meta/v1 Time: whole seconds, UTC, `Z`;
 * MicroTime: six digits). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TIMEFMT_SIZE 32 /* "2026-11-21T06:44:49.123456Z" and room */

int64_t time_now_us(void);  /* wall clock, microseconds since 1970; jumps when the clock is set */
int64_t time_mono_ms(void); /* CLOCK_MONOTONIC, milliseconds */
int64_t time_mono_us(void);
int64_t time_boot_ms(void); /* CLOCK_BOOTTIME, milliseconds */
/* MS milliseconds from now by CLOCK_MONOTONIC: until when pthread_cond_clockwait and sem_clockwait wait,
 * whatever becomes of the wall clock meanwhile. */
struct timespec time_mono_in(int64_t ms);

/* US and SECONDS, of any size, later; within what RFC 3339 can say, the years 0 to 9999. */
int64_t time_add_s(int64_t us, int64_t seconds);
/* SECONDS, of any size, in milliseconds; kept so far from what an int64_t holds that times can be added. */
int64_t time_ms_of(int64_t seconds);

/* Writes meta/v1 Time, MicroTime, and nanosecond RFC 3339 (CRI logs) of wall microseconds or
 * nanoseconds; returns BUF, which holds TIMEFMT_SIZE bytes at least. */
const char *time_format(int64_t us, char *buf);
const char *time_format_micro(int64_t us, char *buf);
const char *time_format_nano(int64_t ns, char *buf);
/* Any RFC 3339 time (offsets, fractions) to microseconds since 1970; false when it is none. */
bool time_parse(const char *s, int64_t *ret_us);
/* A duration as kubectl shows ages: 5s, 3m20s, 25m, 4h10m, 2d3h, 45d, 2y10d
 * (k8s.io/apimachinery duration.HumanDuration). Negative below -1 s: "<invalid>". */
const char *time_human_duration(int64_t seconds, char *buf, size_t size);
/* A Go duration ("1h2m3.5s", "300ms") to microseconds; false when it is none. */
bool time_parse_duration(const char *s, int64_t *ret_us);
/* True when NAME ("Europe/Paris") is a zone of the machine's time zone database; without one, any name of
 * their form is. */
bool time_zone_known(const char *name);
