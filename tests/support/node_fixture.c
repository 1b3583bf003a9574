#include "tests/support/node_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/timefmt.h"

#define PATIENCE_MS 60000

bool node_fixture_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: this test makes namespaces and mounts, which needs root\n");
	return false;
}

void node_fixture_open(struct node_fixture *f)
{
	char dir[] = "/tmp/knarr-test-XXXXXX";
	struct err err = ERR_INIT;
	*f = (struct node_fixture){ .loop = loop_new(&err) };
	if (!f->loop || !mkdtemp(dir))
		fail_msg("%s", err.msg);
	f->dir = mem_dup(dir);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	while (!umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
		;
	remove(path);
	return 0;
}

void node_fixture_close(struct node_fixture *f)
{
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_not_equal(access(f->dir, F_OK), 0);
	loop_free(f->loop);
	free(f->dir);
}

void node_fixture_wait(struct node_fixture *f)
{
	int64_t end = time_mono_ms() + PATIENCE_MS;
	while (!f->done) {
		int64_t left = end - time_mono_ms();
		if (left <= 0)
			fail_msg("nothing happened for %d s", PATIENCE_MS / 1000);
		/* Done may come of a task, just before the loop goes to sleep. */
		loop_turn(f->loop, 10);
	}
	f->done = false;
}

void node_fixture_until(struct node_fixture *f, bool (*condition)(void *arg), void *arg)
{
	int64_t end = time_mono_ms() + PATIENCE_MS;
	while (!condition(arg)) {
		if (time_mono_ms() > end)
			fail_msg("the condition did not hold for %d s", PATIENCE_MS / 1000);
		loop_turn(f->loop, 10);
	}
}

char *node_fixture_program(const char *name)
{
	const char *build = getenv("KNARR_BUILD");
	CLEANUP(mem_freep) char *path = mem_printf("%s/bin/%s", build ? build : "build", name);
	char *absolute = realpath(path, NULL);
	if (!absolute)
		fail_msg("%s is not built", path);
	return absolute;
}
