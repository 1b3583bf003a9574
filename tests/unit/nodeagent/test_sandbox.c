/* Real namespaces, links and addresses. Needs root. The node's addresses are this process's own, so that
 * another run on the same machine takes nothing from this one. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/spawn.h"
#include "lib/timefmt.h"
#include "nodeagent/network.h"
#include "nodeagent/sandbox.h"
#include "nodeagent/tree.h"
#include "tests/support/node_fixture.h"

static struct node_fixture f;
static struct network *network;
static char bridge[IFNAMSIZ];
static unsigned range; /* of eight addresses within 10.253.0.0/16 */
static char *addresses, *pods;
static struct err result;

/* The address I of the range; in one of a few rooms, which the next calls use again. */
static const char *address_at(unsigned i)
{
	static char rooms[4][64];
	static unsigned next;
	char *room = rooms[next++ % ARRAY_SIZE(rooms)];

	snprintf(room, sizeof(rooms[0]), "10.253.%u.%u", range / 32, range % 32 * 8 + i);
	return room;
}

static struct network *open_network(void)
{
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *cidr = mem_printf("%s/29", address_at(0));
	const struct network_opts opts = {
		.state_dir = addresses, .bridge = bridge, .pod_cidr = cidr, .cluster_cidr = "10.253.0.0/16"
	};
	struct network *n = network_open(&opts, &err);
	if (!n)
		fail_msg("%s", err.msg);
	return n;
}

