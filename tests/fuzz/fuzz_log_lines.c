/* A container's log, from what it says to what `kubectl logs` shows. The first byte chooses options and the
 * length of pieces, the second how many lines are wanted.
 *
 * The rest is once what stands in two log files (parted by a byte 0xff): whatever it is, reading ends, the
 * last lines are the end of all of it, a limit cuts it, and the size of the reader's buffer changes nothing.
 * And it is once what a container writes: the shim's records, read over their rotations, are that again.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/log_reader.h"
#include "nodeagent/shim/cri_log.h"

#define LOG_FILES 60 /* fewer than a reader follows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/knarr-fuzz-log.XXXXXX";
static int outside, inside; /* the shim knows its log by the working directory */
static int first_fd;        /* what an input opens is from here on */

static void remove_files(void)
{
	char name[16];
	unlink("log");
	for (unsigned i = 1; i <= LOG_FILES; i++) {
		snprintf(name, sizeof(name), "log.%u", i);
		if (unlink(name) < 0)
			break;
	}
}

static void remove_folder(void)
{
	if (fchdir(inside) == 0)
		remove_files();
	rmdir(folder);
}

static void make_folder(void)
{
	outside = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	inside = mkdtemp(folder) ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (outside < 0 || inside < 0)
		abort();
	atexit(remove_folder);
	first_fd = dup(STDERR_FILENO);
	close(first_fd);
}

static void write_file(const char *name, const void *data, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void read_log(const struct log_reader_opts *opts, size_t piece, struct buf *ret)
{
	char chunk[65536];
	struct log_reader *reader = log_reader_new("log", opts, NULL);
	if (!reader)
		abort();
	buf_str(ret, "");
	for (ssize_t n; (n = log_reader_read(reader, chunk, piece)) != -1;) {
		if (n <= 0 || (size_t)n > piece)
			abort(); /* nobody follows: there is always more, or an end */
		buf_add(ret, chunk, (size_t)n);
	}
	log_reader_free(reader);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void check_files(const uint8_t *options, const char *text, size_t size)
{
	static const struct log_reader_opts all = { .tail_lines = -1, .limit_bytes = -1 };
	struct log_reader_opts opts = all;
	CLEANUP(buf_close) struct buf whole = BUF_INIT, tail = BUF_INIT, cut = BUF_INIT, other = BUF_INIT;
	const char *part = memchr(text, 0xff, size);
	size_t older = part ? (size_t)(part - text) : 0;
	if (part)
		write_file("log.1", text, older);
	write_file("log", part ? part + 1 : text, part ? size - older - 1 : size);
	read_log(&all, 65536, &whole);

	read_log(&all, 1 + (options[0] & 0x0f), &other);
	if (other.len != whole.len || memcmp(other.data, whole.data, whole.len) != 0)
		abort();
	opts.tail_lines = options[1];
	read_log(&opts, 65536, &tail);
	if (tail.len > whole.len || memcmp(tail.data, whole.data + whole.len - tail.len, tail.len) != 0 ||
	    count_lines(tail.data, tail.len) > options[1])
		abort();
	opts = all;
	opts.limit_bytes = options[1];
	read_log(&opts, 100, &cut);
	if (cut.len != (whole.len < options[1] ? whole.len : options[1]) ||
	    memcmp(cut.data, whole.data, cut.len) != 0)
		abort();
	opts = (struct log_reader_opts){ .tail_lines = -1,
					 .limit_bytes = -1,
					 .since_us = options[0] & 0x10 ? 1000000 : INT64_MAX,
					 .timestamps = true };
	buf_reset(&other);
	read_log(&opts, 65536, &other);
	remove_files();
}

static void say(struct cri_stream *stream, const char *text, size_t size, size_t piece)
{
	while (size) {
		size_t room, n;
		char *space = cri_log_space(stream, &room);
		n = room < piece ? room : piece;
		n = n < size ? n : size;
		memcpy(space, text, n);
		cri_log_added(stream, n);
		cri_log_flush();
		text += n;
		size -= n;
	}
}

static void check_round(const uint8_t *options, const char *text, size_t size)
{
	static const struct log_reader_opts all = { .tail_lines = -1, .limit_bytes = -1 };
	static struct cri_stream stream = { .name = "stdout" };
	CLEANUP(buf_close) struct buf said = BUF_INIT, shown = BUF_INIT;
	for (unsigned i = 0; i <= (options[0] >> 5); i++)
		buf_add(&said, text, size);
	/* Records are longer than what they hold by 48 bytes, and no more than LOG_FILES files may come of
	 * it. */
	size_t records = count_lines(said.data, said.len) + said.len / (1 + options[1]) + 2;
	uint64_t max_bytes = (said.len + 48 * records) / (LOG_FILES / 4) + CRI_LOG_PIECE + 48;
	if (cri_log_open(max_bytes, LOG_FILES) < 0)
		abort();
	say(&stream, said.data, said.len, 1 + options[1]);
	cri_log_end(&stream);
	cri_log_flush();
	read_log(&all, 65536, &shown);
	if (shown.len != said.len || memcmp(shown.data, said.data, said.len) != 0)
		abort();
	remove_files();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!first_fd)
		make_folder();
	if (size < 3)
		return 0;
	if (fchdir(inside) < 0)
		abort();
	check_files(data, (const char *)data + 2, size - 2);
	check_round(data, (const char *)data + 2, size - 2);
	close_range((unsigned)first_fd, ~0U, 0);
	if (fchdir(outside) < 0)
		abort();
	return 0;
}
