#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "nodeagent/sub_path.h"
#include "nodeagent/tree.h"
#include "tests/support/node_fixture.h"

struct fixture {
	struct node_fixture node;
	char *root, *pin, *outside;
};

static void open_fixture(struct fixture *f)
{
	node_fixture_open(&f->node);
	f->root = mem_printf("%s/root", f->node.dir);
	f->pin = mem_printf("%s/pins/c/0", f->node.dir);
	f->outside = mem_printf("%s/outside", f->node.dir);
	assert_int_equal(mkdir(f->root, 0755), 0);
	assert_int_equal(mkdir(f->outside, 0755), 0);
}

static void close_fixture(struct fixture *f)
{
	tree_unmount(f->node.dir, NULL);
	free(f->root);
	free(f->pin);
	free(f->outside);
	node_fixture_close(&f->node);
}

static bool exists(const char *dir, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

static void test_missing_folders_are_made(void **state)
{
	struct fixture f;
	struct err err = ERR_INIT;

	(void)state;
	if (!node_fixture_root())
		skip();
	open_fixture(&f);
	if (sub_path_pin(f.root, "a/b/c", f.pin, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(exists(f.root, "a/b/c"));
	CLEANUP(mem_freep) char *mark = mem_printf("%s/mark", f.pin);
	close(open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_true(exists(f.root, "a/b/c/mark"));
	/* Again, for the next attempt of the container. */
	assert_int_equal(sub_path_pin(f.root, "a/b/c", f.pin, NULL), 0);
	close_fixture(&f);
}

static void test_a_file(void **state)
{
	struct fixture f;
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	if (!node_fixture_root())
		skip();
	open_fixture(&f);
	CLEANUP(mem_freep) char *file = mem_printf("%s/file", f.root);
	assert_int_equal(buf_write_file_atomic(file, "hello", 5, 0644, NULL), 0);
	assert_int_equal(sub_path_pin(f.root, "file", f.pin, NULL), 0);
	assert_int_equal(buf_read_file(&b, f.pin, 64, NULL), 0);
	assert_string_equal(b.data, "hello");
	close_fixture(&f);
}

/* A symbolic link that a container left in the volume leads nowhere but into the volume. */
static void test_links_do_not_leave(void **state)
{
	struct fixture f;

	(void)state;
	if (!node_fixture_root())
		skip();
	open_fixture(&f);
	CLEANUP(mem_freep) char *link = mem_printf("%s/evil", f.root);
	CLEANUP(mem_freep) char *up = mem_printf("%s/up", f.root);
	assert_int_equal(symlink(f.outside, link), 0);
	assert_int_equal(symlink("../../../../../../etc", up), 0);
	sub_path_pin(f.root, "evil/made", f.pin, NULL);
	assert_false(exists(f.outside, "made"));
	assert_int_equal(sub_path_pin(f.root, "up/passwd", f.pin, NULL), -1);
	assert_int_equal(sub_path_pin(f.root, "../outside", f.pin, NULL), -1);
	assert_int_equal(sub_path_pin(f.root, "/etc", f.pin, NULL), -1);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_folders_are_made),
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_links_do_not_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
