#include "nodeagent/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/timefmt.h"

#define CHUNK          16384
#define LINE_MAX_BYTES (256 * 1024) /* the shim's lines are far shorter: longer ones are damage */
#define FILES_MAX      64

struct log_reader {
	char *path;
	struct log_reader_opts opts;
	int fd;         /* -1: none open */
	unsigned index; /* of the open file: N of log.N, 0 for log */
	struct buf raw; /* read, not yet whole lines */
	struct buf out; /* ready for the caller */
	bool within;    /* the last record was a part: its line goes on */
	bool ended;
};

static char *file_name(const char *path, unsigned index)
{
	return index ? mem_printf("%s.%u", path, index) : mem_dup(path);
}

static int open_file(const char *path, unsigned index)
{
	CLEANUP(mem_freep) char *name = file_name(path, index);

	return open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* The highest N for which all of log.1 ... log.N are there. */
static unsigned oldest_file(const char *path)
{
	unsigned n = 0;

	while (n < FILES_MAX) {
		CLEANUP(mem_freep) char *name = file_name(path, n + 1);
		if (access(name, F_OK) < 0)
			break;
		n++;
	}
	return n;
}

/* Goes back in FD until *LEFT line ends are passed; gives the offset after the last of them, or -1 when the
 * file has fewer (*left is what is still wanted then). The last byte's line end ends the last line and is not
 * one to pass. */
static off_t find_tail(int fd, int64_t *left)
{
	char chunk[CHUNK];
	off_t end = lseek(fd, 0, SEEK_END), at = end;

	while (at > 0) {
		off_t start = at > CHUNK ? at - CHUNK : 0;
		ssize_t n = pread(fd, chunk, (size_t)(at - start), start);
		if (n <= 0)
			return 0;
		for (ssize_t i = n - 1; i >= 0; i--) {
			if (chunk[i] != '\n' || start + i == end - 1)
				continue;
			if (--*left == 0)
				return start + i + 1;
		}
		at = start;
	}
	/* The first line has no line end before it. */
	if (end > 0)
		--*left;
	return *left <= 0 ? 0 : -1;
}

/* Opens the file, at the offset, where the last tail_lines lines begin. */
static void seek_tail(struct log_reader *r)
{
	int64_t left = r->opts.tail_lines;
	unsigned oldest = oldest_file(r->path);

	for (unsigned i = 0; i <= oldest; i++) {
		int fd = open_file(r->path, i);
		if (fd < 0)
			continue;
		off_t at = left > 0 ? find_tail(fd, &left) : lseek(fd, 0, SEEK_END);
		if (at >= 0 || i == oldest) {
			lseek(fd, at >= 0 ? at : 0, SEEK_SET);
			r->fd = fd;
			r->index = i;
			return;
		}
		close(fd);
	}
}

struct log_reader *log_reader_new(const char *path, const struct log_reader_opts *opts, struct err *err)
{
	struct log_reader *r = mem_zalloc(sizeof(*r));

	r->path = mem_dup(path);
	r->opts = *opts;
	r->fd = -1;
	if (opts->tail_lines >= 0) {
		seek_tail(r);
		return r;
	}
	r->index = oldest_file(path);
	r->fd = open_file(path, r->index);
	if (r->fd < 0 && errno != ENOENT) {
		err_set_errno(err, errno, "%s", path);
		log_reader_free(r);
		return NULL;
	}
	return r;
}

void log_reader_free(struct log_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	buf_close(&r->raw);
	buf_close(&r->out);
	free(r->path);
	free(r);
}

/* One record without its line end: TIME SP STREAM SP TAGS SP TEXT. Lines of another shape are shown as they
 * are. */
static void take_record(struct log_reader *r, const char *line, size_t len)
{
	const char *end = line + len, *stream = memchr(line, ' ', len), *tags, *text;
	char stamp[40];
	int64_t at_us;

	tags = stream ? memchr(stream + 1, ' ', (size_t)(end - stream - 1)) : NULL;
	if (!tags) {
		buf_add(&r->out, line, len);
		buf_char(&r->out, '\n');
		return;
	}
	text = memchr(tags + 1, ' ', (size_t)(end - tags - 1));
	size_t stamp_len = (size_t)(stream - line);
	if (r->opts.since_us > 0 && stamp_len < sizeof(stamp)) {
		memcpy(stamp, line, stamp_len);
		stamp[stamp_len] = '\0';
		if (time_parse(stamp, &at_us) && at_us < r->opts.since_us)
			return;
	}
	if (r->opts.timestamps && !r->within) {
		buf_add(&r->out, line, stamp_len);
		buf_char(&r->out, ' ');
	}
	if (text)
		buf_add(&r->out, text + 1, (size_t)(end - text - 1));
	r->within = tags[1] == 'P';
	if (!r->within)
		buf_char(&r->out, '\n');
}

static void take_records(struct log_reader *r)
{
	size_t done = 0;

	for (char *nl; done < r->raw.len && (nl = memchr(r->raw.data + done, '\n', r->raw.len - done));) {
		take_record(r, r->raw.data + done, (size_t)(nl - r->raw.data) - done);
		done = (size_t)(nl - r->raw.data) + 1;
	}
	buf_consume(&r->raw, done);
	if (r->raw.len > LINE_MAX_BYTES)
		buf_reset(&r->raw);
}

/* The open file is the one that PATH names now. */
static bool is_newest(const struct log_reader *r)
{
	struct stat own, now;

	return fstat(r->fd, &own) == 0 && stat(r->path, &now) == 0 && own.st_dev == now.st_dev &&
	       own.st_ino == now.st_ino;
}

/* The open file is read and grows no more: on with the one after it. While we read, files may have moved one
 * up: the one after ours is found by looking for ours. */
static bool next_file(struct log_reader *r)
{
	struct stat own, other;
	unsigned oldest = oldest_file(r->path);

	if (r->fd < 0) {
		r->fd = open_file(r->path, 0);
		return r->fd >= 0;
	}
	if (fstat(r->fd, &own) < 0)
		return false;
	unsigned next = 0;
	for (unsigned i = 1; i <= oldest; i++) {
		CLEANUP(mem_freep) char *name = file_name(r->path, i);
		if (stat(name, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino)
			next = i - 1;
	}
	int fd = open_file(r->path, next);
	if (fd < 0)
		return false;
	close(r->fd);
	r->fd = fd;
	r->index = next;
	/* A record that a full disk cut short does not swallow the next file's first. */
	if (r->raw.len)
		take_record(r, r->raw.data, r->raw.len);
	buf_reset(&r->raw);
	return true;
}

static bool container_has_ended(const struct log_reader *r)
{
	const char *slash = strrchr(r->path, '/');
	CLEANUP(mem_freep)
	char *exit_file =
	    mem_printf("%.*s/exit.json", slash ? (int)(slash - r->path) : 1, slash ? r->path : ".");

	return access(exit_file, F_OK) == 0;
}

/* Reads on; false when there is nothing more at this moment. */
static bool fill(struct log_reader *r)
{
	char chunk[CHUNK];
	bool whole = false; /* the open file was not the newest before it was read to its end */

	while (r->out.len == 0) {
		ssize_t n = r->fd >= 0 ? read(r->fd, chunk, sizeof(chunk)) : 0;
		if (n > 0) {
			buf_add(&r->raw, chunk, (size_t)n);
			take_records(r);
			return true;
		}
		if (n < 0 || (r->fd >= 0 && !whole && is_newest(r)))
			return false;
		if (r->fd >= 0 && !whole)
			whole = true; /* what was written before the rotation may have come after the read */
		else if (next_file(r))
			whole = false;
		else
			return false;
	}
	return true;
}

static ssize_t hand_out(struct log_reader *r, char *buf, size_t size)
{
	size_t n = r->out.len < size ? r->out.len : size;

	if (r->opts.limit_bytes >= 0 && (int64_t)n > r->opts.limit_bytes)
		n = (size_t)r->opts.limit_bytes;
	memcpy(buf, r->out.data, n);
	buf_consume(&r->out, n);
	if (r->opts.limit_bytes >= 0)
		r->opts.limit_bytes -= (int64_t)n;
	return (ssize_t)n;
}

ssize_t log_reader_read(struct log_reader *r, char *buf, size_t size)
{
	if (r->ended || r->opts.limit_bytes == 0)
		return -1;
	while (r->out.len == 0) {
		/* Asked before reading: what was written up to the end is then read for certain. */
		bool over = !r->opts.follow || container_has_ended(r);
		if (fill(r))
			continue;
		if (!over)
			return 0;
		r->ended = true;
		return -1;
	}
	return hand_out(r, buf, size);
}
