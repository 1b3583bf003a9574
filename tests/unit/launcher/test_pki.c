#include "tests/unit/launcher/fixture.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "launcher/pki.h"

static const char *const names[] = { "ca",           "apiserver",        "kubelet-client",
				     "agent-server", "scheduler-server", "controller-server",
				     "agent",        "scheduler",        "controller",
				     "admin" };

static gnutls_x509_crt_t read_crt(struct fixture *f, const char *name)
{
	CLEANUP(mem_freep) char *file = mem_printf("pki/%s.crt", name);
	CLEANUP(buf_close) struct buf text = fixture_read(f->dir, file);
	gnutls_datum_t pem = { (unsigned char *)text.data, (unsigned)text.len };
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	return crt;
}

static void ensure(struct fixture *f)
{
	struct err err = ERR_INIT;

	if (pki_ensure(&f->cluster, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Which of the certificates changed since the last call: "apiserver agent-server ". */
static void expect_changed(struct fixture *f, struct buf *last, const char *expected)
{
	CLEANUP(buf_close) struct buf changed = BUF_INIT;

	buf_str(&changed, "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *file = mem_printf("pki/%s.crt", names[i]);
		struct buf text = fixture_read(f->dir, file);
		if (last[i].len != text.len || (text.len && memcmp(last[i].data, text.data, text.len) != 0))
			buf_printf(&changed, "%s ", names[i]);
		buf_close(&last[i]);
		last[i] = text;
	}
	assert_string_equal(changed.data, expected);
}

static void made_once_and_anew_when_needed(void **state)
{
	struct fixture *f = *state;
	struct buf last[ARRAY_SIZE(names)] = { 0 };

	fixture_open(f);
	ensure(f);
	expect_changed(f, last,
		       "ca apiserver kubelet-client agent-server scheduler-server controller-server agent "
		       "scheduler controller admin ");
	ensure(f);
	expect_changed(f, last, "");
	free(f->cluster.address);
	f->cluster.address = mem_dup("192.0.2.7");
	ensure(f);
	expect_changed(f, last, "apiserver agent-server scheduler-server controller-server ");
	CLEANUP(mem_freep)
	char *damaged = mem_printf("%s/pki/admin.crt", f->dir),
	     *missing = mem_printf("%s/pki/agent.key", f->dir);
	fixture_write(damaged, "no certificate", 0644);
	assert_int_equal(unlink(missing), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], "admin") == 0) {
			buf_close(&last[i]);
			last[i] = BUF_INIT;
		}
	ensure(f);
	expect_changed(f, last, "agent admin ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		buf_close(&last[i]);
}

/* Quick to sign with where a handshake signs, quick to verify where it verifies. */
static void keys_are_of_the_kind_their_use_calls_for(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	ensure(f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool is_ca = strcmp(names[i], "ca") == 0;
		gnutls_x509_crt_t crt = read_crt(f, names[i]);
		unsigned bits = 0;

		assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits),
				 is_ca ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA);
		assert_int_equal(bits, is_ca ? 2048 : 256);
		assert_int_equal(gnutls_x509_crt_get_signature_algorithm(crt), GNUTLS_SIGN_RSA_SHA256);
		gnutls_x509_crt_deinit(crt);
	}
}

static void copy_pair(struct fixture *f, const char *from, const char *to)
{
	static const char *const kinds[] = { "crt", "key" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(mem_freep) char *source = mem_printf("pki/%s.%s", from, kinds[i]);
		CLEANUP(mem_freep) char *target = mem_printf("%s/pki/%s.%s", f->dir, to, kinds[i]);
		CLEANUP(buf_close) struct buf text = fixture_read(f->dir, source);

		fixture_write(target, text.data, 0600);
	}
}

/* As in the folder of an older cluster, whose programs had other names and groups. */
static void who_they_are_today(void **state)
{
	struct fixture *f = *state;
	static const char *const swaps[][2] = {
		{ "scheduler", "controller" }, /* another name */
		{ "admin", "kubelet-client" }, /* a group where there is none */
		{ "scheduler", "admin" },      /* none where there is one */
		{ "agent", "admin" },          /* another */
	};

	fixture_open(f);
	ensure(f);
	for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
		CLEANUP(mem_freep) char *file = mem_printf("pki/%s.crt", swaps[i][1]);
		CLEANUP(buf_close) struct buf before = fixture_read(f->dir, file);

		copy_pair(f, swaps[i][0], swaps[i][1]);
		ensure(f);

		CLEANUP(mem_freep) char *other = mem_printf("pki/%s.crt", swaps[i][0]);
		CLEANUP(buf_close)
		struct buf after = fixture_read(f->dir, file), copied = fixture_read(f->dir, other);

		assert_string_not_equal(after.data, copied.data);
		assert_string_not_equal(after.data, before.data);
	}
	for (size_t i = 0; i < 2; i++) {
		char group[64] = "";
		size_t size = sizeof(group);
		gnutls_x509_crt_t crt = read_crt(f, i ? "kubelet-client" : "admin");
		int code =
		    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, 0, group, &size);

		assert_int_equal(code, i ? GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE : 0);
		assert_string_equal(group, i ? "" : "kubeadm:cluster-admins");
		gnutls_x509_crt_deinit(crt);
	}
}

