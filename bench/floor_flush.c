/* The floor under the worst wait of a write: the disk's own. One thread writes and flushes as the apiserver's
 * core does its commits, another one as its checkpointer does the pages of the database, each time that the
 * log is full; there is neither SQLite nor anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/stats.h"
#include "lib/timefmt.h"

enum {
	COMMIT_BYTES = 48 * 1024, /* some 32 rows of 1 KiB */
	LOG_BYTES = 96 * COMMIT_BYTES,
	PAGE_BYTES = 4096,
	DATABASE_PAGES = 8192,
	PAGES_AT_ONCE = 1024,
};

struct checkpoint {
	int fd;
	atomic_bool asked, over;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static int open_filled(const char *folder, const char *name, size_t len)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	char block[PAGE_BYTES] = { 0 };
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		bench_die("%s: %s", path, strerror(errno));
	unlink(path);
	for (size_t at = 0; at < len; at += sizeof(block))
		if (pwrite(fd, block, sizeof(block), (off_t)at) != (ssize_t)sizeof(block))
			bench_die("%s: %s", path, strerror(errno));
	if (fsync(fd) < 0)
		bench_die("%s: %s", path, strerror(errno));
	return fd;
}

static void flush_pages(int fd)
{
	char page[PAGE_BYTES];

	memset(page, 'p', sizeof(page));
	for (int i = 0; i < PAGES_AT_ONCE; i++)
		if (pwrite(fd, page, sizeof(page), random() % DATABASE_PAGES * PAGE_BYTES) != PAGE_BYTES)
			bench_die("the database's pages: %s", strerror(errno));
	if (fsync(fd) < 0)
		bench_die("the database's pages: %s", strerror(errno));
}

static void *run_checkpoints(void *arg)
{
	struct checkpoint *checkpoint = arg;

	pthread_mutex_lock(&checkpoint->lock);
	while (!checkpoint->over) {
		if (!checkpoint->asked) {
			pthread_cond_wait(&checkpoint->changed, &checkpoint->lock);
			continue;
		}
		checkpoint->asked = false;
		pthread_mutex_unlock(&checkpoint->lock);
		flush_pages(checkpoint->fd);
		pthread_mutex_lock(&checkpoint->lock);
	}
	pthread_mutex_unlock(&checkpoint->lock);
	return NULL;
}

static void tell(struct checkpoint *checkpoint, atomic_bool *what)
{
	pthread_mutex_lock(&checkpoint->lock);
	*what = true;
	pthread_cond_signal(&checkpoint->changed);
	pthread_mutex_unlock(&checkpoint->lock);
}

int bench_floor_flush(int argc, char **argv)
{
	CLEANUP(stats_close) struct stats waited_ms = { 0 };
	int64_t end_us = time_mono_us() + (int64_t)bench_count(argv[1]) * 1000000;
	struct checkpoint checkpoint = { .fd = open_filled(argv[0], "database", DATABASE_PAGES * PAGE_BYTES),
					 .lock = PTHREAD_MUTEX_INITIALIZER,
					 .changed = PTHREAD_COND_INITIALIZER };
	int log = open_filled(argv[0], "log", LOG_BYTES);
	char commit[COMMIT_BYTES];
	pthread_t thread;

	(void)argc;
	memset(commit, 'c', sizeof(commit));
	if (pthread_create(&thread, NULL, run_checkpoints, &checkpoint))
		bench_die("a thread cannot be started");
	for (off_t at = 0; time_mono_us() < end_us; at = (at + COMMIT_BYTES) % LOG_BYTES) {
		int64_t began_us = time_mono_us();
		if (pwrite(log, commit, sizeof(commit), at) != (ssize_t)sizeof(commit) || fdatasync(log) < 0)
			bench_die("the log: %s", strerror(errno));
		stats_add(&waited_ms, (double)(time_mono_us() - began_us) / 1000);
		if (at == 0)
			tell(&checkpoint, &checkpoint.asked);
	}
	tell(&checkpoint, &checkpoint.over);
	pthread_join(thread, NULL);
	bench_figure("flush-p99-ms", stats_rank(&waited_ms, 0.99));
	bench_figure("flush-worst-ms", stats_rank(&waited_ms, 1));
	close(log);
	close(checkpoint.fd);
	return 0;
}
