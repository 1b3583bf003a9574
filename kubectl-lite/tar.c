#include "kubectl-lite/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"

#define BLOCK     512
#define CHUNK     65536
#define LONG_NAME 65536 /* bytes of a name at most */

/* POSIX.1-1988, ustar */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

enum { TYPE_FILE = '0', TYPE_LINK = '2', TYPE_FOLDER = '5', TYPE_LONG_NAME = 'L', TYPE_LONG_LINK = 'K' };

/* --- writing --- */

static int write_all(int fd, const void *data, size_t len, struct err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, errno, "write");
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The bytes that fill the last block. */
static size_t padding(uint64_t size)
{
	return (BLOCK - size % BLOCK) % BLOCK;
}

static int write_padding(int fd, uint64_t size, struct err *err)
{
	static const char zeros[BLOCK];

	return write_all(fd, zeros, padding(size), err);
}

static int write_header(int fd, const char *name, char type, const struct stat *st, uint64_t size,
			const char *link, struct err *err)
{
	struct header h = { .type = type, .magic = "ustar", .version = { '0', '0' } };
	unsigned sum = 0;

	memcpy(h.name, name, strnlen(name, sizeof(h.name)));
	memcpy(h.link, link, strnlen(link, sizeof(h.link)));
	snprintf(h.mode, sizeof(h.mode), "%07o", (unsigned)st->st_mode & 07777);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0u);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0u);
	/* Eleven octal digits; what is larger goes as a number of base 256, as GNU's does. */
	if (size >> 33) {
		h.size[0] = (char)0x80;
		for (int i = 0; i < 8; i++)
			h.size[4 + i] = (char)(size >> (8 * (7 - i)));
	} else {
		snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)size);
	}
	snprintf(h.mtime, sizeof(h.mtime), "%011llo",
		 (unsigned long long)(st->st_mtime > 0 ? st->st_mtime : 0) & 077777777777);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
	return write_all(fd, &h, sizeof(h), err);
}

/* A name that a header has no room for goes before it. */
static int write_long(int fd, char type, const char *name, struct err *err)
{
	static const struct stat none = { 0 };
	size_t len = strlen(name) + 1;

	if (len <= sizeof(((struct header *)0)->name))
		return 0;
	if (write_header(fd, "././@LongLink", type, &none, len, "", err) < 0 ||
	    write_all(fd, name, len, err) < 0)
		return -1;
	return write_padding(fd, len, err);
}

static int write_entry(int fd, const char *name, char type, const struct stat *st, uint64_t size,
		       const char *link, struct err *err)
{
	if (write_long(fd, TYPE_LONG_NAME, name, err) < 0 || write_long(fd, TYPE_LONG_LINK, link, err) < 0)
		return -1;
	return write_header(fd, name, type, st, size, link, err);
}