static void what_they_say(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	fixture_open(f);
	ensure(f);
	gnutls_x509_crt_t ca = read_crt(f, "ca"), server = read_crt(f, "apiserver"),
			  agent = read_crt(f, "agent");
	unsigned result = 1, critical;
	char text[256], expected[256];
	size_t size = sizeof(text);
	assert_int_equal(gnutls_x509_crt_verify(server, &ca, 1, 0, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(gnutls_x509_crt_get_ca_status(ca, &critical), 1);
	assert_int_equal(gnutls_x509_crt_get_ca_status(agent, &critical), 0);
	assert_true(gnutls_x509_crt_check_hostname(server, "127.0.0.1"));
	assert_true(gnutls_x509_crt_check_hostname(server, "localhost"));
	assert_true(gnutls_x509_crt_check_hostname(server, "kubernetes.default.svc"));
	assert_false(gnutls_x509_crt_check_hostname(server, "192.0.2.7"));
	assert_int_equal(gnutls_x509_crt_get_dn_by_oid(agent, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &size),
			 0);
	snprintf(expected, sizeof(expected), "system:node:%s", f->cluster.node_name);
	assert_string_equal(text, expected);
	size = sizeof(text);
	assert_int_equal(
	    gnutls_x509_crt_get_dn_by_oid(agent, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, 0, text, &size), 0);
	assert_string_equal(text, "system:nodes");
	CLEANUP(mem_freep) char *key = mem_printf("%s/pki/ca.key", f->dir);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(server);
	gnutls_x509_crt_deinit(agent);
}

/* Writes CRT signed by itself with the authority's key, ending in SECONDS. */
static void shorten(struct fixture *f, const char *name, time_t seconds)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/pki/%s.crt", f->dir, name);
	CLEANUP(buf_close) struct buf key_text = fixture_read(f->dir, "pki/ca.key");
	gnutls_datum_t key_pem = { (unsigned char *)key_text.data, (unsigned)key_text.len }, out = { 0 };
	gnutls_x509_crt_t crt = read_crt(f, name), ca = read_crt(f, "ca");
	gnutls_x509_privkey_t key;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_import(key, &key_pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + seconds), 0);
	assert_int_equal(
	    gnutls_x509_crt_sign2(crt, strcmp(name, "ca") == 0 ? crt : ca, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out), 0);
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)out.data, out.size);
	fixture_write(path, text, 0644);
	gnutls_free(out.data);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(ca);
}

static void expiry(void **state)
{
	static const time_t day = 24 * 3600;
	struct fixture *f = *state;
	struct buf last[ARRAY_SIZE(names)] = { 0 };

	fixture_open(f);
	ensure(f);
	shorten(f, "scheduler", -day);
	shorten(f, "admin", 29 * day);
	shorten(f, "agent", 31 * day);
	expect_changed(f, last,
		       "ca apiserver kubelet-client agent-server scheduler-server controller-server agent "
		       "scheduler controller admin ");
	ensure(f);
	expect_changed(f, last, "scheduler admin ");
	/* With the authority all others. */
	shorten(f, "ca", 29 * day);
	ensure(f);
	expect_changed(f, last,
		       "ca apiserver kubelet-client agent-server scheduler-server controller-server agent "
		       "scheduler controller admin ");
	ensure(f);
	expect_changed(f, last, "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		buf_close(&last[i]);
}

static void a_damaged_authority_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	fixture_open(f);
	ensure(f);
	CLEANUP(mem_freep) char *path = mem_printf("%s/pki/ca.crt", f->dir);
	fixture_write(path, "rubbish", 0644);
	assert_int_equal(pki_ensure(&f->cluster, &err), -1);
	assert_non_null(strstr(err.msg, "certificate authority"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_of_the_kind_their_use_calls_for, fixture_begin,
						fixture_end),
		cmocka_unit_test_setup_teardown(made_once_and_anew_when_needed, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(who_they_are_today, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(what_they_say, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(expiry, fixture_begin, fixture_end),
		cmocka_unit_test_setup_teardown(a_damaged_authority_is_not_replaced, fixture_begin,
						fixture_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
