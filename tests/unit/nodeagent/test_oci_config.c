#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "nodeagent/capability.h"
#include "nodeagent/oci_config.h"
#include "tests/support/node_fixture.h"

static struct node_fixture f;
static char *layers[2];

static void write_file(const char *layer, const char *name, const char *text)
{
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *dir = mem_printf("%s/etc", layer), *path = mem_printf("%s/%s", layer, name);
	mkdir(layer, 0755);
	mkdir(dir, 0755);
	if (buf_write_file_atomic(path, text, strlen(text), 0644, &err))
		fail_msg("%s", err.msg);
}

static int set_up(void **state)
{
	(void)state;
	node_fixture_open(&f);
	layers[0] = mem_printf("%s/0", f.dir);
	layers[1] = mem_printf("%s/1", f.dir);
	write_file(layers[0], "etc/passwd", "root:x:0:0::/:/bin/sh\nold:x:5:5::/:/bin/sh\n");
	write_file(layers[0], "etc/group", "root:x:0:\nstaff:x:50:web,old\nweb:x:34:\n");
	write_file(layers[1], "etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\nbad:x:99999999999:1::/:\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(layers[0]);
	free(layers[1]);
	node_fixture_close(&f);
	return 0;
}

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;
	if (json_parse(text, strlen(text), &obj, NULL, &err))
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static const struct sandbox sandbox = { .address = "10.0.0.2", .net_ns = "/p/ns/net", .ipc_ns = "/p/ns/ipc", .uts_ns = "/p/ns/uts" };

/* Builds from JSON texts; NULL and *err on failure. */
static struct json_object *build_in(const char *pid_ns, const char *image_config, const char *pod, const char *container,
				    struct err *err)
{
	static char *const env[] = { "PATH=/bin", "A=1", "B=two", NULL };
	CLEANUP(json_putp) struct json_object *config = parse(image_config), *pod_spec = parse(pod), *c = parse(container);
	struct image image = { .config = config, .layers = layers, .n_layers = 2 };
	const struct runtime_mount mounts[] = { { .source = "/v", .destination = "/data", .read_only = true } };
	const struct container_spec spec = { .pod_dir = "/p", .pod_uid = "u", .pod_name = "p", .pod_namespace = "default",
					     .hostname = "h", .name = "c", .image = &image, .sandbox = &sandbox, .pid_ns = pid_ns,
					     .pod_spec = pod_spec, .container = c, .env = env, .mounts = mounts, .n_mounts = 1,
					     .oom_score_adj = -997 };
	const struct oci_machine machine = { .capabilities = (UINT64_C(1) << 41) - 1, .max_files = 4096, .oom_score_adj_min = 0 };
	struct json_object *ret = NULL;
	return oci_config_build(&machine, &spec, "/knarr/podu/id", "/p/t", &ret, err) ? NULL : ret;
}

static struct json_object *build(const char *image_config, const char *pod, const char *container, struct err *err)
{
	return build_in(NULL, image_config, pod, container, err);
}

static void expect(const struct json_object *value, const char *wanted)
{
	CLEANUP(json_putp) struct json_object *want = parse(wanted);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	json_write(&b, value);
	if (!json_equal(value, want))
		fail_msg("%s instead of %s", b.data, wanted);
}

#define IMAGE "{\"config\":{\"Entrypoint\":[\"/entry\",\"$(A)\"],\"Cmd\":[\"cmd\"],\"User\":\"web\",\"WorkingDir\":\"/w\"," \
	      "\"StopSignal\":\"SIGQUIT\"}}"

static const struct {
	const char *container, *args;
} commands[] = {
	{ "{}", "[\"/entry\",\"$(A)\",\"cmd\"]" },
	{ "{\"args\":[\"x$(A)\",\"$$(A)\",\"$(NONE)\",\"$(\",\"$\",\"$$\"]}",
	  "[\"/entry\",\"$(A)\",\"x1\",\"$(A)\",\"$(NONE)\",\"$(\",\"$\",\"$\"]" },
	{ "{\"command\":[\"/c\",\"$(A)$(B)\"]}", "[\"/c\",\"1two\"]" },
	{ "{\"command\":[\"/c\"],\"args\":[\"a\"]}", "[\"/c\",\"a\"]" },
};

static void test_command(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		CLEANUP(json_putp) struct json_object *config = build(IMAGE, "{}", commands[i].container, &err);
		assert_non_null(config);
		expect(json_path(config, "process", "args", NULL), commands[i].args);
	}
	assert_null(build("{\"config\":{}}", "{}", "{}", &err));
	assert_string_equal(err.msg, "no command specified");
	assert_int_equal(err.kind, ERR_INVALID);
}

