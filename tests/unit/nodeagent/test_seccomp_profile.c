#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "nodeagent/seccomp_profile.h"
#include "tests/support/node_fixture.h"

static void resolve(const char *name, void *count)
{
	if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
		fail_msg("libseccomp knows no system call \"%s\"", name);
	++*(size_t *)count;
}

static void test_all_names_resolve(void **state)
{
	(void)state;
	size_t count = 0;
	seccomp_profile_names(resolve, &count);
	assert_true(count > 300);
}

static bool allows(const struct json_object *profile, const char *name)
{
	const struct json_object *rules = json_get(profile, "syscalls");
	for (size_t i = 0; i < json_len(rules); i++) {
		const struct json_object *rule = json_at(rules, i), *names = json_get(rule, "names");
		for (size_t j = 0; j < json_len(names); j++) {
			if (!strcmp(json_object_get_string(json_at(names, j)), name) && !json_get(rule, "args"))
				return !strcmp(json_str_or_empty(rule, "action"), "SCMP_ACT_ALLOW");
		}
	}
	return false;
}

static void test_capabilities_open_calls(void **state)
{
	(void)state;
	static const char *const admin[] = { "CAP_SYS_ADMIN" };
	CLEANUP(json_putp) struct json_object *usual = seccomp_profile_default(NULL, 0), *more = seccomp_profile_default(admin, 1);
	static const char *const guarded[] = { "mount", "setns", "unshare", "bpf", "clone3", "reboot", "init_module" };
	assert_true(allows(usual, "read") && allows(usual, "execve") && allows(usual, "futex"));
	for (size_t i = 0; i < ARRAY_SIZE(guarded); i++)
		assert_false(allows(usual, guarded[i]));
	assert_false(allows(usual, "keyctl"));
	assert_true(allows(more, "mount") && allows(more, "clone3"));
	assert_false(allows(more, "reboot"));
}

static void test_load(void **state)
{
	(void)state;
	struct node_fixture f;
	struct err err = ERR_INIT;
	struct json_object *profile = NULL;
	node_fixture_open(&f);
	CLEANUP(mem_freep) char *dir = mem_printf("%s/seccomp", f.dir), *good = mem_printf("%s/good.json", dir),
				*bad = mem_printf("%s/bad.json", dir), *outside = mem_printf("%s/outside.json", f.dir);
	static const char text[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
	mkdir(dir, 0755);
	buf_write_file_atomic(good, text, strlen(text), 0644, &err);
	buf_write_file_atomic(outside, text, strlen(text), 0644, &err);
	buf_write_file_atomic(bad, "{}", 2, 0644, &err);
	assert_int_equal(seccomp_profile_load(dir, "good.json", &profile, &err), 0);
	json_object_put(profile);
	assert_int_equal(seccomp_profile_load(dir, "bad.json", &profile, &err), -1);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_int_equal(seccomp_profile_load(dir, "none.json", &profile, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(seccomp_profile_load(dir, "../outside.json", &profile, &err), -1);
	assert_int_equal(seccomp_profile_load(dir, outside, &profile, &err), -1);
	assert_int_equal(seccomp_profile_load(dir, ".", &profile, &err), -1);
	node_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_names_resolve),
		cmocka_unit_test(test_capabilities_open_calls),
		cmocka_unit_test(test_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
