/* What `make bench` measures, a subcommand of knarr-bench each. They are clients of a running cluster and
 * print what they found as lines "NAME VALUE"; bench/groups/ says which row of the table a name belongs to. A
 * figure with an error in it is none: whatever goes wrong is told and ends the program.
 */
#pragma once

#include "lib/buf.h"

/* Each gets the arguments after its name, as many as main.c's table asks for at least; 0 or an exit code. */
int bench_api_ready(int argc, char **argv);
int bench_bind(int argc, char **argv);
int bench_churn(int argc, char **argv);
int bench_deploy(int argc, char **argv);
int bench_exec(int argc, char **argv);
int bench_fake_nodes(int argc, char **argv);
int bench_fill(int argc, char **argv);
int bench_floor_fanout(int argc, char **argv);
int bench_floor_flush(int argc, char **argv);
int bench_floor_http(int argc, char **argv);
int bench_floor_sqlite(int argc, char **argv);
int bench_pods(int argc, char **argv);
int bench_reschedule(int argc, char **argv);
int bench_restart(int argc, char **argv);
int bench_roll(int argc, char **argv);
int bench_run(int argc, char **argv);
int bench_update(int argc, char **argv);
int bench_usage(int argc, char **argv);
int bench_watch(int argc, char **argv);

/* Prints one figure. */
void bench_figure(const char *name, double value);
/* Tells what is wrong and ends the program with 1. */
_Noreturn void bench_die(const char *format, ...) PRINTF_LIKE(1, 2);
/* A count among the arguments; ends the program when it is none, or 0. */
size_t bench_count(const char *text);