static const struct {
	const char *image_user, *pod, *container, *user;
} users[] = {
	{ "web", "{}", "{}", "{\"uid\":33,\"gid\":34,\"additionalGids\":[34,50]}" },
	{ "", "{}", "{}", "{\"uid\":0,\"gid\":0,\"additionalGids\":[0]}" },
	{ "33:staff", "{}", "{}", "{\"uid\":33,\"gid\":50,\"additionalGids\":[50]}" },
	{ "1000", "{}", "{}", "{\"uid\":1000,\"gid\":0,\"additionalGids\":[0]}" },
	{ "web", "{\"securityContext\":{\"runAsUser\":7,\"fsGroup\":9,\"supplementalGroups\":[8]}}",
	  "{\"securityContext\":{\"runAsGroup\":6}}", "{\"uid\":7,\"gid\":6,\"additionalGids\":[6,8,9]}" },
	{ "web", "{\"securityContext\":{\"runAsUser\":7}}", "{\"securityContext\":{\"runAsUser\":33}}",
	  "{\"uid\":33,\"gid\":34,\"additionalGids\":[34,50]}" },
	{ "web", "{\"securityContext\":{\"supplementalGroupsPolicy\":\"Strict\",\"supplementalGroups\":[8]}}", "{}",
	  "{\"uid\":33,\"gid\":34,\"additionalGids\":[34,8]}" },
};

static void test_user(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		CLEANUP(mem_freep) char *image = mem_printf("{\"config\":{\"Cmd\":[\"x\"],\"User\":\"%s\"}}", users[i].image_user);
		CLEANUP(json_putp) struct json_object *config = build(image, users[i].pod, users[i].container, &err);
		if (!config)
			fail_msg("%s", err.msg);
		expect(json_path(config, "process", "user", NULL), users[i].user);
	}
	/* The upper layer's passwd is the one that counts. */
	assert_null(build("{\"config\":{\"Cmd\":[\"x\"],\"User\":\"old\"}}", "{}", "{}", &err));
	assert_string_equal(err.msg, "unable to find user old: no matching entries in passwd file");
	assert_null(build("{\"config\":{\"Cmd\":[\"x\"],\"User\":\"web:none\"}}", "{}", "{}", &err));
	assert_string_equal(err.msg, "unable to find group none: no matching entries in group file");
	assert_null(build(IMAGE, "{\"securityContext\":{\"runAsNonRoot\":true}}", "{}", &err));
	assert_string_equal(err.msg, "container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root "
				     "(pod: \"p_default(u)\", container: c)");
	assert_null(build(IMAGE, "{\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":0}}", "{}", &err));
	assert_string_equal(err.msg, "container's runAsUser breaks non-root policy (pod: \"p_default(u)\", container: c)");
}

static void test_capabilities(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *few =
		build(IMAGE, "{}", "{\"securityContext\":{\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"NET_ADMIN\",\"cap_kill\"]},"
				   "\"allowPrivilegeEscalation\":false}}", &err);
	expect(json_path(few, "process", "capabilities", "bounding", NULL), "[\"CAP_KILL\",\"CAP_NET_ADMIN\"]");
	expect(json_path(few, "process", "noNewPrivileges", NULL), "true");
	CLEANUP(json_putp) struct json_object *usual = build(IMAGE, "{}", "{}", &err);
	assert_int_equal(json_len(json_path(usual, "process", "capabilities", "effective", NULL)), 14);
	CLEANUP(json_putp) struct json_object *all = build(IMAGE, "{}", "{\"securityContext\":{\"privileged\":true}}", &err);
	assert_int_equal(json_len(json_path(all, "process", "capabilities", "effective", NULL)), 41);
	assert_null(json_path(all, "linux", "maskedPaths", NULL));
	assert_null(json_path(all, "linux", "seccomp", NULL));
	assert_null(build(IMAGE, "{}", "{\"securityContext\":{\"capabilities\":{\"add\":[\"NOPE\"]}}}", &err));
	assert_string_equal(err.msg, "unknown capability \"NOPE\"");
}

