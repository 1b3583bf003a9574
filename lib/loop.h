/* The event loop: one per program (and one in each apiserver thread that needs it). epoll, timers on
 * the monotonic clock, signals by signalfd, children and foreign processes by pidfd, tasks that run
 * before the loop sleeps, and one call that wakes it from another thread.
 *
 * All callbacks run on the loop's thread. Nothing in a callback may block. A callback may free its own
 * source and any other; events already fetched for a freed source are dropped.
 * A loop without work sleeps in epoll_wait without a timeout: idle means idle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

struct loop;

/* NULL with ERR_SYSTEM as epoll_create1(2). */
struct loop *loop_new(struct err *err);
void loop_free(struct loop *loop); /* NULL is fine; sources must be freed before */
/* Runs until loop_stop, which may come before it; a stopped loop can be run again. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn: runs what is posted, waits at most TIMEOUT_MS (-1: until something happens), handles what
 * is ready, and runs what that posted. */
void loop_turn(struct loop *loop, int timeout_ms);
/* time_mono_ms() as read when this turn began. */
int64_t loop_now_ms(const struct loop *loop);

/* File descriptors. EVENTS are EPOLLIN, EPOLLOUT...; errors and hang-ups are always reported. The fd
 * stays the caller's and must be closed after its source is freed. */
struct loop_io;
typedef void (*loop_io_fn)(struct loop_io *io, int fd, uint32_t events, void *arg);
struct loop_io *loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn fn, void *arg,
			    struct err *err);
void loop_io_set(struct loop_io *io, uint32_t events);
void loop_io_free(struct loop_io *io); /* NULL is fine */

/* Timers: embedded in the owner's struct; one shot; arming again moves it. loop_timer_init once,
 * loop_timer_disarm before the owner's memory goes. */
struct loop_timer {
	struct loop *loop;
	void (*fn)(struct loop_timer *timer, void *arg);
	void *arg;
	int64_t due_ms;    /* loop_now_ms() clock */
	size_t heap_index; /* SIZE_MAX: not armed */
};
void loop_timer_init(struct loop_timer *timer, struct loop *loop,
		     void (*fn)(struct loop_timer *timer, void *arg), void *arg);
void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_arm_at(struct loop_timer *timer, int64_t due_ms); /* in the past: at once */
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_armed(const struct loop_timer *timer);

/* Tasks: embedded; run once before the loop next sleeps, in the order posted; posting a posted task
 * does nothing. This is where batches are committed and replies leave. */
struct loop_task {
	struct loop_task *next;
	void (*fn)(struct loop_task *task, void *arg);
	void *arg;
	bool posted;
};
void loop_post(struct loop *loop, struct loop_task *task);
/* Takes a posted task back; needed before its memory goes. */
void loop_unpost(struct loop *loop, struct loop_task *task);

/* Signals: blocked for the process and read from a signalfd. */
int loop_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg, struct err *err);

/* A child: FN gets the wait status (waitpid's) once, the child is reaped and the source freed.
 * For processes that are not children use loop_pidfd_new: FN is told once that it ended, the source is
 * freed before. The pidfd stays the caller's, who closes it after that or after loop_pidfd_free. */
struct loop_child;
struct loop_child *loop_child_new(struct loop *loop, pid_t pid, void (*fn)(pid_t pid, int status, void *arg),
				  void *arg, struct err *err);
void loop_child_free(struct loop_child *child); /* forgets it; someone else must reap */
struct loop_pidfd;
struct loop_pidfd *loop_pidfd_new(struct loop *loop, int pidfd, void (*fn)(void *arg), void *arg,
				  struct err *err);
void loop_pidfd_free(struct loop_pidfd *p);

/* From any thread: the loop runs FN soon on its own thread; several calls before it does become one. */
struct loop_wake;
struct loop_wake *loop_wake_new(struct loop *loop, void (*fn)(void *arg), void *arg, struct err *err);
void loop_wake_send(struct loop_wake *wake); /* async-signal-safe, any thread */
void loop_wake_free(struct loop_wake *wake);
