#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/timefmt.h"
#include "nodeagent/digest.h"
#include "nodeagent/layer_unpack.h"
#include "tests/support/image_fixture.h"
#include "tests/support/node_fixture.h"

static struct node_fixture f;
static char diff_id[DIGEST_SIZE];

static int set_up(void **state)
{
	(void)state;
	node_fixture_open(&f);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	node_fixture_close(&f);
	return 0;
}

static int unpack_text(const char *data, size_t len, bool layer, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/root", f.dir);
	mkdir(dir, 0755);
	CLEANUP(mem_closep) int fd = memfd_create("layer", MFD_CLOEXEC), dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(write(fd, data, len), len);
	lseek(fd, 0, SEEK_SET);
	const struct layer_unpack_opts opts = { .fd = fd, .dir_fd = dir_fd, .layer = layer };
	return layer_unpack(&opts, diff_id, err);
}

static int unpack(const struct fixture_entry *entries, size_t n, bool gzip, bool layer, struct err *err)
{
	CLEANUP(buf_close) struct buf tar = BUF_INIT;
	image_fixture_layer(entries, n, gzip, &tar);
	return unpack_text(tar.data, tar.len, layer, err);
}

static struct stat stat_of(const char *path)
{
	struct stat st = { 0 };
	CLEANUP(mem_freep) char *full = mem_printf("%s/root/%s", f.dir, path);
	if (lstat(full, &st))
		st.st_mode = 0;
	return st;
}

#define NEED_ROOT()                   \
	if (!node_fixture_root()) {   \
		skip();               \
		return;               \
	}

static void test_everything_is_kept(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	const struct fixture_entry entries[] = {
		{ .path = "./usr/", .type = S_IFDIR, .mode = 0751, .uid = 3, .gid = 4 },
		{ .path = "usr/tool", .type = S_IFREG, .mode = 04755, .content = "binary", .uid = 1000, .gid = 1001,
		  .xattr = "user.note", .xattr_value = "kept" },
		{ .path = "usr/same", .content = "usr/tool" },
		{ .path = "usr/link", .type = S_IFLNK, .mode = 0777, .content = "/etc/passwd", .uid = 7 },
		{ .path = "dev/null", .type = S_IFCHR, .mode = 0666, .device = makedev(1, 3) },
		{ .path = "run/fifo", .type = S_IFIFO, .mode = 0600 },
		{ .path = "usr/gr\xc3\xbc\xc3\x9f", .type = S_IFREG, .mode = 0644, .content = "utf-8" },
	};
	if (unpack(entries, ARRAY_SIZE(entries), true, true, &err))
		fail_msg("%s", err.msg);
	struct stat usr = stat_of("usr"), tool = stat_of("usr/tool"), same = stat_of("usr/same"), link = stat_of("usr/link"),
		    null = stat_of("dev/null");
	assert_int_equal(usr.st_mode, S_IFDIR | 0751);
	assert_int_equal(usr.st_uid, 3);
	assert_int_equal(usr.st_mtime, 1700000000);
	assert_int_equal(tool.st_mode, S_IFREG | 04755);
	assert_int_equal(tool.st_gid, 1001);
	assert_int_equal(tool.st_nlink, 2);
	assert_int_equal(tool.st_ino, same.st_ino);
	assert_true(S_ISLNK(link.st_mode));
	assert_int_equal(link.st_uid, 7);
	assert_true(S_ISCHR(null.st_mode) && null.st_rdev == makedev(1, 3));
	assert_true(S_ISFIFO(stat_of("run/fifo").st_mode));
	assert_true(S_ISREG(stat_of("usr/gr\xc3\xbc\xc3\x9f").st_mode));
	char value[16] = "";
	CLEANUP(mem_freep) char *path = mem_printf("%s/root/usr/tool", f.dir);
	assert_int_equal(getxattr(path, "user.note", value, sizeof(value)), 4);
}

static void test_whiteouts(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	const struct fixture_entry entries[] = {
		{ .path = "etc/.wh.gone", .type = S_IFREG, .mode = 0 },
		{ .path = "var/.wh..wh..opq", .type = S_IFREG, .mode = 0 },
		{ .path = "etc/.wh.back", .type = S_IFREG, .mode = 0 },
		{ .path = "etc/back", .type = S_IFREG, .mode = 0644, .content = "new" },
	};
	if (unpack(entries, ARRAY_SIZE(entries), false, true, &err))
		fail_msg("%s", err.msg);
	struct stat gone = stat_of("etc/gone");
	assert_true(S_ISCHR(gone.st_mode) && gone.st_rdev == 0);
	assert_true(S_ISREG(stat_of("etc/back").st_mode));
	assert_int_equal(stat_of("etc/.wh.gone").st_mode, 0);
	char value[4];
	CLEANUP(mem_freep) char *var = mem_printf("%s/root/var", f.dir);
	assert_int_equal(getxattr(var, "trusted.overlay.opaque", value, sizeof(value)), 1);
	assert_int_equal(value[0], 'y');
}

