#include "nodeagent/shim/cri_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_MAX 48 /* time, stream, tag, newline */

static struct {
	int fd;
	uint64_t size, max_bytes;
	unsigned max_files;
	time_t second;  /* of stamp */
	char stamp[24]; /* "2026-11-21T06:44:49." */
	size_t len;
	char out[2 * CRI_LOG_PIECE + 2 * HEADER_MAX];
} cri;

static int open_log(void)
{
	cri.fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (cri.fd < 0)
		return -1;
	struct stat st;
	cri.size = fstat(cri.fd, &st) ? 0 : (uint64_t)st.st_size;
	return 0;
}

int cri_log_open(uint64_t max_bytes, unsigned max_files)
{
	cri.max_bytes = max_bytes;
	cri.max_files = max_files;
	return open_log();
}

/* A reader keeps the file it has open; when the new one cannot be made, the old one goes on growing. */
static void rotate(void)
{
	char from[32], to[32];
	for (unsigned i = cri.max_files; i-- > 1;) {
		snprintf(to, sizeof(to), "log.%u", i);
		snprintf(from, sizeof(from), i == 1 ? "log" : "log.%u", i - 1);
		(void)rename(from, to); /* the oldest are not there yet */
	}
	if (cri.max_files == 1)
		unlink("log");
	int old = cri.fd;
	if (open_log()) {
		cri.fd = old;
		cri.size = 0;
		return;
	}
	close(old);
}

void cri_log_flush(void)
{
	if (!cri.len)
		return;
	if (cri.size && cri.size + cri.len > cri.max_bytes)
		rotate();
	size_t done = 0;
	while (done < cri.len) {
		ssize_t n = write(cri.fd, cri.out + done, cri.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		/* A full disk costs log lines, never the container: waiting here would stop it. */
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	cri.size += done;
	cri.len = 0;
}

static void digits(char *p, unsigned long value, int n)
{
	for (; n-- > 0; value /= 10)
		p[n] = (char)('0' + value % 10);
}

/* The date of day DAYS since 1970 in the Gregorian calendar; years begin in March here, so that the leap day
 * is a year's last. (libc's gmtime_r would read the time zone's files, and its pages stay with us.) */
static void add_date(char *p, long days)
{
	days += 719468; /* since 1 March of the year 0 */
	long era = days / 146097, day = days % 146097;
	long year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	long month = (5 * day + 2) / 153;
	digits(p, (unsigned long)(era * 400 + year + (month >= 10)), 4);
	digits(p + 5, (unsigned long)(month < 10 ? month + 3 : month - 9), 2);
	digits(p + 8, (unsigned long)(day - (153 * month + 2) / 5 + 1), 2);
}

/* Appends the record's time; the part down to the second is kept, since lines come in bursts. */
static void add_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != cri.second || !cri.stamp[0]) {
		unsigned long second = (unsigned long)now.tv_sec % 86400;
		memcpy(cri.stamp, "0000-00-00T00:00:00.", 21);
		add_date(cri.stamp, now.tv_sec / 86400);
		digits(cri.stamp + 11, second / 3600, 2);
		digits(cri.stamp + 14, second / 60 % 60, 2);
		digits(cri.stamp + 17, second % 60, 2);
		cri.second = now.tv_sec;
	}
	memcpy(cri.out + cri.len, cri.stamp, 20);
	digits(cri.out + cri.len + 20, (unsigned long)now.tv_nsec, 9);
	cri.len += 29;
}

static void add(const char *data, size_t len)
{
	memcpy(cri.out + cri.len, data, len);
	cri.len += len;
}

static void record(const struct cri_stream *stream, bool full, const char *data, size_t len)
{
	if (cri.len + len + HEADER_MAX > sizeof(cri.out))
		cri_log_flush();
	add_time();
	add("Z ", 2);
	add(stream->name, strlen(stream->name));
	add(full ? " F " : " P ", 3);
	add(data, len);
	add("\n", 1);
}

char *cri_log_space(struct cri_stream *stream, size_t *ret_size)
{
	*ret_size = sizeof(stream->line) - stream->len;
	return stream->line + stream->len;
}

void cri_log_added(struct cri_stream *stream, size_t len)
{
	char *begin = stream->line, *end = stream->line + stream->len + len;
	char *from = stream->line + stream->len; /* before it there is no newline */
	for (char *newline; (newline = memchr(from, '\n', (size_t)(end - from))); from = begin = newline + 1)
		record(stream, true, begin, (size_t)(newline - begin));
	stream->len = (size_t)(end - begin);
	if (stream->len == sizeof(stream->line)) {
		record(stream, false, begin, stream->len);
		stream->len = 0;
	}
	memmove(stream->line, begin, stream->len);
}

void cri_log_end(struct cri_stream *stream)
{
	if (stream->len)
		record(stream, false, stream->line, stream->len);
	stream->len = 0;
}
