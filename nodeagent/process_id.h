/* Processes that are not our children and may outlive us: a pid with the time it started names one for
 * good, a pid alone may be someone else's by now.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Start time of PID in clock ticks since boot (field 22 of /proc/PID/stat); 0 when there is none. */
uint64_t process_start_time(pid_t pid);
/* A pidfd of the process, or -1 (errno ESRCH) when it is gone. Close it. */
int process_open(pid_t pid, uint64_t start_time);
/* Sends SIGNO; 0, or -1 with errno (ESRCH: it is gone). */
int process_signal(pid_t pid, uint64_t start_time, int signo);