/* As long as it was said to be: a file that shrinks meanwhile is an error, one that grows is cut. */
static int write_file(int fd, const char *path, const char *name, const struct stat *st, struct err *err)
{
	CLEANUP(mem_closep) int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char chunk[CHUNK];
	uint64_t left = (uint64_t)st->st_size;

	if (in < 0)
		return err_set_errno(err, errno, "%s", path);
	if (write_entry(fd, name, TYPE_FILE, st, left, "", err) < 0)
		return -1;
	while (left > 0) {
		ssize_t n = read(in, chunk, left < CHUNK ? (size_t)left : CHUNK);
		if (n <= 0)
			return err_set(err, ERR_PARSE, "%s: it has become shorter while it was read", path);
		if (write_all(fd, chunk, (size_t)n, err) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	return write_padding(fd, (uint64_t)st->st_size, err);
}

static int write_tree(int fd, const char *path, const char *name, struct err *err);

static int write_folder(int fd, const char *path, const char *name, const struct stat *st, struct err *err)
{
	CLEANUP(mem_freep) char *slashed = mem_printf("%s/", name);
	DIR *dir = opendir(path);
	int rc = 0;

	if (!dir)
		return err_set_errno(err, errno, "%s", path);
	rc = write_entry(fd, slashed, TYPE_FOLDER, st, 0, "", err);
	for (const struct dirent *entry; rc == 0 && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		CLEANUP(mem_freep) char *below = mem_printf("%s/%s", path, entry->d_name);
		CLEANUP(mem_freep) char *its_name = mem_printf("%s/%s", name, entry->d_name);
		rc = write_tree(fd, below, its_name, err);
	}
	closedir(dir);
	return rc;
}

static int write_tree(int fd, const char *path, const char *name, struct err *err)
{
	char link[4096];
	struct stat st;

	if (lstat(path, &st) < 0)
		return err_set_errno(err, errno, "%s", path);
	if (S_ISREG(st.st_mode))
		return write_file(fd, path, name, &st, err);
	if (S_ISDIR(st.st_mode))
		return write_folder(fd, path, name, &st, err);
	if (!S_ISLNK(st.st_mode)) {
		fprintf(stderr, "warning: skipping %s: it is neither a file nor a folder\n", path);
		return 0;
	}
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return err_set_errno(err, errno, "%s", path);
	link[n] = '\0';
	return write_entry(fd, name, TYPE_LINK, &st, 0, link, err);
}

int tar_write(int fd, const char *path, const char *name, struct err *err)
{
	static const char end[2 * BLOCK];

	if (write_tree(fd, path, name, err) < 0)
		return -1;
	return write_all(fd, end, sizeof(end), err);
}

/* --- reading --- */

struct reader {
	int fd;
	const char *prefix, *dest;
	struct buf long_name; /* of the next entry; empty: none */
	size_t n;
};

/* 1: all of it; 0: the end, before a byte of it; -1. */
static int read_all(int fd, void *data, size_t len, struct err *err)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, (char *)data + have, len - have);
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, errno, "read");
		if (n == 0)
			return have == 0 ? 0 : err_set(err, ERR_PARSE, "the archive is cut short");
		have += n > 0 ? (size_t)n : 0;
	}
	return 1;
}

/* Octal digits, or base 256. */
static uint64_t number(const char *field, size_t len)
{
	uint64_t value = 0;

	if ((unsigned char)field[0] & 0x80) {
		for (size_t i = 1; i < len; i++)
			value = value << 8 | (unsigned char)field[i];
		return value;
	}
	for (size_t i = 0; i < len && (field[i] == ' ' || (field[i] >= '0' && field[i] <= '7')); i++)
		if (field[i] != ' ')
			value = value * 8 + (uint64_t)(field[i] - '0');
	return value;
}

/* The bytes of an entry go to FD, -1: nowhere. */
static int take_bytes(const struct reader *r, uint64_t size, int fd, struct err *err)
{
	char chunk[CHUNK];
	uint64_t left, useful = size;

	if (__builtin_add_overflow(size, padding(size), &left))
		return err_set(err, ERR_PARSE, "an entry of the archive has no size that can be");
	while (left > 0) {
		size_t n = left < CHUNK ? (size_t)left : CHUNK;
		if (read_all(r->fd, chunk, n, err) <= 0)
			return err->kind ? -1 : err_set(err, ERR_PARSE, "the archive is cut short");
		size_t keep = useful < n ? (size_t)useful : n;
		if (fd >= 0 && write_all(fd, chunk, keep, err) < 0)
			return -1;
		useful -= keep;
		left -= n;
	}
	return 0;
}

static int take_long_name(struct reader *r, uint64_t size, struct err *err)
{
	if (size == 0 || size > LONG_NAME)
		return err_set(err, ERR_LIMIT, "a name of more than %d bytes", LONG_NAME);
	CLEANUP(mem_freep) char *text = mem_zalloc(size + BLOCK);
	if (read_all(r->fd, text, size + padding(size), err) <= 0)
		return err->kind ? -1 : err_set(err, ERR_PARSE, "the archive is cut short");
	text[size] = '\0'; /* padding that is none ends it, too */
	buf_reset(&r->long_name);
	buf_str(&r->long_name, text);
	return 0;
}

