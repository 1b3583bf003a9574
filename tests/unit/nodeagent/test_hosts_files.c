#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "nodeagent/hosts_files.h"
#include "tests/support/node_fixture.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void expect(const struct node_fixture *f, const char *pod_text, const char *file, const char *present, const char *absent)
{
	CLEANUP(json_putp) struct json_object *pod = parse(pod_text);
	CLEANUP(mem_freep) char *hosts = mem_printf("%s/node-hosts", f->dir);
	CLEANUP(mem_freep) char *resolv = mem_printf("%s/node-resolv", f->dir);
	CLEANUP(mem_freep) char *path = mem_printf("%s/etc/%s", f->dir, file);
	CLEANUP(mem_freep) char *name = hosts_files_hostname(pod, "n1");
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	static const char host_hosts[] = "127.0.0.1 node-own-line\n", host_resolv[] = "search example.com\nnameserver 192.0.2.53\n";

	assert_int_equal(buf_write_file_atomic(hosts, host_hosts, strlen(host_hosts), 0644, NULL), 0);
	assert_int_equal(buf_write_file_atomic(resolv, host_resolv, strlen(host_resolv), 0644, NULL), 0);
	const struct hosts_files_opts opts = {
		.pod_dir = f->dir, .pod = pod, .hostname = name, .address = "10.0.0.2", .host_hosts = hosts,
		.host_resolv_conf = resolv,
	};
	assert_int_equal(hosts_files_write(&opts, NULL), 0);
	assert_int_equal(buf_read_file(&b, path, 65536, NULL), 0);
	if (!strstr(b.data, present))
		fail_msg("%s of %s has no \"%s\":\n%s", file, pod_text, present, b.data);
	if (absent && strstr(b.data, absent))
		fail_msg("%s of %s has \"%s\":\n%s", file, pod_text, absent, b.data);
}

static void test_files(void **state)
{
	struct node_fixture f;

	(void)state;
	node_fixture_open(&f);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{}}", "hosts", "10.0.0.2\tp\n", "node-own-line");
	expect(&f, "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"},\"spec\":{\"hostname\":\"h\",\"subdomain\":\"s\"}}", "hosts",
	       "10.0.0.2\th.s.ns.svc.cluster.local h\n", NULL);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"hostNetwork\":true}}", "hosts", "node-own-line", "10.0.0.2");
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"a\",\"b\"]}]}}", "hosts",
	       "1.2.3.4\ta b\n", NULL);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{}}", "hostname", "p\n", NULL);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"hostNetwork\":true}}", "hostname", "n1\n", NULL);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{}}", "resolv.conf", "nameserver 192.0.2.53\n", NULL);
	expect(&f, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"dnsPolicy\":\"None\",\"dnsConfig\":{\"nameservers\":[\"9.9.9.9\"],"
		   "\"searches\":[\"x.y\",\"z\"],\"options\":[{\"name\":\"ndots\",\"value\":\"2\"}]}}}", "resolv.conf",
	       "search x.y z\nnameserver 9.9.9.9\noptions ndots:2\n", "192.0.2.53");
	node_fixture_close(&f);
}

static void test_hostname_is_cut(void **state)
{
	CLEANUP(json_putp) struct json_object *pod = parse("{\"metadata\":{\"name\":"
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbb\"},\"spec\":{}}");
	CLEANUP(mem_freep) char *name = hosts_files_hostname(pod, "n1");

	(void)state;
	assert_int_equal(strlen(name), 62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_hostname_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
