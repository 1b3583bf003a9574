#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/kubeconfig.h"

static char dir[] = "/tmp/test_kubeconfig.XXXXXX";

/* Writes NAME in the test's folder. */
static void put(const char *name, const char *text)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);

	assert_int_equal(buf_write_file_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("HOME", dir, 1);
	unsetenv("KUBECONFIG");
	CLEANUP(mem_freep) char *sub = mem_printf("%s/sub", dir);
	CLEANUP(mem_freep) char *kube = mem_printf("%s/.kube", dir);
	mkdir(sub, 0700);
	mkdir(kube, 0700);
	put("sub/ca.pem", "CA FILE");
	put("sub/token", "from-file\n");
	put("a.yaml", "apiVersion: v1\n"
		      "kind: Config\n"
		      "current-context: one\n"
		      "clusters:\n"
		      "- name: c1\n"
		      "  cluster: {server: 'https://10.0.0.1:6443/', certificate-authority-data: Q0E=}\n"
		      "- name: c2\n"
		      "  cluster: {server: 'https://10.0.0.2', insecure-skip-tls-verify: true, tls-server-name: api}\n"
		      "- name: both\n"
		      "  cluster: {server: 'https://x', insecure-skip-tls-verify: true, certificate-authority-data: Q0E=}\n"
		      "contexts:\n"
		      "- name: one\n"
		      "  context: {cluster: c1, user: u1, namespace: web}\n"
		      "- name: two\n"
		      "  context: {cluster: c2, user: u2}\n"
		      "- name: both\n"
		      "  context: {cluster: both, user: u2}\n"
		      "- name: exec\n"
		      "  context: {cluster: c1, user: exec}\n"
		      "- name: half\n"
		      "  context: {cluster: c1, user: half}\n"
		      "- name: lost\n"
		      "  context: {cluster: nowhere, user: u1}\n"
		      "- name: nobody\n"
		      "  context: {cluster: c1, user: nobody}\n"
		      "users:\n"
		      "- name: u1\n"
		      "  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}\n"
		      "- name: u2\n"
		      "  user: {token: secret}\n"
		      "- name: half\n"
		      "  user: {client-certificate-data: Q0VSVA==}\n"
		      "- name: exec\n"
		      "  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}\n");
	put("sub/b.yaml", "current-context: three\n"
			  "clusters:\n"
			  "- name: c1\n"
			  "  cluster: {server: 'https://overridden'}\n"
			  "- name: c3\n"
			  "  cluster: {server: 'https://10.0.0.3:1', certificate-authority: ca.pem}\n"
			  "contexts:\n"
			  "- name: three\n"
			  "  context: {cluster: c3, user: u3}\n"
			  "users:\n"
			  "- name: u3\n"
			  "  user: {token: ignored, tokenFile: token}\n");
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "a.yaml", "sub/b.yaml", "sub/ca.pem", "sub/token", "bad.yaml",
					     ".kube/config", "sub", ".kube", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, files[i]);

		if (unlink(path) < 0)
			rmdir(path);
	}
	return 0;
}

/* The overrides with --kubeconfig=dir/NAME; valid until the next call. */
static struct kubeconfig_overrides from(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return (struct kubeconfig_overrides){ .path = path };
}

static void resolves_a_context(void **state)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	CLEANUP(kubeconfig_close) struct kubeconfig two = { 0 };
	struct kubeconfig_overrides overrides = from("a.yaml");

	(void)state;
	assert_int_equal(kubeconfig_load(&overrides, &config, NULL), 0);
	assert_string_equal(config.context, "one");
	assert_string_equal(config.server, "https://10.0.0.1:6443");
	assert_string_equal(config.namespace_, "web");
	assert_string_equal(config.user, "u1");
	assert_string_equal(config.ca_pem, "CA");
	assert_string_equal(config.cert_pem, "CERT");
	assert_string_equal(config.key_pem, "KEY");
	assert_null(config.token);
	assert_false(config.insecure_skip_verify);
	overrides.context = "two";
	assert_int_equal(kubeconfig_load(&overrides, &two, NULL), 0);
	assert_string_equal(two.namespace_, "default");
	assert_string_equal(two.token, "secret");
	assert_string_equal(two.tls_server_name, "api");
	assert_true(two.insecure_skip_verify);
}

