#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/image_command.h"
#include "tests/support/image_fixture.h"
#include "tests/support/node_fixture.h"

static struct node_fixture f;
static char *archive;

static int set_up(void **state)
{
	(void)state;
	node_fixture_open(&f);
	archive = mem_printf("%s/web.tar", f.dir);
	CLEANUP(buf_close) struct buf layer = BUF_INIT;
	const struct fixture_entry entries[] = { { .path = "a", .type = S_IFREG, .mode = 0644, .content = "a" } };
	image_fixture_layer(entries, 1, false, &layer);
	image_fixture_archive(archive, "web:1", "{}", &layer, false, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(archive);
	node_fixture_close(&f);
	return 0;
}

/* Runs a command line, its words separated by spaces; what it printed, on both streams, is compared. */
static void expect(const char *line, int status, const char *output)
{
	CLEANUP(mem_freep) char *words = mem_dup(line), *path = mem_printf("%s/output", f.dir);
	char *argv[16];
	int argc = 0;
	for (char *save = NULL, *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	fflush(stdout);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), out = dup(1), error = dup(2);
	dup2(fd, 1);
	dup2(fd, 2);
	int rc = image_command(argc, argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(error, 2);
	close(out);
	close(error);
	close(fd);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	assert_int_equal(buf_read_file(&b, path, 65536, NULL), 0);
	if (rc != status || strncmp(b.data ? b.data : "", output, strlen(output)) != 0)
		fail_msg("%s: %d: %s", line, rc, b.data ? b.data : "");
}

static void test_usage(void **state)
{
	(void)state;
	expect("image", 2, "error: no command\nSee 'knarr-nodeagent image --help' for usage.\n");
	expect("image --help", 0, "Usage: knarr-nodeagent image COMMAND --data-dir DIR\n");
	expect("image burn --data-dir /tmp", 2, "error: unknown command: burn\n");
	expect("image ls", 2, "error: required flag not set: --data-dir\n");
	expect("image ls --data-dir", 2, "error: flag needs an argument: --data-dir\n");
	expect("image ls --fast", 2, "error: unknown flag: --fast\n");
	expect("image import --data-dir /tmp", 2, "error: wrong number of arguments: image import\n");
}

static void test_import_list_remove(void **state)
{
	(void)state;
	if (!node_fixture_root()) {
		skip();
		return;
	}
	CLEANUP(mem_freep) char *import = mem_printf("image import --data-dir %s %s", f.dir, archive),
				*missing = mem_printf("image import --data-dir %s /nonexistent", f.dir),
				*again = mem_printf("image import --name=other:2 %s --data-dir=%s", archive, f.dir),
				*list = mem_printf("image ls --data-dir %s", f.dir),
				*remove_ = mem_printf("image rm web:1 other:2 --data-dir %s", f.dir);
	expect(list, 0, "REFERENCE   IMAGE ID       SIZE       AGE\n");
	expect(import, 0, "imported docker.io/library/web:1\n");
	expect(missing, 1, "error: open /nonexistent: No such file or directory\n");
	expect(again, 0, "imported docker.io/library/other:2\n");
	expect(list, 0, "REFERENCE                   IMAGE ID       SIZE       AGE\ndocker.io/library/other:2   ");
	expect(remove_, 0, "removed web:1\nremoved other:2\n");
	expect(remove_, 1, "error: image \"docker.io/library/web:1\": not found\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_usage), cmocka_unit_test(test_import_list_remove) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
