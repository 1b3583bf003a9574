#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

#define EVENTS_PER_TURN 128

struct signal_handler {
	int signo;
	void (*fn)(int signo, void *arg);
	void *arg;
	struct signal_handler *next;
};

struct loop {
	int epoll_fd;
	bool stopped;
	bool dispatching;     /* a batch of events is being handed out */
	struct loop_io *dead; /* freed during it, still named by its later events */
	int64_t now_ms;
	struct loop_timer **timers; /* binary heap by due_ms */
	size_t n_timers, timers_cap;
	struct loop_task *first_task, *last_task;
	size_t n_tasks;
	int signal_fd;
	sigset_t signals;
	struct loop_io *signal_io;
	struct signal_handler *handlers;
};

struct loop_io {
	struct loop *loop;
	int fd;
	uint32_t events;
	loop_io_fn fn; /* NULL: freed */
	void *arg;
	struct loop_io *next_dead;
};

struct loop *loop_new(struct err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *loop;

	if (fd < 0) {
		err_set_errno(err, errno, "create event loop");
		return NULL;
	}
	loop = mem_zalloc(sizeof(*loop));
	loop->epoll_fd = fd;
	loop->signal_fd = -1;
	loop->now_ms = time_mono_ms();
	sigemptyset(&loop->signals);
	return loop;
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_io *io = loop->dead;

		loop->dead = io->next_dead;
		free(io);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop_io_free(loop->signal_io);
	mem_closep(&loop->signal_fd);
	while (loop->handlers) {
		struct signal_handler *handler = loop->handlers;

		loop->handlers = handler->next;
		free(handler);
	}
	bury(loop);
	close(loop->epoll_fd);
	free(loop->timers);
	free(loop);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

/* --- file descriptors --- */

struct loop_io *loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn fn, void *arg,
			    struct err *err)
{
	struct loop_io *io = mem_zalloc(sizeof(*io));
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		err_set_errno(err, errno, "watch descriptor %d", fd);
		free(io);
		return NULL;
	}
	*io = (struct loop_io){ .loop = loop, .fd = fd, .events = events, .fn = fn, .arg = arg };
	return io;
}

void loop_io_set(struct loop_io *io, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = io };

	if (io->events == events)
		return;
	io->events = events;
	epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event);
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	if (!io->loop->dispatching) {
		free(io);
		return;
	}
	/* A later event of this batch may still point here: it must find that nobody listens. */
	io->fn = NULL;
	io->next_dead = io->loop->dead;
	io->loop->dead = io;
}

/* --- timers --- */

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
		     void (*fn)(struct loop_timer *timer, void *arg), void *arg)
{
	*timer = (struct loop_timer){ .loop = loop, .fn = fn, .arg = arg, .heap_index = SIZE_MAX };
}

static void heap_place(struct loop *loop, size_t i, struct loop_timer *timer)
{
	loop->timers[i] = timer;
	timer->heap_index = i;
}

/* Moves the timer at I to where it belongs, up or down. */
static void heap_fix(struct loop *loop, size_t i)
{
	struct loop_timer *timer = loop->timers[i];

	for (size_t parent; i > 0 && loop->timers[parent = (i - 1) / 2]->due_ms > timer->due_ms; i = parent)
		heap_place(loop, i, loop->timers[parent]);
	for (size_t child; (child = 2 * i + 1) < loop->n_timers; i = child) {
		if (child + 1 < loop->n_timers &&
		    loop->timers[child + 1]->due_ms < loop->timers[child]->due_ms)
			child++;
		if (loop->timers[child]->due_ms >= timer->due_ms)
			break;
		heap_place(loop, i, loop->timers[child]);
	}
	heap_place(loop, i, timer);
}

void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms)
{
	int64_t due_ms;

	/* The clock is read anew: a turn may have lasted, and before the first one there is none. */
	if (__builtin_add_overflow(time_mono_ms(), delay_ms > 0 ? delay_ms : 0, &due_ms))
		due_ms = INT64_MAX;
	loop_timer_arm_at(timer, due_ms);
}

