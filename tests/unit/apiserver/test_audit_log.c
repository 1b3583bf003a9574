#include <fcntl.h>
#include <sys/stat.h>

#include "apiserver/audit/log.h"
#include "tests/unit/apiserver/core_fixture.h"

/* Of files in DIR whose names begin with PREFIX: how many, and all their bytes in the order of their names.
 */
static size_t read_files(const char *dir, const char *prefix, struct buf *ret)
{
	struct dirent **entries;
	size_t found = 0;
	int n = scandir(dir, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, entries[i]->d_name);
		if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0) {
			assert_int_equal(buf_read_file(ret, path, 1 << 30, NULL), 0);
			found++;
		}
		free(entries[i]);
	}
	free(entries);
	return found;
}

static void write_lines(const struct audit_log_opts *opts, unsigned from, unsigned to, uint64_t *ret_lost)
{
	struct audit_log *log = NULL;
	struct err err = ERR_INIT;
	uint64_t written;
	if (audit_log_new(opts, &log, &err) < 0)
		fail_msg("%s", err.msg);
	for (unsigned i = from; i < to; i++) {
		char line[32];
		audit_log_add(log, line, (size_t)snprintf(line, sizeof(line), "line %06u\n", i));
	}
	audit_log_counts(log, &written, ret_lost);
	audit_log_free(log);
}

static void lines_are_whole_and_in_order(void **state)
{
	(void)state;
	char *dir = make_folder();
	CLEANUP(mem_freep) char *path = mem_printf("%s/audit.log", dir);
	struct audit_log_opts opts = { .path = path };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	uint64_t lost;
	write_lines(&opts, 0, 5000, &lost);
	write_lines(&opts, 5000, 10000, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(read_files(dir, "audit", &text), 1);
	assert_int_equal(text.len, 10000 * 12);
	if (!text.data)
		return;
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(atoi(text.data + i * 12 + 5), i);
	remove_folder(dir);
}

static void it_is_rotated_and_old_files_go(void **state)
{
	(void)state;
	char *dir = make_folder();
	CLEANUP(mem_freep) char *path = mem_printf("%s/audit.log", dir);
	CLEANUP(mem_freep) char *other = mem_printf("%s/audit-1.log", dir);
	struct audit_log_opts opts = { .path = path, .max_bytes = 1000, .max_files = 2 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	uint64_t lost;
	write_lines(&(struct audit_log_opts){ .path = other }, 0, 1, &lost);
	/* The writer takes what has gathered: a run of its own for each hundred lines makes a file of each.
	 */
	for (unsigned i = 0; i < 5; i++)
		write_lines(&opts, i * 100, i * 100 + 100, &lost);
	assert_int_equal(read_files(dir, "audit-2", &text), 2);
	assert_int_equal(read_files(dir, "audit.log", &text), 1);
	assert_string_equal(text.data + text.len - 12, "line 000499\n");
	/* What has a name like ours is somebody else's. */
	assert_int_equal(access(other, F_OK), 0);
	remove_folder(dir);
}

/* However fast it is rotated, no file takes another's place. */
static void no_file_is_lost(void **state)
{
	(void)state;
	char *dir = make_folder();
	CLEANUP(mem_freep) char *path = mem_printf("%s/audit.log", dir);
	struct audit_log_opts opts = { .path = path, .max_bytes = 10 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	uint64_t lost;
	for (unsigned i = 0; i < 50; i++)
		write_lines(&opts, i, i + 1, &lost);
	assert_int_equal(read_files(dir, "audit-2", &text), 49);
	assert_int_equal(read_files(dir, "audit.log", &text), 1);
	assert_int_equal(text.len, 50 * 12);
	remove_folder(dir);
}

static void what_does_not_fit_is_counted(void **state)
{
	(void)state;
	char *dir = make_folder();
	CLEANUP(mem_freep) char *path = mem_printf("%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct audit_log_opts opts = { .path = path, .waiting_max = 64 * 1024 };
	struct audit_log *log = NULL;
	struct err err = ERR_INIT;
	uint64_t written, lost;
	CLEANUP(mem_freep) char *line = mem_zalloc(1000);
	memset(line, 'x', 999);
	line[999] = '\n';
	assert_int_equal(audit_log_new(&opts, &log, &err), 0);
	/* Nobody reads: a pipe and the room hold some of 1 MB, the rest is lost. */
	for (unsigned i = 0; i < 1000; i++)
		audit_log_add(log, line, 1000);
	audit_log_counts(log, &written, &lost);
	assert_true(lost > 500 && lost < 1000);
	close(reader); /* and what waits cannot be written: SIGPIPE is ignored */
	audit_log_free(log);
	unlink(path);
	remove_folder(dir);
}

static void a_file_that_cannot_be_made_is_named(void **state)
{
	(void)state;
	struct audit_log_opts opts = { .path = "/nonexistent/audit.log" };
	struct audit_log *log = NULL;
	struct err err = ERR_INIT;
	assert_int_equal(audit_log_new(&opts, &log, &err), -1);
	assert_non_null(strstr(err.msg, "/nonexistent/audit.log"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_whole_and_in_order),
		cmocka_unit_test(it_is_rotated_and_old_files_go),
		cmocka_unit_test(no_file_is_lost),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(a_file_that_cannot_be_made_is_named),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
