#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kubectl-lite/tar.h"
#include "lib/buf.h"

static char work[] = "/tmp/knarr-tar.XXXXXX";

PRINTF_LIKE(1, 2)
static int run(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *command = mem_vprintf(format, ap);
	va_end(ap);
	return system(command);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(work) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

static int write_archive(const char *source, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/archive", work);
	FILE *file = fopen(path, "w");
	struct err err = ERR_INIT;
	int rc = tar_write(fileno(file), source, name, &err);

	fclose(file);
	return rc;
}

static int read_archive(const char *prefix, const char *dest, size_t *ret_n, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/archive", work);
	FILE *file = fopen(path, "r");
	int rc = tar_read(fileno(file), prefix, dest, ret_n, err);

	fclose(file);
	return rc;
}

/* A tree with a name that has no place in a header, an empty file, one over several blocks, modes. What the
 * machine's tar makes of it, and what we do. */
static void there_and_back(void **state)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	CLEANUP(mem_freep) char *source = mem_printf("%s/source", work), *dest = mem_printf("%s/dest", work);
	assert_int_equal(
	    run("mkdir -p %s/sub && cd %s && : >empty && head -c 100000 /dev/urandom >sub/big && echo x >run "
		"&& "
		"chmod 755 run && d=$(printf '%%090d' 0) && mkdir -p $d/$d && echo deep >$d/$d/file",
		source, source),
	    0);
	assert_int_equal(write_archive(source, "other"), 0);
	assert_int_equal(
	    run("mkdir %s/plain && tar -xf %s/archive -C %s/plain && diff -r %s %s/plain/other && test -x "
		"%s/plain/other/run",
		work, work, work, source, work, work),
	    0);
	assert_int_equal(read_archive("other", dest, &n, &err), 0);
	assert_int_equal(run("diff -r %s %s && test -x %s/run", source, dest, dest), 0);
	/* And the other way round: an archive of the machine's tar. */
	assert_int_equal(run("tar -cf %s/archive -C %s source", work, work), 0);
	assert_int_equal(run("rm -r %s", dest), 0);
	assert_int_equal(read_archive("source", dest, &n, &err), 0);
	assert_int_equal(run("diff -r %s %s", source, dest), 0);
}

/* However tar was told what to take, and says what it took. */
static void ways_to_say_where(void **state)
{
	static const struct {
		const char *told, *prefix;
	} rows[] = { { "source", "source" },     { "./source", "./source" }, { "./source", "source" },
		     { "source", "./source" },  { "$PWD/source", NULL },    { "-C source .", "." },
		     { "-C source sub run", "" } };
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	CLEANUP(mem_freep)
	char *dest = mem_printf("%s/ways", work),
	     *absolute = mem_printf("%s/source", work);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(run("rm -rf %s/ways %s/source && mkdir -p %s/source/sub && cd %s && echo x "
				     ">source/run && echo y >source/sub/file && tar -cPf archive %s",
				     work, work, work, work, rows[i].told),
				 0);
		assert_int_equal(read_archive(rows[i].prefix ? rows[i].prefix : absolute, dest, &n, &err), 0);
		if (run("diff -r %s/source %s", work, dest) != 0)
			fail_msg("tar of %s", rows[i].told);
	}
}

/* Nothing leaves the folder that was named. */
static void hostile_archives(void **state)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	CLEANUP(mem_freep) char *dest = mem_printf("%s/safe/dest", work);
	assert_int_equal(
	    run("mkdir -p %s/safe %s/evil/a && cd %s/evil && echo bad >a/file && tar -cPf %s/archive "
		"--transform 's,a/file,a/../../file,' a/file",
		work, work, work, work),
	    0);
	assert_int_equal(read_archive("a", dest, &n, &err), -1);
	assert_non_null(strstr(err.msg, ".."));
	/* What was not asked for; a link, and a file that would go through it. */
	assert_int_equal(run("cd %s/evil && ln -sf /tmp/knarr-tar-outside a/link && echo bad >other && tar "
			     "-cf %s/archive other "
			     "a/link && mkdir -p b/link && echo bad >b/link/file && tar -rf %s/archive "
			     "--transform 's,^b,a,' "
			     "b/link/file",
			     work, work, work),
			 0);
	assert_int_equal(read_archive("a", dest, &n, &err), 0);
	assert_int_equal(
	    run("test ! -e %s/safe/file -a ! -e %s/safe/other -a ! -L %s/link -a ! -e /tmp/knarr-tar-outside",
		work, work, dest),
	    0);
	assert_int_equal(n, 3);
}

static void garbage(void **state)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	CLEANUP(mem_freep) char *dest = mem_printf("%s/none", work);
	assert_int_equal(run("head -c 2000 /dev/zero | tr '\\0' x >%s/archive", work), 0);
	assert_int_equal(read_archive("a", dest, &n, &err), -1);
	assert_string_equal(err.msg, "this is no tar archive");
	assert_int_equal(run("printf x >%s/archive", work), 0);
	assert_int_equal(read_archive("a", dest, &n, &err), -1);
	assert_string_equal(err.msg, "the archive is cut short");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(ways_to_say_where),
		cmocka_unit_test(hostile_archives),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