static int set_up(void **state)
{
	(void)state;
	if (!node_fixture_root())
		return 0;
	node_fixture_open(&f);
	snprintf(bridge, sizeof(bridge), "kns%d", (int)getpid());
	range = (unsigned)getpid() % 8192;
	addresses = mem_printf("%s/network", f.dir);
	pods = mem_printf("%s/pods", f.dir);
	mkdir(pods, 0755);
	network = open_network();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	if (!network)
		return 0;
	network_close(network);
	network = NULL;
	if (network_purge(bridge, &err) || sandbox_purge(pods, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(if_nametoindex(bridge), 0);
	free(addresses);
	free(pods);
	node_fixture_close(&f);
	return 0;
}

/* Waits long only where there is no answer. */
#define PING "busybox ping -c 1 -W 20 "

#define NEED_ROOT()                                                                                          \
	if (!network) {                                                                                      \
		skip();                                                                                      \
		return;                                                                                      \
	}

static void on_created(const struct sandbox *sandbox, const struct err *err, void *arg)
{
	(void)arg;
	(void)sandbox;
	result = err ? *err : ERR_INIT;
	f.done = true;
}

static void on_destroyed(const struct err *err, void *arg)
{
	(void)arg;
	result = err ? *err : ERR_INIT;
	f.done = true;
}

static char *pod_dir(const char *uid)
{
	char *dir = mem_printf("%s/%s", pods, uid);
	mkdir(dir, 0755);
	return dir;
}

static void create(const char *uid, const char *sysctls, bool host)
{
	CLEANUP(mem_freep) char *dir = pod_dir(uid);
	CLEANUP(json_putp) struct json_object *list = NULL;
	if (sysctls)
		assert_int_equal(json_parse(sysctls, strlen(sysctls), &list, NULL, NULL), 0);
	const struct sandbox_spec spec = { .pod_dir = dir,
					   .pod_uid = uid,
					   .hostname = uid,
					   .sysctls = list,
					   .host_network = host,
					   .host_ipc = host };
	sandbox_create(f.loop, network, &spec, on_created, NULL);
	node_fixture_wait(&f);
}

static void destroy(const char *uid)
{
	CLEANUP(mem_freep) char *dir = pod_dir(uid);
	sandbox_destroy(f.loop, network, dir, uid, on_destroyed, NULL);
	node_fixture_wait(&f);
	if (result.kind)
		fail_msg("%s", result.msg);
}

static struct sandbox load(const char *uid)
{
	struct sandbox sandbox = { 0 };
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *dir = pod_dir(uid);
	if (result.kind || sandbox_load(dir, &sandbox, &err))
		fail_msg("%s %s", result.msg, err.msg);
	return sandbox;
}

/* Runs SCRIPT inside the sandbox's namespaces; its exit status. */
static int run_inside(const struct sandbox *s, const char *script)
{
	CLEANUP(mem_freep)
	char *command = mem_printf("nsenter --net=%s --uts=%s --ipc=%s sh -c '%s'", s->net_ns, s->uts_ns,
				   s->ipc_ns, script);
	const char *const argv[] = { "sh", "-c", command, NULL };
	const struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct spawn_result r;
	struct err err = ERR_INIT;
	assert_int_equal(spawn_run(&opts, &r, &err), 0);
	if (r.status)
		print_message("%s%s", r.out.data ? r.out.data : "", r.err.data ? r.err.data : "");
	buf_close(&r.out);
	buf_close(&r.err);
	return r.status;
}

static void test_two_pods_reach_each_other(void **state)
{
	(void)state;
	NEED_ROOT();
	create("pod-a", "[{\"name\":\"net.core.somaxconn\",\"value\":\"777\"}]", false);
	struct sandbox a = load("pod-a");
	create("pod-b", NULL, false);
	struct sandbox b = load("pod-b");
	assert_string_equal(network_gateway(network), address_at(1));
	assert_string_equal(a.address, address_at(2));
	assert_string_equal(b.address, address_at(3));
	assert_int_equal(
	    run_inside(&a, "test $(hostname) = pod-a && test $(cat /proc/sys/net/core/somaxconn) = 777"), 0);
	CLEANUP(mem_freep)
	char *pings = mem_printf(PING "%s && " PING "%s && " PING "127.0.0.1", b.address, address_at(1));
	assert_int_equal(run_inside(&a, pings), 0);
	/* The node reaches the pod. */
	CLEANUP(mem_freep) char *ping = mem_printf(PING "%s >/dev/null", a.address);
	assert_int_equal(system(ping), 0);

	/* Once more changes nothing, also with a network opened anew, as after a restart. */
	network_close(network);
	network = open_network();
	create("pod-a", NULL, false);
	struct sandbox again = load("pod-a");
	assert_string_equal(again.address, a.address);
	assert_int_equal(run_inside(&again, "test $(cat /proc/sys/net/core/somaxconn) = 777"), 0);
	sandbox_close(&a);
	sandbox_close(&b);
	sandbox_close(&again);
	destroy("pod-a");
	destroy("pod-b");
	destroy("pod-b");
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *dir = pod_dir("pod-a"), *ns = mem_printf("%s/ns", dir);
	assert_int_equal(sandbox_load(dir, &a, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_not_equal(access(ns, F_OK), 0);
}

static void test_half_made_sandbox_is_completed(void **state)
{
	(void)state;
	NEED_ROOT();
	struct sandbox s;
	struct err err = ERR_INIT;
	create("pod-a", NULL, false);
	CLEANUP(mem_freep) char *dir = pod_dir("pod-a"), *command = mem_printf("umount %s/ns/net", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(sandbox_load(dir, &s, &err), -1);
	create("pod-a", NULL, false);
	s = load("pod-a");
	CLEANUP(mem_freep) char *ping = mem_printf(PING "%s >/dev/null", s.address);
	assert_int_equal(system(ping), 0);
	sandbox_close(&s);
	destroy("pod-a");
}

static void test_host_namespaces(void **state)
{
	(void)state;
	NEED_ROOT();
	create("pod-h", NULL, true);
	struct sandbox s = load("pod-h");
	assert_null(s.net_ns);
	assert_null(s.ipc_ns);
	assert_string_equal(s.address, network_node_address(network));
	sandbox_close(&s);
	destroy("pod-h");
}

static void test_foreign_sysctl_is_refused(void **state)
{
	(void)state;
	NEED_ROOT();
	create("pod-s", "[{\"name\":\"vm.swappiness\",\"value\":\"1\"}]", false);
	assert_int_equal(result.kind, ERR_FORBIDDEN);
	create("pod-s", "[{\"name\":\"net.../../vm.swappiness\",\"value\":\"1\"}]", false);
	assert_true(result.kind != ERR_NONE);
	destroy("pod-s");
}

static void test_addresses_run_out(void **state)
{
	(void)state;
	NEED_ROOT();
	struct err err = ERR_INIT;
	char uid[16], address[16] = "", first[16] = "";
	for (int i = 0; i < 5; i++) {
		snprintf(uid, sizeof(uid), "u%d", i);
		assert_int_equal(network_address_get(network, uid, i ? address : first, &err), 0);
	}
	assert_int_equal(network_address_get(network, "u9", address, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(network_address_get(network, "u0", address, &err), 0);
	assert_string_equal(address, first);
	assert_int_equal(network_address_put(network, "u3", &err), 0);
	assert_int_equal(network_address_put(network, "u3", &err), 0);
	assert_int_equal(network_address_get(network, "u9", address, &err), 0);
	const char *const all[] = { "u0", "u1", "u2", "u4", "u9" };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(network_address_put(network, all[i], &err), 0);
}

static void test_bad_options(void **state)
{
	(void)state;
	NEED_ROOT();
	static const char *const ranges[] = { "",           "10.0.0.0",    "10.0.0.0/",
					      "10.0.0/24",  "10.0.0.0/33", "10.0.0.0/31",
					      "10.0.0.0/8", "x/24" };
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		struct err err = ERR_INIT;
		const struct network_opts opts = { .state_dir = addresses,
						   .bridge = bridge,
						   .pod_cidr = ranges[i],
						   .cluster_cidr = "10.0.0.0/8" };
		assert_null(network_open(&opts, &err));
		assert_int_equal(err.kind, ERR_INVALID);
	}
	struct err err = ERR_INIT;
	const struct network_opts opts = { .state_dir = addresses,
					   .bridge = "lo",
					   .pod_cidr = "10.254.9.0/24",
					   .cluster_cidr = "10.0.0.0/8" };
	assert_null(network_open(&opts, &err));
	assert_string_equal(err.msg, "pod network: network device lo is there and is no bridge");
}

static void assert_first_process(const char *pid_ns, long pid)
{
	CLEANUP(mem_freep)
	char *own = mem_printf("/proc/%ld/ns/pid", pid),
	     *cmdline = mem_printf("/proc/%ld/cmdline", pid);
	CLEANUP(buf_close) struct buf words = BUF_INIT;
	struct stat held, of_process, of_node;
	assert_int_equal(stat(pid_ns ? pid_ns : "", &held), 0);
	assert_int_equal(stat(own, &of_process) | stat("/proc/self/ns/pid", &of_node), 0);
	assert_int_equal(held.st_ino, of_process.st_ino);
	assert_int_not_equal(held.st_ino, of_node.st_ino);
	/* The kernel shows the words of a program a moment after it has begun. */
	for (int i = 0; i < 1000 && words.len == 0; i++) {
		assert_int_equal(buf_read_file(&words, cmdline, 4096, NULL), 0);
		poll(NULL, 0, words.len ? 0 : 10);
	}
	assert_int_equal(words.len, 17);
	assert_memory_equal(words.data, "knarr-shim\0pause", 17);
}

/* A PID namespace lives as long as its first process. */
static void test_shared_processes(void **state)
{
	(void)state;
	NEED_ROOT();
	CLEANUP(mem_freep) char *dir = pod_dir("shared"), *shim = node_fixture_program("knarr-shim");
	CLEANUP(mem_freep) char *record = mem_printf("%s/ns/pause", dir);
	CLEANUP(buf_close) struct buf before = BUF_INIT, after = BUF_INIT;
	struct sandbox_spec spec = { .pod_dir = dir,
				     .pod_uid = "shared",
				     .hostname = "shared",
				     .share_processes = true,
				     .shim = "/nosuch" };
	struct err err = ERR_INIT;
	sandbox_create(f.loop, network, &spec, on_created, NULL);
	node_fixture_wait(&f);
	assert_string_equal(result.msg, "run /nosuch: No such file or directory");
	spec.shim = shim;
	for (int i = 0; i < 2; i++) { /* the second time all is there */
		sandbox_create(f.loop, network, &spec, on_created, NULL);
		node_fixture_wait(&f);
		struct sandbox sandbox = load("shared");
		struct buf *text = i ? &after : &before;
		assert_int_equal(buf_read_file(text, record, 64, &err), 0);
		assert_first_process(sandbox.pid_ns, strtol(text->data, NULL, 10));
		sandbox_close(&sandbox);
	}
	assert_string_equal(before.data, after.data);
	/* Killed from outside it is gone with the namespace, and made anew. */
	assert_int_equal(kill((pid_t)strtol(before.data, NULL, 10), SIGKILL), 0);
	struct sandbox gone = { 0 };
	for (int i = 0; i < 1000 && sandbox_load(dir, &gone, NULL) == 0; i++) {
		sandbox_close(&gone);
		poll(NULL, 0, 10);
	}
	assert_int_equal(sandbox_load(dir, &gone, &err), -1);
	sandbox_create(f.loop, network, &spec, on_created, NULL);
	node_fixture_wait(&f);
	buf_reset(&after);
	assert_int_equal(buf_read_file(&after, record, 64, &err), 0);
	assert_string_not_equal(before.data, after.data);
	destroy("shared");
	/* Whoever it was left to may take a moment to notice. */
	for (int i = 0; i < 1000 && kill((pid_t)strtol(after.data, NULL, 10), 0) == 0; i++)
		poll(NULL, 0, 10);
	assert_int_equal(kill((pid_t)strtol(after.data, NULL, 10), 0), -1);
	assert_int_equal(access(record, F_OK), -1);
}

static void test_figures(void **state)
{
	(void)state;
	NEED_ROOT();
	int64_t best = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t begin = time_mono_us();
		create("pod-f", NULL, false);
		int64_t took = time_mono_us() - begin;
		best = took < best ? took : best;
		destroy("pod-f");
	}
	print_message("sandbox made in %lld us\n", (long long)best);
}

/* What a purge finds when no agent has ended the pods: namespaces and a volume in memory. */
static void test_purge(void **state)
{
	(void)state;
	NEED_ROOT();
	CLEANUP(mem_freep) char *pod = mem_printf("%s/purged", pods);
	CLEANUP(mem_freep) char *volume = mem_printf("%s/volumes/tmp", pod);
	struct err err = ERR_INIT;

	assert_int_equal(tree_make(volume, 0755, &err), 0);
	assert_int_equal(mount("tmpfs", volume, "tmpfs", 0, NULL), 0);
	assert_true(tree_is_mount(volume));
	if (sandbox_purge(pods, &err) < 0)
		fail_msg("%s", err.msg);
	assert_false(tree_is_mount(volume));
	assert_int_equal(tree_remove(pod, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_pods_reach_each_other),
		cmocka_unit_test(test_half_made_sandbox_is_completed),
		cmocka_unit_test(test_host_namespaces),
		cmocka_unit_test(test_foreign_sysctl_is_refused),
		cmocka_unit_test(test_addresses_run_out),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_shared_processes),
		cmocka_unit_test(test_purge),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
