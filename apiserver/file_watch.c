#include "apiserver/file_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/mem.h"

#define SETTLE_MS 200

static void on_settled(struct loop_timer *timer, void *arg)
{
	struct file_watch *watch = arg;
	(void)timer;
	watch->changed(watch->arg);
}

static void on_event(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct file_watch *watch = arg;
	char text[4096];
	(void)io;
	(void)events;
	while (read(fd, text, sizeof(text)) > 0) {
	}
	loop_timer_arm(&watch->settle, SETTLE_MS);
}

int file_watch_open(struct file_watch *watch, struct loop *loop, void (*changed)(void *arg), void *arg,
		    struct err *err)
{
	*watch = (struct file_watch){ .changed = changed, .arg = arg };
	loop_timer_init(&watch->settle, loop, on_settled, watch);
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return err_set_errno(err, errno, "inotify");
	watch->io = loop_io_new(loop, watch->fd, EPOLLIN, on_event, watch, err);
	return watch->io ? 0 : -1;
}

int file_watch_add(struct file_watch *watch, const char *path, struct err *err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	if (!path)
		return 0;
	CLEANUP(mem_freep)
	char *folder = slash ? mem_dupn(path, slash > path ? (size_t)(slash - path) : 1) : mem_dup(".");
	if (inotify_add_watch(watch->fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0)
		return err_set_errno(err, errno, "watch %s", folder);
	return 0;
}

void file_watch_close(struct file_watch *watch)
{
	if (!watch->settle.loop)
		return;
	loop_timer_disarm(&watch->settle);
	loop_io_free(watch->io);
	mem_closep(&watch->fd);
	*watch = (struct file_watch){ 0 };
}
