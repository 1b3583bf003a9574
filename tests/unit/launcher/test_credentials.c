#include "tests/unit/launcher/fixture.h"

#include "launcher/credentials.h"
#include "launcher/pki.h"
#include "lib/kubeconfig.h"

static void ensure(struct fixture *f)
{
	struct err err = ERR_INIT;

	if (pki_ensure(&f->cluster, &err) < 0 || credentials_ensure(&f->cluster, &err) < 0)
		fail_msg("%s", err.msg);
}

static void the_token_stays(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	fixture_open(f);
	ensure(f);
	CLEANUP(buf_close) struct buf first = fixture_read(f->dir, "auth/tokens.csv");
	ensure(f);
	CLEANUP(buf_close) struct buf second = fixture_read(f->dir, "auth/tokens.csv");
	assert_string_equal(first.data, second.data);
	assert_int_equal(strcspn(first.data, ","), 64);
	assert_string_equal(first.data + 64, ",kubernetes-admin,admin,system:masters\n");
	CLEANUP(mem_freep) char *path = mem_printf("%s/auth/tokens.csv", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void kubeconfigs_can_be_read(void **state)
{
	static const char *const files[] = { "kubeconfig", "auth/scheduler.kubeconfig", "auth/controller.kubeconfig", "auth/agent.kubeconfig" };
	struct fixture *f = *state;

	fixture_open(f);
	f->cluster.port = 7001;
	ensure(f);
	CLEANUP(buf_close) struct buf ca = fixture_read(f->dir, "pki/ca.crt"), admin = fixture_read(f->dir, "pki/admin.crt");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(mem_freep) char *path = cluster_path(&f->cluster, files[i]);
		struct kubeconfig_overrides overrides = { .path = path };
		struct kubeconfig config = { 0 };
		struct err err = ERR_INIT;
		struct stat st;
		if (kubeconfig_load(&overrides, &config, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(config.server, "https://127.0.0.1:7001");
		assert_string_equal(config.ca_pem, ca.data);
		assert_non_null(config.key_pem);
		assert_int_equal(strcmp(config.cert_pem, admin.data) == 0, i == 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		kubeconfig_close(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_token_stays, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(kubeconfigs_can_be_read, fixture_begin, fixture_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