static void test_resources(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *config =
		build(IMAGE, "{}", "{\"resources\":{\"requests\":{\"cpu\":\"250m\"},\"limits\":{\"cpu\":\"1\",\"memory\":\"64Mi\"}}}", &err);
	expect(json_path(config, "linux", "resources", "cpu", NULL), "{\"shares\":256,\"period\":100000,\"quota\":100000}");
	expect(json_path(config, "linux", "resources", "memory", NULL), "{\"limit\":67108864}");
	expect(json_path(config, "linux", "cgroupsPath", NULL), "\"/knarr/podu/id\"");
	expect(json_path(config, "process", "oomScoreAdj", NULL), "0"); /* -997 is not granted */
	expect(json_path(config, "process", "rlimits", NULL), "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":4096}]");
	CLEANUP(json_putp) struct json_object *none = build(IMAGE, "{}", "{}", &err);
	expect(json_path(none, "linux", "resources", "cpu", NULL), "{\"shares\":2,\"period\":100000}");
	assert_null(json_path(none, "linux", "resources", "memory", NULL));
}

static struct json_object *mount_at(const struct json_object *config, const char *destination)
{
	const struct json_object *mounts = json_get(config, "mounts");
	for (size_t i = 0; i < json_len(mounts); i++) {
		if (!strcmp(json_str_or_empty(json_at(mounts, i), "destination"), destination))
			return json_at(mounts, i);
	}
	return NULL;
}

static void test_mounts_and_namespaces(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *config = build(IMAGE, "{}", "{\"terminationMessagePath\":\"/t\"}", &err);
	expect(mount_at(config, "/data"),
	       "{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/v\",\"options\":[\"rbind\",\"ro\",\"rprivate\"]}");
	expect(json_get(mount_at(config, "/dev/shm"), "source"), "\"/p/shm\"");
	expect(json_get(mount_at(config, "/t"), "source"), "\"/p/t\"");
	expect(json_path(config, "linux", "namespaces", NULL),
	       "[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/p/ns/net\"},{\"type\":\"ipc\",\"path\":\"/p/ns/ipc\"},"
	       "{\"type\":\"uts\",\"path\":\"/p/ns/uts\"}]");
	CLEANUP(json_putp) struct json_object *host = build(IMAGE, "{\"hostPID\":true}", "{}", &err);
	assert_int_equal(json_len(json_path(host, "linux", "namespaces", NULL)), 4);
	CLEANUP(json_putp) struct json_object *joined = build_in("/proc/7/ns/pid", IMAGE, "{}", "{}", &err);
	expect(json_at(json_path(joined, "linux", "namespaces", NULL), 1), "{\"type\":\"pid\",\"path\":\"/proc/7/ns/pid\"}");
	CLEANUP(json_putp) struct json_object *of_host = build_in("/proc/7/ns/pid", IMAGE, "{\"hostPID\":true}", "{}", &err);
	assert_int_equal(json_len(json_path(of_host, "linux", "namespaces", NULL)), 4);
}

static void test_seccomp(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	CLEANUP(json_putp) struct json_object *unset = build(IMAGE, "{}", "{}", &err);
	assert_null(json_path(unset, "linux", "seccomp", NULL));
	CLEANUP(json_putp) struct json_object *set =
		build(IMAGE, "{\"securityContext\":{\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}}", "{}", &err);
	expect(json_path(set, "linux", "seccomp", "defaultAction", NULL), "\"SCMP_ACT_ERRNO\"");
	assert_null(build(IMAGE, "{\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"x\"}}}", "{}", &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_signals(void **state)
{
	(void)state;
	assert_int_equal(oci_signal_number("SIGTERM"), SIGTERM);
	assert_int_equal(oci_signal_number("usr1"), SIGUSR1);
	assert_int_equal(oci_signal_number("3"), SIGQUIT);
	assert_int_equal(oci_signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(oci_signal_number("SIGRTMAX-1"), SIGRTMAX - 1);
	assert_int_equal(oci_signal_number("SIGNOPE"), 0);
	assert_int_equal(oci_signal_number("0"), 0);
	assert_int_equal(oci_signal_number("999"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),	  cmocka_unit_test(test_user),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_resources),
		cmocka_unit_test(test_mounts_and_namespaces), cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_signals),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
