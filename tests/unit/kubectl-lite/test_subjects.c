#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/subjects.h"
#include "lib/buf.h"

static int add(struct json_object *subjects, const char *user, const char *account, struct err *err)
{
	struct subjects_flags who = { 0 };

	if (user)
		who.users = (struct string_list){ &user, 1 };
	if (account)
		who.accounts = (struct string_list){ &account, 1 };
	return subjects_add(&who, subjects, err);
}

/* Nobody is there twice. */
static void test_add(void **state)
{
	struct json_object *subjects = json_object_new_array();
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	(void)state;
	assert_int_equal(add(subjects, "a", "x:y", NULL), 0);
	assert_int_equal(add(subjects, "a", "x:z", NULL), 0);
	json_write(&text, subjects);
	assert_string_equal(text.data,
			    "[{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"a\"},"
			    "{\"kind\":\"ServiceAccount\",\"name\":\"y\",\"namespace\":\"x\"},"
			    "{\"kind\":\"ServiceAccount\",\"name\":\"z\",\"namespace\":\"x\"}]");
	json_object_put(subjects);
}

static void test_wrong_accounts(void **state)
{
	static const char *const wrong[] = { "y", "x:", ":y", "x:y:z", "" };
	struct json_object *subjects = json_object_new_array();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err err = ERR_INIT;
		assert_int_equal(add(subjects, NULL, wrong[i], &err), -1);
		assert_string_equal(err.msg, "serviceaccount must be <namespace>:<name>");
	}
	assert_int_equal(json_len(subjects), 0);
	json_object_put(subjects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_wrong_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
