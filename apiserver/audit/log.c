#include "apiserver/audit/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/timefmt.h"

#define MAX_BYTES   (100 * 1000 * 1000)
#define WAITING_MAX (32 * 1024 * 1024)
#define GATHER_MS   10
#define NAMES_MAX   1000 /* that are tried for a file put aside */

struct audit_log {
	char *path;
	struct audit_log_opts opts;
	int fd;
	int64_t size;     /* of the file; the writer's alone, as fd */
	int64_t aside_us; /* the time in the name of the last file put aside, by this writer */
	bool failing;     /* said so already */
	pthread_t thread;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t come;
	struct buf waiting;
	uint64_t n_waiting, written, lost;
	bool stopping;
};

static int open_file(struct audit_log *log, struct err *err)
{
	struct stat st;
	if (strcmp(log->path, "-") == 0) {
		log->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_set_errno(err, errno, "audit log %s", log->path);
	log->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	return 0;
}

/* --- rotation --- */

/* "/var/log/audit" and ".log" of "/var/log/audit.log". */
static const char *extension(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, *dot = strrchr(name, '.');
	return dot && dot > name ? dot : path + strlen(path);
}

/* "2026-11-21T06-44-49.123": when a file was put aside. Other files may have names that are like ours. */
static bool is_stamp(const char *text, size_t len)
{
	static const char shape[] = "0000-00-00T00-00-00.000";

	if (len != strlen(shape))
		return false;
	for (size_t i = 0; i < len; i++)
		if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	return true;
}

static void write_stamp(char stamp[static TIMEFMT_SIZE], int64_t us)
{
	time_format_micro(us, stamp);
	stamp[strlen("0000-00-00T00-00-00.000")] = '\0';
	for (char *colon = stamp; (colon = strchr(colon, ':'));)
		*colon = '-';
}

/* The files put aside, by name, which is by time. */
static size_t list_aside(const struct audit_log *log, struct dirent ***ret, char **ret_dir)
{
	const char *slash = strrchr(log->path, '/'), *name = slash ? slash + 1 : log->path;
	const char *ext = extension(log->path);
	size_t stem = (size_t)(ext - name), kept = 0;
	*ret_dir = slash ? mem_dupn(log->path, (size_t)(slash - log->path) + 1) : mem_dup("./");
	int n = scandir(*ret_dir, ret, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *entry = (*ret)[i]->d_name;
		size_t len = strlen(entry);
		if (len > stem + 1 + strlen(ext) && strncmp(entry, name, stem) == 0 && entry[stem] == '-' &&
		    is_stamp(entry + stem + 1, len - stem - 1 - strlen(ext)) &&
		    strcmp(entry + len - strlen(ext), ext) == 0)
			(*ret)[kept++] = (*ret)[i];
		else
			free((*ret)[i]);
	}
	return kept;
}

static void discard_old(const struct audit_log *log)
{
	CLEANUP(mem_freep) char *dir = NULL;
	struct dirent **files = NULL;
	size_t n = list_aside(log, &files, &dir);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s%s", dir, files[i]->d_name);
		struct stat st;
		bool too_many = log->opts.max_files && n - i > log->opts.max_files;
		bool too_old = log->opts.max_days && stat(path, &st) == 0 &&
			       st.st_mtime < time(NULL) - (time_t)log->opts.max_days * 24 * 3600;
		if (too_many || too_old)
			unlink(path);
		free(files[i]);
	}
	free(files);
}

/* Under the next name that is free and behind the last one: two files of a millisecond, or of a clock that
 * was set back, are both kept, in their order. */