/* NAME without what says only that it begins here, or at the root. */
static const char *relative(const char *name)
{
	while (*name == '/' || (*name == '.' && (name[1] == '/' || !name[1])))
		name++;
	return name;
}

/* What of NAME lies below the prefix: "" for itself, "a/b" below it; NULL: it lies elsewhere. */
static const char *below_prefix(const struct reader *r, const char *name)
{
	const char *prefix = relative(r->prefix);
	size_t len = strlen(prefix);

	name = relative(name);
	if (strncmp(name, prefix, len) != 0 || (len && name[len] && name[len] != '/'))
		return NULL;
	return relative(name + len);
}

static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777); /* it is there, or what follows fails and says why */
		*slash = '/';
	}
}

static int take_file(const struct reader *r, char *path, unsigned mode, uint64_t size, struct err *err)
{
	make_parents(path);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode & 0777);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	return take_bytes(r, size, fd, err);
}

static int take_entry(struct reader *r, const struct header *h, const char *name, struct err *err)
{
	uint64_t size = number(h->size, sizeof(h->size));
	const char *below = below_prefix(r, name);

	r->n++;
	if (climbs(name))
		return err_set(err, ERR_PARSE, "the archive has a name with ..: %s", name);
	if (!below || (h->type != TYPE_FILE && h->type != '\0' && h->type != TYPE_FOLDER)) {
		fprintf(stderr, "warning: skipping %s: %s\n", name,
			below ? "it is neither a file nor a folder" : "it was not asked for");
		return take_bytes(r, size, -1, err);
	}
	CLEANUP(mem_freep) char *path = mem_printf("%s%s%s", r->dest, *below ? "/" : "", below);
	if (h->type != TYPE_FOLDER)
		return take_file(r, path, (unsigned)number(h->mode, sizeof(h->mode)), size, err);
	make_parents(path);
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_set_errno(err, errno, "%s", path);
	return 0;
}

static bool is_sound(const struct header *h)
{
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += i >= offsetof(struct header, checksum) && i < offsetof(struct header, type)
			   ? ' '
			   : ((const unsigned char *)h)[i];
	return sum == number(h->checksum, sizeof(h->checksum));
}

/* GNU's own format has other things where POSIX has the prefix. */
static char *full_name(const struct header *h)
{
	bool prefixed = memcmp(h->magic, "ustar", sizeof(h->magic)) == 0 && *h->prefix;

	return mem_printf("%.*s%s%.*s", prefixed ? (int)sizeof(h->prefix) : 0, h->prefix, prefixed ? "/" : "",
			  (int)sizeof(h->name), h->name);
}

static int read_entry(struct reader *r, const struct header *h, struct err *err)
{
	if (!is_sound(h))
		return err_set(err, ERR_PARSE, "this is no tar archive");
	if (h->type == TYPE_LONG_NAME)
		return take_long_name(r, number(h->size, sizeof(h->size)), err);
	if (h->type == TYPE_LONG_LINK || h->type == 'g' || h->type == 'x')
		return take_bytes(r, number(h->size, sizeof(h->size)), -1, err);
	CLEANUP(mem_freep) char *name = NULL;
	if (r->long_name.len > 0)
		name = mem_dup(r->long_name.data);
	else
		name = full_name(h);
	buf_reset(&r->long_name);
	return take_entry(r, h, name, err);
}

int tar_read(int fd, const char *prefix, const char *dest, size_t *ret_n, struct err *err)
{
	struct reader r = { .fd = fd, .prefix = prefix, .dest = dest };
	struct header h;
	int got, rc = 0;

	/* The end are blocks of zeros. */
	while (rc == 0 && (got = read_all(fd, &h, sizeof(h), err)) != 0) {
		if (got < 0)
			rc = -1;
		else if (h.name[0])
			rc = read_entry(&r, &h, err);
	}
	buf_close(&r.long_name);
	*ret_n = r.n;
	return rc;
}