void loop_timer_arm_at(struct loop_timer *timer, int64_t due_ms)
{
	struct loop *loop = timer->loop;

	timer->due_ms = due_ms;
	if (timer->heap_index == SIZE_MAX) {
		if (loop->n_timers == loop->timers_cap) {
			loop->timers_cap = loop->timers_cap ? loop->timers_cap * 2 : 16;
			loop->timers =
			    mem_realloc_array(loop->timers, loop->timers_cap, sizeof(*loop->timers));
		}
		heap_place(loop, loop->n_timers++, timer);
	}
	heap_fix(loop, timer->heap_index);
}

void loop_timer_disarm(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	size_t i = timer->heap_index;

	if (!loop_timer_armed(timer))
		return;
	timer->heap_index = SIZE_MAX;
	loop->n_timers--;
	if (i < loop->n_timers) {
		heap_place(loop, i, loop->timers[loop->n_timers]);
		heap_fix(loop, i);
	}
}

bool loop_timer_armed(const struct loop_timer *timer)
{
	/* A timer never initialised (all zero) has no loop. */
	return timer->loop && timer->heap_index != SIZE_MAX;
}

static void run_timers(struct loop *loop)
{
	/* As many as there are now: one that arms itself anew with no delay waits for the next turn. */
	for (size_t budget = loop->n_timers; budget > 0 && loop->n_timers > 0; budget--) {
		struct loop_timer *timer = loop->timers[0];

		if (timer->due_ms > loop->now_ms)
			break;
		loop_timer_disarm(timer);
		timer->fn(timer, timer->arg);
	}
}

/* --- tasks --- */

void loop_post(struct loop *loop, struct loop_task *task)
{
	if (task->posted)
		return;
	task->posted = true;
	task->next = NULL;
	if (loop->last_task)
		loop->last_task->next = task;
	else
		loop->first_task = task;
	loop->last_task = task;
	loop->n_tasks++;
}

void loop_unpost(struct loop *loop, struct loop_task *task)
{
	struct loop_task *previous = NULL;

	if (!task->posted)
		return;
	for (struct loop_task *t = loop->first_task; t != task; t = t->next)
		previous = t;
	if (previous)
		previous->next = task->next;
	else
		loop->first_task = task->next;
	if (loop->last_task == task)
		loop->last_task = previous;
	task->posted = false;
	loop->n_tasks--;
}

static void run_tasks(struct loop *loop)
{
	/* As many as there are now: one that posts itself again does not starve the descriptors. */
	for (size_t budget = loop->n_tasks; budget > 0 && loop->first_task; budget--) {
		struct loop_task *task = loop->first_task;

		loop_unpost(loop, task);
		task->fn(task, task->arg);
	}
}

/* --- running --- */

static int wait_ms(struct loop *loop, int timeout_ms)
{
	int64_t until;

	if (loop->stopped || loop->first_task)
		return 0;
	if (loop->n_timers == 0)
		return timeout_ms;
	until = loop->timers[0]->due_ms - time_mono_ms();
	if (until < 0)
		until = 0;
	if (until > INT_MAX)
		until = INT_MAX;
	return timeout_ms >= 0 && timeout_ms < until ? timeout_ms : (int)until;
}

void loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n;

	run_tasks(loop);
	n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop, timeout_ms));
	loop->now_ms = time_mono_ms();
	loop->dispatching = true;
	for (int i = 0; i < n; i++) {
		struct loop_io *io = events[i].data.ptr;

		if (io->fn)
			io->fn(io, io->fd, events[i].events, io->arg);
	}
	loop->dispatching = false;
	bury(loop);
	run_timers(loop);
	/* What this turn's callbacks posted leaves with it, also when one of them stopped the loop. */
	run_tasks(loop);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, -1);
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

/* --- signals --- */

static void on_signal(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)io;
	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		for (struct signal_handler *h = loop->handlers; h; h = h->next)
			if (h->signo == (int)info.ssi_signo)
				h->fn(h->signo, h->arg);
}

int loop_signal(struct loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg, struct err *err)
{
	struct signal_handler *handler;
	int fd;

	sigaddset(&loop->signals, signo);
	pthread_sigmask(SIG_BLOCK, &loop->signals, NULL);
	fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set_errno(err, errno, "watch signal %d", signo);
	loop->signal_fd = fd;
	if (!loop->signal_io && !(loop->signal_io = loop_io_new(loop, fd, EPOLLIN, on_signal, loop, err)))
		return -1;
	handler = mem_alloc(sizeof(*handler));
	*handler = (struct signal_handler){ .signo = signo, .fn = fn, .arg = arg, .next = loop->handlers };
	loop->handlers = handler;
	return 0;
}