static int put_aside(struct audit_log *log, struct err *err)
{
	const char *ext = extension(log->path);
	int64_t now_us = time_now_us(), from_us = log->aside_us + 1000;

	log->aside_us = now_us > from_us ? now_us : from_us;
	for (unsigned i = 0; i < NAMES_MAX; i++, log->aside_us += 1000) {
		char stamp[TIMEFMT_SIZE];
		write_stamp(stamp, log->aside_us);
		CLEANUP(mem_freep)
		char *aside = mem_printf("%.*s-%s%s", (int)(ext - log->path), log->path, stamp, ext);
		if (renameat2(AT_FDCWD, log->path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0)
			return 0;
		/* Not every file system knows how to leave one that is there. */
		if (errno == EINVAL && access(aside, F_OK) < 0 && rename(log->path, aside) == 0)
			return 0;
		if (errno != EEXIST && errno != EINVAL)
			break;
	}
	return err_set_errno(err, errno, "rename %s", log->path);
}

static void rotate(struct audit_log *log)
{
	struct err err = ERR_INIT;
	int old = log->fd;
	if (put_aside(log, &err) < 0 || open_file(log, &err) < 0) {
		log_warn("audit log not rotated", "error", err.msg, NULL);
		log->fd = old;
		log->size = 0; /* tried again after as much again */
		return;
	}
	close(old);
	discard_old(log);
}

/* --- writing --- */

static int write_all(struct audit_log *log, const struct buf *lines, struct err *err)
{
	for (size_t done = 0; done < lines->len;) {
		ssize_t n = write(log->fd, lines->data + done, lines->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set_errno(err, n < 0 ? errno : EIO, "audit log %s", log->path);
		done += (size_t)n;
		log->size += n;
	}
	return 0;
}

/* The file may grow past its limit by what had gathered. */
static bool write_lines(struct audit_log *log, const struct buf *lines)
{
	if (log->size > 0 && log->size + (int64_t)lines->len > log->opts.max_bytes &&
	    strcmp(log->path, "-") != 0)
		rotate(log);
	struct err err = ERR_INIT;
	bool good = write_all(log, lines, &err) == 0;
	if (!good && !log->failing)
		log_error("audit events are lost", "error", err.msg, NULL);
	log->failing = !good;
	return good;
}

/* A moment for more to come: a thread that is woken for each line costs more than the lines. */
static void gather(struct audit_log *log)
{
	struct timespec until = time_mono_in(GATHER_MS);
	int waited = 0;
	while (waited == 0 && !log->stopping && log->waiting.len < log->opts.waiting_max / 4)
		waited = pthread_cond_clockwait(&log->come, &log->lock, CLOCK_MONOTONIC, &until);
}

static void *writer(void *arg)
{
	struct audit_log *log = arg;
	struct buf lines = BUF_INIT;
	pthread_mutex_lock(&log->lock);
	for (;;) {
		while (!log->waiting.len && !log->stopping)
			pthread_cond_wait(&log->come, &log->lock);
		gather(log);
		if (!log->waiting.len)
			break;
		struct buf taken = log->waiting;
		log->waiting = lines;
		lines = taken;
		uint64_t n = log->n_waiting;
		log->n_waiting = 0;
		pthread_mutex_unlock(&log->lock);
		bool good = write_lines(log, &lines);
		buf_reset(&lines);
		pthread_mutex_lock(&log->lock);
		*(good ? &log->written : &log->lost) += n;
	}
	pthread_mutex_unlock(&log->lock);
	buf_close(&lines);
	return NULL;
}

void audit_log_add(struct audit_log *log, const char *line, size_t len)
{
	pthread_mutex_lock(&log->lock);
	size_t before = log->waiting.len, enough = log->opts.waiting_max / 4;
	if (log->waiting.len + len > log->opts.waiting_max) {
		log->lost++;
	} else {
		buf_add(&log->waiting, line, len);
		log->n_waiting++;
	}
	if (before == 0 || (before < enough && log->waiting.len >= enough))
		pthread_cond_signal(&log->come);
	pthread_mutex_unlock(&log->lock);
}

void audit_log_counts(struct audit_log *log, uint64_t *ret_written, uint64_t *ret_lost)
{
	pthread_mutex_lock(&log->lock);
	*ret_written = log->written;
	*ret_lost = log->lost;
	pthread_mutex_unlock(&log->lock);
}

int audit_log_new(const struct audit_log_opts *opts, struct audit_log **ret, struct err *err)
{
	struct audit_log *log = mem_zalloc(sizeof(*log));
	log->path = mem_dup(opts->path);
	log->opts = *opts;
	log->opts.max_bytes = opts->max_bytes ? opts->max_bytes : MAX_BYTES;
	log->opts.waiting_max = opts->waiting_max ? opts->waiting_max : WAITING_MAX;
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->come, NULL);
	int code = 0;
	if (open_file(log, err) == 0 && (code = pthread_create(&log->thread, NULL, writer, log)) == 0) {
		*ret = log;
		return 0;
	}
	if (code)
		err_set_errno(err, code, "audit log: a thread");
	mem_closep(&log->fd);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->come);
	free(log->path);
	free(log);
	return -1;
}

void audit_log_free(struct audit_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	pthread_cond_signal(&log->come);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
	mem_closep(&log->fd);
	buf_close(&log->waiting);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->come);
	free(log->path);
	free(log);
}
