#include "lib/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/mem.h"

/* What the loop's side and the thread share; the last of the two frees it. */
struct look_up {
	_Atomic unsigned owners;
	char *host;
	char port[8];
	int ended_fd; /* an eventfd that the thread writes to at its end */
	int code;     /* from here on: written by the thread before */
	int errnum;
	struct addrinfo *addresses;
};

struct resolve {
	struct look_up *look_up;
	struct loop_io *io;
	void (*done)(struct addrinfo *addresses, const struct err *err, void *arg);
	void *arg;
};

static int addresses_of(const char *host, const char *port, int flags, struct addrinfo **ret)
{
	struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV,
				  .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM };

	*ret = NULL;
	return getaddrinfo(host, port, &hints, ret);
}

struct addrinfo *resolve_digits(const char *host, uint16_t port)
{
	struct addrinfo *addresses;
	char digits[8];

	snprintf(digits, sizeof(digits), "%u", port);
	return addresses_of(host, digits, AI_NUMERICHOST, &addresses) == 0 ? addresses : NULL;
}

static void look_up_put(struct look_up *look_up)
{
	if (atomic_fetch_sub(&look_up->owners, 1) > 1)
		return;
	if (look_up->addresses)
		freeaddrinfo(look_up->addresses);
	mem_closep(&look_up->ended_fd);
	free(look_up->host);
	free(look_up);
}

static void *run(void *arg)
{
	struct look_up *look_up = arg;
	uint64_t one = 1;

	look_up->code = addresses_of(look_up->host, look_up->port, AI_ADDRCONFIG, &look_up->addresses);
	look_up->errnum = look_up->code == EAI_SYSTEM ? errno : 0;
	ssize_t n = write(look_up->ended_fd, &one, sizeof(one)); /* cannot fail: nobody else writes */
	(void)n;
	look_up_put(look_up);
	return NULL;
}

static void on_ended(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct resolve *resolve = arg;
	struct look_up *look_up = resolve->look_up;
	struct addrinfo *addresses = NULL;
	struct err err = ERR_INIT;

	(void)io;
	(void)fd;
	(void)events;
	if (look_up->code == EAI_SYSTEM)
		err_set_errno(&err, look_up->errnum, "lookup %s", look_up->host);
	else if (look_up->code != 0)
		err_set(&err, ERR_CONNECTION, "lookup %s: %s", look_up->host, gai_strerror(look_up->code));
	else
		addresses = TAKE(look_up->addresses);
	void (*done)(struct addrinfo *, const struct err *, void *) = resolve->done;
	void *done_arg = resolve->arg;
	resolve_cancel(resolve);
	done(addresses, &err, done_arg);
}

/* The thread blocks all signals: they are the loop's. */
static int start(struct look_up *look_up)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int errnum = pthread_create(&thread, &attr, run, look_up);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return errnum;
}

struct resolve *resolve_begin(struct loop *loop, const char *host, uint16_t port,
			      void (*done)(struct addrinfo *addresses, const struct err *err, void *arg),
			      void *arg, struct err *err)
{
	struct look_up *look_up = mem_zalloc(sizeof(*look_up));
	struct resolve *resolve = mem_zalloc(sizeof(*resolve));

	look_up->owners = 1;
	look_up->host = mem_dup(host);
	snprintf(look_up->port, sizeof(look_up->port), "%u", port);
	look_up->ended_fd = eventfd(0, EFD_CLOEXEC);
	resolve->look_up = look_up;
	resolve->done = done;
	resolve->arg = arg;
	if (look_up->ended_fd < 0) {
		err_set_errno(err, errno, "create eventfd");
		goto fail;
	}
	resolve->io = loop_io_new(loop, look_up->ended_fd, EPOLLIN, on_ended, resolve, err);
	if (!resolve->io)
		goto fail;
	look_up->owners = 2;
	int errnum = start(look_up);
	if (errnum) {
		look_up->owners = 1;
		err_set_errno(err, errnum, "start a thread to look up %s", host);
		goto fail;
	}
	return resolve;
fail:
	resolve_cancel(resolve);
	return NULL;
}

void resolve_cancel(struct resolve *resolve)
{
	if (!resolve)
		return;
	loop_io_free(resolve->io);
	look_up_put(resolve->look_up);
	free(resolve);
}