static void overrides_win(void **state)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	CLEANUP(kubeconfig_close) struct kubeconfig insecure = { 0 };
	CLEANUP(kubeconfig_close) struct kubeconfig bare = { 0 };
	CLEANUP(mem_freep) char *ca = mem_printf("%s/sub/ca.pem", dir);
	struct kubeconfig_overrides overrides = from("a.yaml");

	(void)state;
	overrides.cluster = "c2";
	overrides.user = "u2";
	overrides.namespace_ = "ns";
	overrides.token = "mine";
	overrides.certificate_authority = ca;
	overrides.tls_server_name = "other";
	assert_int_equal(kubeconfig_load(&overrides, &config, NULL), 0);
	assert_string_equal(config.server, "https://10.0.0.2");
	assert_string_equal(config.namespace_, "ns");
	assert_string_equal(config.token, "mine");
	assert_string_equal(config.ca_pem, "CA FILE");
	assert_string_equal(config.tls_server_name, "other");
	assert_false(config.insecure_skip_verify);
	overrides = from("a.yaml");
	overrides.insecure_skip_tls_verify = true;
	assert_int_equal(kubeconfig_load(&overrides, &insecure, NULL), 0);
	assert_true(insecure.insecure_skip_verify);
	assert_null(insecure.ca_pem);
	/* No file at all, but a server. */
	overrides = (struct kubeconfig_overrides){ .server = "127.0.0.1:1/" };
	assert_int_equal(kubeconfig_load(&overrides, &bare, NULL), 0);
	assert_string_equal(bare.server, "https://127.0.0.1:1");
}

static void files_are_merged(void **state)
{
	CLEANUP(mem_freep) char *list = mem_printf("%s/missing:%s/a.yaml::%s/sub/b.yaml", dir, dir, dir);
	CLEANUP(mem_freep) char *reversed = mem_printf("%s/sub/b.yaml:%s/a.yaml", dir, dir);
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	CLEANUP(kubeconfig_close) struct kubeconfig second = { 0 };
	struct kubeconfig_overrides overrides = { 0 };

	(void)state;
	setenv("KUBECONFIG", list, 1);
	assert_int_equal(kubeconfig_load(&overrides, &config, NULL), 0);
	assert_string_equal(config.context, "one");
	assert_string_equal(config.server, "https://10.0.0.1:6443");
	setenv("KUBECONFIG", reversed, 1);
	assert_int_equal(kubeconfig_load(&overrides, &second, NULL), 0);
	unsetenv("KUBECONFIG");
	assert_string_equal(second.context, "three");
	/* Paths are relative to their file. */
	assert_string_equal(second.ca_pem, "CA FILE");
	assert_string_equal(second.token, "from-file");
}

static void home_is_the_default(void **state)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	struct kubeconfig_overrides overrides = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(kubeconfig_load(&overrides, &config, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	put(".kube/config", "{\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://home\"}}],"
			    "\"contexts\":[{\"name\":\"h\",\"context\":{\"cluster\":\"c\"}}],\"current-context\":\"h\"}");
	assert_int_equal(kubeconfig_load(&overrides, &config, &err), 0);
	assert_string_equal(config.server, "https://home");
}

static void faults_are_named(void **state)
{
	static const struct {
		const char *context, *message;
	} contexts[] = {
		{ "x", "context \"x\" does not exist" },
		{ "lost", "cluster \"nowhere\" does not exist" },
		{ "nobody", "auth info \"nobody\" does not exist" },
		{ "exec", "user \"exec\": exec credential plugins are not supported" },
		{ "both", "specifying a root certificates file with the insecure flag is not allowed" },
		{ "half", "client-key-data or client-key must be specified for half" },
	};
	static const struct {
		const char *text, *message;
	} texts[] = {
		{ "[]", "expected an object" },
		{ "clusters: {}", "clusters: expected a list" },
		{ "clusters: [{}]", "clusters[0].name: expected a string" },
		{ "clusters: [3]", "clusters[0].name: expected a string" },
		{ "users: [{name: a, user: 3}]", "users[0].user: expected an object" },
		{ "users: [{name: a, user: {token: 3}}]", "users[0].user.token: expected a string" },
		{ "clusters: [{name: a, cluster: {insecure-skip-tls-verify: 'yes'}}]",
		  "clusters[0].cluster.insecure-skip-tls-verify: expected a boolean" },
		{ "current-context: [a]", "current-context: expected a string" },
		{ "kind: Pod\napiVersion: v1", "no kind \"Pod\" is registered for version \"v1\"" },
		{ "a: [", "bad.yaml" },
	};
	struct kubeconfig config;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		struct kubeconfig_overrides overrides = from("a.yaml");

		overrides.context = contexts[i].context;
		assert_int_equal(kubeconfig_load(&overrides, &config, &err), -1);
		assert_non_null(strstr(err.msg, contexts[i].message));
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct kubeconfig_overrides overrides = from("bad.yaml");

		put("bad.yaml", texts[i].text);
		assert_int_equal(kubeconfig_load(&overrides, &config, &err), -1);
		assert_non_null(strstr(err.msg, texts[i].message));
		assert_non_null(strstr(err.msg, "bad.yaml"));
	}
	struct kubeconfig_overrides missing = from("missing.yaml");
	assert_int_equal(kubeconfig_load(&missing, &config, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "missing.yaml: no such file or directory"));
	struct kubeconfig_overrides token = from("a.yaml");
	token.token = "two\r\nlines";
	assert_int_equal(kubeconfig_load(&token, &config, &err), -1);
}

