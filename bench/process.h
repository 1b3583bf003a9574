/* What the kernel says about processes. A process that is gone counts as nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Processor time used so far, in seconds, of all its threads, also of those that ended. */
double process_cpu_s(pid_t pid);
/* Of this one and the children that it waited for. */
double process_own_cpu_s(void);
/* Proportional set size in KiB. */
double process_pss_kib(pid_t pid);
/* How often its threads went to sleep so far: each time something woke them. */
uint64_t process_wakeups(pid_t pid);
/* As many file descriptors as the machine grants; ends the program when N connections are too many for that.
 */
void process_raise_file_limit(size_t n);
