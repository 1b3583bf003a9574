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

struct audit_log {
	char *path;
	struct audit_log_opts opts;
	int fd;
	int64_t size; /* of the file; the writer's alone, as fd */
	bool failing; /* said so already */
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

static void rotate(struct audit_log *log)
{
	const char *ext = extension(log->path);
	struct timespec now;
	struct tm utc;
	char stamp[64];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H-%M-%S", &utc);
	CLEANUP(mem_freep)
	char *aside = mem_printf("%.*s-%s.%03ld%s", (int)(ext - log->path), log->path, stamp,
				 now.tv_nsec / 1000000, ext);
	struct err err = ERR_INIT;
	int old = log->fd, result = 0;
	if (rename(log->path, aside) < 0)
		result = err_set_errno(&err, errno, "rename %s", log->path);
	if (result < 0 || open_file(log, &err) < 0) {
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