/* --- processes --- */

struct loop_pidfd {
	struct loop_io *io;
	void (*fn)(void *arg);
	void *arg;
};

static void on_pidfd(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct loop_pidfd process = *(struct loop_pidfd *)arg;

	(void)io;
	(void)fd;
	(void)events;
	loop_pidfd_free(arg);
	process.fn(process.arg);
}

struct loop_pidfd *loop_pidfd_new(struct loop *loop, int pidfd, void (*fn)(void *arg), void *arg,
				  struct err *err)
{
	struct loop_pidfd *p = mem_alloc(sizeof(*p));

	*p = (struct loop_pidfd){ .fn = fn, .arg = arg };
	p->io = loop_io_new(loop, pidfd, EPOLLIN, on_pidfd, p, err);
	if (!p->io)
		free(TAKE(p));
	return p;
}

void loop_pidfd_free(struct loop_pidfd *p)
{
	if (!p)
		return;
	loop_io_free(p->io);
	free(p);
}

struct loop_child {
	pid_t pid;
	int fd;
	struct loop_pidfd *watch;
	void (*fn)(pid_t pid, int status, void *arg);
	void *arg;
};

static void on_child(void *arg)
{
	struct loop_child child = *(struct loop_child *)arg;
	int status = 0;

	((struct loop_child *)arg)->watch = NULL; /* freed before it calls */
	loop_child_free(arg);
	/* By pid is safe: a child keeps its pid until this wait. */
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		;
	child.fn(child.pid, status, child.arg);
}

struct loop_child *loop_child_new(struct loop *loop, pid_t pid, void (*fn)(pid_t pid, int status, void *arg),
				  void *arg, struct err *err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct loop_child *child;

	if (fd < 0) {
		err_set_errno(err, errno, "watch process %d", (int)pid);
		return NULL;
	}
	child = mem_alloc(sizeof(*child));
	*child = (struct loop_child){ .pid = pid, .fd = fd, .fn = fn, .arg = arg };
	child->watch = loop_pidfd_new(loop, fd, on_child, child, err);
	if (!child->watch) {
		loop_child_free(child);
		return NULL;
	}
	return child;
}

void loop_child_free(struct loop_child *child)
{
	if (!child)
		return;
	loop_pidfd_free(child->watch);
	close(child->fd);
	free(child);
}

/* --- waking from other threads --- */

struct loop_wake {
	struct loop_io *io;
	int fd;
	atomic_bool sent; /* and not yet handled: spares the system call of further sends */
	void (*fn)(void *arg);
	void *arg;
};

static void on_wake(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct loop_wake *wake = arg;

	(void)io;
	(void)fd;
	(void)events;
	/* Before FN looks at what it was woken for: a send during FN is a new one. */
	atomic_store(&wake->sent, false);
	wake->fn(wake->arg);
}

struct loop_wake *loop_wake_new(struct loop *loop, void (*fn)(void *arg), void *arg, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct loop_wake *wake;

	if (fd < 0) {
		err_set_errno(err, errno, "create eventfd");
		return NULL;
	}
	wake = mem_zalloc(sizeof(*wake));
	wake->fd = fd;
	wake->fn = fn;
	wake->arg = arg;
	/* Edge-triggered: each write is an event of its own, and reading the counter is spared. */
	wake->io = loop_io_new(loop, fd, EPOLLIN | EPOLLET, on_wake, wake, err);
	if (!wake->io) {
		loop_wake_free(wake);
		return NULL;
	}
	return wake;
}

void loop_wake_send(struct loop_wake *wake)
{
	uint64_t one = 1;
	int errnum = errno;

	if (!atomic_exchange(&wake->sent, true)) {
		ssize_t n = write(wake->fd, &one, sizeof(one));
		(void)n;
	}
	errno = errnum;
}

void loop_wake_free(struct loop_wake *wake)
{
	if (!wake)
		return;
	loop_io_free(wake->io);
	close(wake->fd);
	free(wake);
}