/* The header lines for the one user of a file that has MEMBERS; NULL for none, or for an error. */
static const char *lines_of(const char *members, const struct kubeconfig_overrides *more, struct err *err)
{
	static char lines[512];
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	CLEANUP(mem_freep) char *text = mem_printf("users: [{name: u, user: {%s}}]", members);
	struct kubeconfig_overrides overrides = from("as.yaml");

	put("as.yaml", text);
	overrides.server = "https://127.0.0.1";
	overrides.user = "u";
	if (more) {
		overrides.as = more->as;
		overrides.as_uid = more->as_uid;
		overrides.as_groups = more->as_groups;
		overrides.n_as_groups = more->n_as_groups;
	}
	if (kubeconfig_load(&overrides, &config, err) < 0 || !config.impersonation)
		return NULL;
	snprintf(lines, sizeof(lines), "%s", config.impersonation);
	return lines;
}

static void requests_are_somebody_elses(void **state)
{
	static const char *const groups[] = { "a,b", "c" };
	struct kubeconfig_overrides jack = {
		.as = "jack", .as_uid = "7", .as_groups = groups, .n_as_groups = 2
	};
	static const struct {
		const char *members, *message;
	} faults[] = {
		{ "as-groups: [a]",
		  "requesting uid, groups or user-extra for u without impersonating a user" },
		{ "as-uid: x", "without impersonating a user" },
		{ "as: jane, as-groups: a", "as-groups: expected a list of strings" },
		{ "as: jane, as-groups: [3]", "as-groups: expected a list of strings" },
		{ "as: jane, as-user-extra: []", "as-user-extra: expected an object" },
		{ "as: jane, as-user-extra: {k: v}", "as-user-extra: expected a list of strings" },
		{ "as: \"jane\\r\\nX: y\"", "Impersonate-User has more than one line" },
		{ "as: jane, as-groups: [\"a\\nb\"]", "Impersonate-Group has more than one line" },
	};
	struct err err = ERR_INIT;

	(void)state;
	assert_null(lines_of("", NULL, &err));
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(lines_of("as: jane, as-uid: '4', as-groups: [dev, ops], "
				     "as-user-extra: {scopes: [x, v], 'a/b': [z]}",
				     NULL, NULL),
			    "Impersonate-User: jane\r\nImpersonate-Uid: 4\r\nImpersonate-Group: dev\r\n"
			    "Impersonate-Group: ops\r\nImpersonate-Extra-scopes: x\r\n"
			    "Impersonate-Extra-scopes: v\r\nImpersonate-Extra-a%2Fb: z\r\n");
	assert_string_equal(lines_of("as: jane, as-groups: [dev]", &jack, NULL),
			    "Impersonate-User: jack\r\nImpersonate-Uid: 7\r\nImpersonate-Group: a,b\r\n"
			    "Impersonate-Group: c\r\n");
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		assert_null(lines_of(faults[i].members, NULL, &err));
		assert_non_null(strstr(err.msg, faults[i].message));
	}
}

static void view_hides_secrets(void **state)
{
	CLEANUP(json_putp) struct json_object *view = NULL;
	CLEANUP(json_putp) struct json_object *raw = NULL;
	CLEANUP(json_putp) struct json_object *small = NULL;
	CLEANUP(json_putp) struct json_object *none = NULL;
	struct kubeconfig_overrides overrides = from("a.yaml"), nothing = { .path = NULL };
	const char *text;

	(void)state;
	assert_int_equal(kubeconfig_view(&overrides, false, false, &view, NULL), 0);
	text = json_object_to_json_string(view);
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "S0VZ"));
	assert_non_null(strstr(text, "DATA+OMITTED"));
	assert_non_null(strstr(text, "REDACTED"));
	assert_string_equal(json_str(json_at(json_get(view, "clusters"), 0), "name"), "both"); /* sorted */
	assert_int_equal(kubeconfig_view(&overrides, true, false, &raw, NULL), 0);
	assert_non_null(strstr(json_object_to_json_string(raw), "secret"));
	overrides.context = "two";
	assert_int_equal(kubeconfig_view(&overrides, false, true, &small, NULL), 0);
	assert_int_equal(json_len(json_get(small, "clusters")), 1);
	assert_int_equal(json_len(json_get(small, "contexts")), 1);
	assert_int_equal(json_len(json_get(small, "users")), 1);
	assert_string_equal(json_str(small, "current-context"), "two");
	/* Nothing configured shows as nulls, as kubectl prints. */
	setenv("KUBECONFIG", "/nonexistent", 1);
	assert_int_equal(kubeconfig_view(&nothing, false, false, &none, NULL), 0);
	unsetenv("KUBECONFIG");
	assert_string_equal(json_object_to_json_string_ext(none, JSON_C_TO_STRING_PLAIN),
			    "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"clusters\":null,\"contexts\":null,\"users\":null,"
			    "\"current-context\":\"\",\"preferences\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_a_context), cmocka_unit_test(overrides_win),
		cmocka_unit_test(files_are_merged),   cmocka_unit_test(home_is_the_default),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(requests_are_somebody_elses),   cmocka_unit_test(view_hides_secrets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
