#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nodeagent/agent.h"
#include "nodeagent/pod_env.h"
#include "nodeagent/service_env.h"
#include "tests/support/test_server.h"

static void write_line(const char *name, const char *value, void *arg)
{
	buf_printf(arg, "%s=%s\n", name, value);
}

/* The kubelet's names, in its order. */
static void test_names(void **state)
{
	static const struct service_link_port ports[] = { { "http", "TCP", 80, 80 }, { "8-dns.x", "UDP", 53, 53 } };
	static const struct service_link_port bare = { "", "TCP", 443, 6443 };
	CLEANUP(buf_close) struct buf lines = BUF_INIT;

	(void)state;
	service_link_vars(&(struct service_link){ "my-db", "10.96.0.9", 2, ports }, write_line, &lines);
	assert_string_equal(lines.data, "MY_DB_SERVICE_HOST=10.96.0.9\n"
					"MY_DB_SERVICE_PORT=80\n"
					"MY_DB_SERVICE_PORT_HTTP=80\n"
					"MY_DB_SERVICE_PORT__8_DNS_X=53\n"
					"MY_DB_PORT=tcp://10.96.0.9:80\n"
					"MY_DB_PORT_80_TCP=tcp://10.96.0.9:80\n"
					"MY_DB_PORT_80_TCP_PROTO=tcp\n"
					"MY_DB_PORT_80_TCP_PORT=80\n"
					"MY_DB_PORT_80_TCP_ADDR=10.96.0.9\n"
					"MY_DB_PORT_53_UDP=udp://10.96.0.9:53\n"
					"MY_DB_PORT_53_UDP_PROTO=udp\n"
					"MY_DB_PORT_53_UDP_PORT=53\n"
					"MY_DB_PORT_53_UDP_ADDR=10.96.0.9\n");
	buf_reset(&lines);
	/* The port that a name has and where it leads can differ. */
	service_link_vars(&(struct service_link){ "1x", "192.0.2.1", 1, &bare }, write_line, &lines);
	assert_string_equal(lines.data, "_1X_SERVICE_HOST=192.0.2.1\n"
					"_1X_SERVICE_PORT=6443\n"
					"_1X_PORT=tcp://192.0.2.1:6443\n"
					"_1X_PORT_443_TCP=tcp://192.0.2.1:6443\n"
					"_1X_PORT_443_TCP_PROTO=tcp\n"
					"_1X_PORT_443_TCP_PORT=6443\n"
					"_1X_PORT_443_TCP_ADDR=192.0.2.1\n");
}

static const char services[] =
    "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":["
    "{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\",\"uid\":\"1\",\"resourceVersion\":\"1\"},"
    "\"spec\":{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\",\"protocol\":\"TCP\",\"port\":443}]}},"
    "{\"metadata\":{\"name\":\"db\",\"namespace\":\"ns\",\"uid\":\"2\",\"resourceVersion\":\"2\"},"
    "\"spec\":{\"clusterIP\":\"10.96.0.2\",\"ports\":[{\"protocol\":\"TCP\",\"port\":5432}]}},"
    "{\"metadata\":{\"name\":\"headless\",\"namespace\":\"ns\",\"uid\":\"3\",\"resourceVersion\":\"3\"},"
    "\"spec\":{\"clusterIP\":\"None\",\"ports\":[{\"protocol\":\"TCP\",\"port\":1}]}},"
    "{\"metadata\":{\"name\":\"other\",\"namespace\":\"else\",\"uid\":\"4\",\"resourceVersion\":\"4\"},"
    "\"spec\":{\"clusterIP\":\"10.96.0.4\",\"ports\":[{\"protocol\":\"TCP\",\"port\":1}]}}]}";

struct fixture {
	struct test_server server;
	struct test_stream watch;
	struct agent agent;
	bool synced;
};

static void serve(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	if (strstr(http_exchange_target(exchange), "watch="))
		test_stream_begin(&f->watch, exchange, "application/json");
	else
		reply_json(exchange, 200, services);
}

static void on_synced(void *arg)
{
	((struct fixture *)arg)->synced = true;
}

/* What a container of POD with an "env" that names a Service's variable is given. */
static void build(const struct service_env *env, const char *pod_text, struct pod_env *ret)
{
	static const char container_text[] = "{\"env\":[{\"name\":\"URL\",\"value\":\"$(DB_PORT)\"}]}";
	CLEANUP(json_putp) struct json_object *pod = NULL, *container = NULL;

	assert_int_equal(json_parse(pod_text, strlen(pod_text), &pod, NULL, NULL), 0);
	assert_int_equal(json_parse(container_text, strlen(container_text), &container, NULL, NULL), 0);
	struct pod_env_opts opts = { .pod = pod, .container = container, .hostname = "p", .services = env };
	assert_int_equal(pod_env_build(&opts, ret, NULL), 0);
}

static void expect(const struct service_env *env, const char *pod, const char *name, const char *value)
{
	CLEANUP(pod_env_close) struct pod_env built = { 0 };

	build(env, pod, &built);
	const char *got = pod_env_get(&built, name);
	if (!got != !value || (value && strcmp(got, value) != 0))
		fail_msg("%s: %s is %s", pod, name, got ? got : "absent");
}

#define POD(spec) "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"},\"spec\":{" spec "}}"

static void test_pods(void **state)
{
	struct fixture f = { 0 };
	struct service_env *env;

	(void)state;
	test_server_start(&f.server, serve, &f);
	f.agent.loop = f.server.loop;
	f.agent.api = api_client_new(f.server.loop, &f.server.config, "test", NULL);
	assert_non_null(f.agent.api);

	/* The API server has an address that pods reach. */
	env = service_env_new(&f.agent, "https://192.0.2.7:6443", on_synced, &f);
	assert_false(service_env_synced(env));
	LOOP_UNTIL(f.server.loop, f.synced);
	assert_true(service_env_synced(env));
	expect(env, POD(""), "KUBERNETES_SERVICE_HOST", "192.0.2.7");
	expect(env, POD(""), "KUBERNETES_SERVICE_PORT", "6443");
	expect(env, POD(""), "KUBERNETES_SERVICE_PORT_HTTPS", "6443");
	expect(env, POD(""), "KUBERNETES_PORT_443_TCP", "tcp://192.0.2.7:6443");
	expect(env, POD(""), "DB_SERVICE_HOST", "10.96.0.2");
	expect(env, POD(""), "URL", "tcp://10.96.0.2:5432");
	expect(env, POD(""), "HEADLESS_SERVICE_HOST", NULL);
	expect(env, POD(""), "OTHER_SERVICE_HOST", NULL);
	expect(env, POD("\"enableServiceLinks\":false"), "DB_SERVICE_HOST", NULL);
	expect(env, POD("\"enableServiceLinks\":false"), "KUBERNETES_SERVICE_HOST", "192.0.2.7");
	service_env_free(env);

	/* It has none: only pods on the node's own network reach it. */
	f.synced = false;
	env = service_env_new(&f.agent, "https://127.0.0.1:6443", on_synced, &f);
	LOOP_UNTIL(f.server.loop, f.synced);
	expect(env, POD(""), "KUBERNETES_SERVICE_HOST", NULL);
	expect(env, POD(""), "KUBERNETES_PORT", NULL);
	expect(env, POD(""), "DB_SERVICE_HOST", "10.96.0.2");
	expect(env, POD("\"hostNetwork\":true"), "KUBERNETES_SERVICE_HOST", "127.0.0.1");
	service_env_free(env);

	api_client_free(f.agent.api);
	test_server_close(&f.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