/* Whatever an archive tries, nothing appears outside its folder. */
static void test_nothing_leaves(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	const struct fixture_entry dots[] = { { .path = "../outside", .type = S_IFREG, .mode = 0644, .content = "x" } };
	assert_int_equal(unpack(dots, 1, false, true, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	const struct fixture_entry symlinks[] = {
		{ .path = "up", .type = S_IFLNK, .mode = 0777, .content = "../.." },
		{ .path = "up/outside", .type = S_IFREG, .mode = 0644, .content = "x" },
		{ .path = "abs", .type = S_IFLNK, .mode = 0777, .content = "/tmp" },
		{ .path = "tmp", .type = S_IFDIR, .mode = 0755 },
		{ .path = "abs/knarr-outside", .type = S_IFREG, .mode = 0644, .content = "x" },
	};
	if (unpack(symlinks, ARRAY_SIZE(symlinks), false, true, &err))
		fail_msg("%s", err.msg);
	CLEANUP(mem_freep) char *outside = mem_printf("%s/outside", f.dir);
	assert_int_not_equal(access(outside, F_OK), 0);
	assert_int_not_equal(access("/tmp/knarr-outside", F_OK), 0);
	assert_true(S_ISREG(stat_of("tmp/knarr-outside").st_mode));
	assert_true(S_ISREG(stat_of("outside").st_mode));
	const struct fixture_entry hard[] = { { .path = "shadow", .content = "../../../etc/shadow" } };
	assert_int_equal(unpack(hard, 1, false, true, &err), -1);
	const struct fixture_entry through[] = {
		{ .path = "etc", .type = S_IFLNK, .mode = 0777, .content = "/etc" },
		{ .path = "passwd", .content = "etc/passwd" },
	};
	assert_int_equal(unpack(through, 2, false, true, &err), -1);
	/* An image may not set up the host's overlay. */
	const struct fixture_entry redirect[] = { { .path = "d", .type = S_IFDIR, .mode = 0755, .xattr = "trusted.overlay.redirect",
						    .xattr_value = "/etc" } };
	assert_int_equal(unpack(redirect, 1, false, true, &err), 0);
	char value[16];
	CLEANUP(mem_freep) char *d = mem_printf("%s/root/d", f.dir);
	assert_int_equal(getxattr(d, "trusted.overlay.redirect", value, sizeof(value)), -1);
}

static void test_later_entries_replace(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	const struct fixture_entry entries[] = {
		{ .path = "a", .type = S_IFREG, .mode = 0644, .content = "one" },
		{ .path = "a", .type = S_IFREG, .mode = 0600, .content = "second" },
		{ .path = "d", .type = S_IFDIR, .mode = 0700 },
		{ .path = "d", .type = S_IFDIR, .mode = 0755 },
		{ .path = "x", .type = S_IFLNK, .mode = 0777, .content = "nowhere" },
		{ .path = "x", .type = S_IFREG, .mode = 0644, .content = "file" },
	};
	assert_int_equal(unpack(entries, ARRAY_SIZE(entries), false, true, &err), 0);
	assert_int_equal(stat_of("a").st_size, 6);
	assert_int_equal(stat_of("d").st_mode, S_IFDIR | 0755);
	assert_true(S_ISREG(stat_of("x").st_mode));
}

static void test_damaged(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf tar = BUF_INIT;
	const struct fixture_entry entries[] = { { .path = "a", .type = S_IFREG, .mode = 0644, .content = "some text that is here" } };
	image_fixture_layer(entries, 1, true, &tar);
	assert_int_equal(unpack_text(tar.data, tar.len / 2, false, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(unpack_text("this is no archive at all, whatever it is", 41, false, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_digest_is_of_the_plain_tar(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf tar = BUF_INIT;
	char expected[DIGEST_SIZE];
	const struct fixture_entry entries[] = { { .path = "a", .type = S_IFREG, .mode = 0644, .content = "text" } };
	image_fixture_layer(entries, 1, false, &tar);
	digest_of(tar.data, tar.len, expected);
	assert_int_equal(unpack(entries, 1, true, false, &err), 0);
	assert_string_equal(diff_id, expected);
}

static void test_figures(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(buf_close) struct buf busybox = BUF_INIT;
	CLEANUP(buf_close) struct buf tar = BUF_INIT;
	struct fixture_entry entries[32];
	char names[32][16];
	if (buf_read_file(&busybox, "/bin/busybox", 16 << 20, &err)) {
		skip();
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		snprintf(names[i], sizeof(names[i]), "bin/%zu", i);
		entries[i] = (struct fixture_entry){ .path = names[i], .type = S_IFREG, .mode = 0755, .content = busybox.data, .len = busybox.len };
	}
	image_fixture_layer(entries, ARRAY_SIZE(entries), true, &tar);
	int64_t begin = time_mono_us();
	assert_int_equal(unpack_text(tar.data, tar.len, false, &err), 0);
	int64_t took = time_mono_us() - begin;
	print_message("unpacked %zu MB (gzip %zu MB) at %lld MB/s\n", ARRAY_SIZE(entries) * busybox.len >> 20, tar.len >> 20,
		      (long long)((int64_t)(ARRAY_SIZE(entries) * busybox.len) / (took ? took : 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whiteouts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later_entries_replace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_digest_is_of_the_plain_tar, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_figures, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
