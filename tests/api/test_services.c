/* Addresses and node ports when many ask at once and there are few. */
#include "tests/api/api_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/service/networks.h"
#include "lib/timefmt.h"

enum { ASKED = 40, PORTS = 20 };

static const struct service_networks small = { .cidrs = { "10.96.0.0/27" },
					       .n_cidrs = 1,
					       .node_ports = { 30000, 30000 + PORTS - 1 } };

static const char service[] = "{\"metadata\":{\"generateName\":\"s-\"},\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}}";

struct crowd {
	struct loop *loop;
	unsigned waiting, created, full;
};

static void answered(const struct http_response *response, void *arg)
{
	struct crowd *crowd = arg;

	crowd->created += response->code == 201;
	crowd->full += response->code == 500 && strstr(response->data, "range is full");
	if (--crowd->waiting == 0)
		loop_stop(crowd->loop);
}

/* N creations at once; how many there were. */
static unsigned create(struct api_fixture *fixture, unsigned n)
{
	CLEANUP(mem_freep)
	char *url = mem_printf("https://127.0.0.1:%u/api/v1/namespaces/default/services", server_port(fixture->server));
	const char *headers[] = { "Authorization: Bearer " API_TOKEN, NULL };
	struct crowd crowd = { .loop = fixture->loop, .waiting = n };
	struct http_request request = { .method = "POST",
					.url = url,
					.content_type = "application/json",
					.headers = headers,
					.body = service,
					.body_len = sizeof(service) - 1 };

	for (unsigned i = 0; i < n; i++)
		http_client_send(fixture->client, &request, NULL, answered, &crowd);
	loop_run(fixture->loop);
	assert_int_equal(crowd.created + crowd.full, n);
	return crowd.created;
}

static void exchange(struct api_fixture *fixture, const char *method, const char *path, struct api_answer *answer)
{
	struct api_request request = { .method = method, .path = path };

	api_exchange(fixture, &request, answer);
	assert_int_equal(answer->code, 200);
}

/* All Services have an address and a port of their own, and nothing else is taken. Gives the name of one. */
static char *check(struct api_fixture *fixture, size_t n)
{
	struct api_answer services, addresses;
	bool ports[PORTS] = { false };

	exchange(fixture, "GET", "/api/v1/namespaces/default/services", &services);
	exchange(fixture, "GET", "/apis/networking.k8s.io/v1/ipaddresses", &addresses);
	const struct json_object *items = json_get(services.json, "items"), *taken = json_get(addresses.json, "items");
	assert_int_equal(json_len(items), n);
	assert_int_equal(json_len(taken), n);
	for (size_t i = 0; i < n; i++) {
		const struct json_object *spec = json_get(json_at(items, i), "spec");
		int64_t port = json_int(json_at(json_get(spec, "ports"), 0), "nodePort", 0) - 30000;
		size_t owners = 0;
		assert_in_range(port, 0, PORTS - 1);
		assert_false(ports[port]);
		ports[port] = true;
		for (size_t j = 0; j < n; j++) {
			const struct json_object *address = json_at(taken, j);
			if (strcmp(json_str(json_path(address, "spec", "parentRef", NULL), "name"),
				   json_str(json_get(json_at(items, i), "metadata"), "name")) != 0)
				continue;
			owners++;
			assert_string_equal(json_str(json_get(address, "metadata"), "name"), json_str(spec, "clusterIP"));
		}
		assert_int_equal(owners, 1);
	}
	char *name = n ? mem_dup(json_str(json_get(json_at(items, 0), "metadata"), "name")) : NULL;
	api_answer_close(&services);
	api_answer_close(&addresses);
	return name;
}

static void delete_one(struct api_fixture *fixture, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("/api/v1/namespaces/default/services/%s", name);
	struct api_answer answer;

	exchange(fixture, "DELETE", path, &answer);
	api_answer_close(&answer);
}

static void test_each_is_given_once(void **state)
{
	struct api_fixture fixture = { .networks = &small };
	struct api_answer answer;

	(void)state;
	api_fixture_start(&fixture);
	assert_int_equal(create(&fixture, ASKED), PORTS);
	CLEANUP(mem_freep) char *one = check(&fixture, PORTS);

	/* What goes is free for exactly one other, also when nobody but the store remembers. */
	delete_one(&fixture, one);
	assert_int_equal(create(&fixture, 8), 1);
	api_fixture_restart(&fixture);
	assert_int_equal(create(&fixture, 8), 0);
	CLEANUP(mem_freep) char *other = check(&fixture, PORTS);
	delete_one(&fixture, other);
	assert_int_equal(create(&fixture, 8), 1);
	free(check(&fixture, PORTS));

	exchange(&fixture, "DELETE", "/api/v1/namespaces/default/services", &answer);
	api_answer_close(&answer);
	check(&fixture, 0);
	api_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_given_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
