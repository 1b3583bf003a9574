/* A folder of the test's own, with a space in its name, and a cluster in it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/cluster.h"
#include "lib/buf.h"

struct fixture {
	char root[64];
	char *dir; /* not there yet */
	struct cluster cluster;
	int lock;
};

static int fixture_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int fixture_begin(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	snprintf(f->root, sizeof(f->root), "/tmp/knarr-test-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->dir = mem_printf("%s/a cluster", f->root);
	f->lock = -1;
	*state = f;
	return 0;
}

static inline int fixture_end(void **state)
{
	struct fixture *f = *state;

	mem_closep(&f->lock);
	cluster_close(&f->cluster);
	assert_int_equal(nftw(f->root, fixture_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(f->dir);
	free(f);
	return 0;
}

static inline void fixture_open(struct fixture *f)
{
	struct err err = ERR_INIT;

	if (cluster_open(f->dir, NULL, &f->cluster, &f->lock, &err) < 0)
		fail_msg("%s", err.msg);
}

static inline void fixture_write(const char *path, const char *text, mode_t mode)
{
	struct err err = ERR_INIT;

	if (buf_write_file_atomic(path, text, strlen(text), mode, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The file's text; caller closes. */
static inline struct buf fixture_read(const char *dir, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	struct buf text = BUF_INIT;

	assert_int_equal(buf_read_file(&text, path, 1 << 20, NULL), 0);
	return text;
}
