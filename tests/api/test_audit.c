/* What the audit log says about requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api/api_fixture.h"

#define MAPS "/api/v1/namespaces/default/configmaps"

static const char policy[] =
    "apiVersion: audit.k8s.io/v1\n"
    "kind: Policy\n"
    "rules:\n"
    "- {level: None, nonResourceURLs: ['/livez*']}\n"
    "- {level: RequestResponse, omitManagedFields: true, omitStages: [RequestReceived],\n"
    "   resources: [{group: '', resources: [configmaps]}]}\n"
    "- {level: Request, verbs: [create], omitStages: [RequestReceived]}\n"
    "- {level: Metadata}\n";

static int setup(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	fixture->audit_policy = policy;
	api_fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct api_fixture *fixture = *state;
	api_fixture_stop(fixture);
	free(fixture);
	return 0;
}

static int ask(struct api_fixture *fixture, const char *method, const char *path, const char *type,
	       const char *body, const char *token, const char *const *headers)
{
	struct api_request request = { .method = method,
				       .path = path,
				       .type = type,
				       .token = token,
				       .body = body,
				       .body_len = body ? strlen(body) : 0,
				       .headers = headers };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	int code = answer.code;
	api_answer_close(&answer);
	return code;
}

/* The lines of the log so far, as an array. The server is stopped and started again, so that all is written.
 */
static struct json_object *events(struct api_fixture *fixture)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/audit.log", fixture->dir);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *list = json_object_new_array();
	api_fixture_restart(fixture);
	assert_int_equal(buf_read_file(&text, path, 64 << 20, NULL), 0);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct json_object *event = NULL;
		if (!*line)
			continue;
		assert_int_equal(json_parse(line, strlen(line), &event, NULL, NULL), 0);
		assert_string_equal(json_str(event, "kind"), "Event");
		assert_string_equal(json_str(event, "apiVersion"), "audit.k8s.io/v1");
		json_object_array_add(list, event);
	}
	return list;
}

/* The members of EVENT that PATHS name, as text. */
static void assert_event(const struct json_object *event, const char *want)
{
	const struct json_object *ref = json_get(event, "objectRef");
	CLEANUP(mem_freep)
	char *got = mem_printf("%s %s %s %s %s/%s/%s %lld", json_str_or_empty(event, "level"),
			       json_str_or_empty(event, "stage"), json_str_or_empty(event, "verb"),
			       json_str_or_empty(json_get(event, "user"), "username"),
			       json_str_or_empty(ref, "namespace"), json_str_or_empty(ref, "resource"),
			       json_str_or_empty(ref, "name"),
			       (long long)json_int(json_get(event, "responseStatus"), "code", 0));
	assert_string_equal(got, want);
}

static void bodies_are_recorded_as_the_level_says(void **state)
{
	struct api_fixture *fixture = *state;
	assert_int_equal(ask(fixture, "POST", MAPS, "application/yaml",
			     "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {k: v}\n", NULL,
			     NULL),
			 201);
	assert_int_equal(ask(fixture, "GET", MAPS, NULL, NULL, NULL, NULL), 200);
	assert_int_equal(ask(fixture, "POST", "/api/v1/namespaces/default/secrets", "application/json",
			     "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"s\"}}",
			     NULL, NULL),
			 201);
	assert_int_equal(ask(fixture, "GET", "/livez", NULL, NULL, "", NULL), 200);
	CLEANUP(json_putp) struct json_object *list = events(fixture);
	assert_int_equal(json_len(list), 3);
	const struct json_object *made = json_at(list, 0), *listed = json_at(list, 1),
				 *secret = json_at(list, 2);
	assert_event(made, "RequestResponse ResponseComplete create admin default/configmaps/a 201");
	assert_string_equal(json_str(json_path(made, "requestObject", "data", NULL), "k"), "v");
	assert_string_equal(json_str(json_path(made, "responseObject", "data", NULL), "k"), "v");
	assert_non_null(json_path(made, "responseObject", "metadata", "uid", NULL));
	assert_null(json_path(made, "responseObject", "metadata", "managedFields", NULL));
	assert_event(listed, "RequestResponse ResponseComplete list admin default/configmaps/ 200");
	const struct json_object *items = json_path(listed, "responseObject", "items", NULL);
	assert_int_equal(json_len(items), 1);
	assert_null(json_path(json_at(items, 0), "metadata", "managedFields", NULL));
	assert_event(secret, "Request ResponseComplete create admin default/secrets/s 201");
	assert_non_null(json_get(secret, "requestObject"));
	assert_null(json_get(secret, "responseObject"));
}

static void who_asks_and_what_came_of_it(void **state)
{
	struct api_fixture *fixture = *state;
	static const char *const jane[] = { "Impersonate-User: jane", "Audit-ID: mine", NULL };
	assert_int_equal(ask(fixture, "GET", "/api/v1/nodes", NULL, NULL, NULL, jane), 403);
	assert_int_equal(ask(fixture, "GET", "/api/v1/nodes", NULL, NULL, "nope", NULL), 401);
	CLEANUP(json_putp) struct json_object *list = events(fixture);
	assert_int_equal(json_len(list), 3);
	const struct json_object *received = json_at(list, 0), *refused = json_at(list, 1),
				 *nobody = json_at(list, 2);
	assert_event(received, "Metadata RequestReceived list admin /nodes/ 0");
	assert_event(refused, "Metadata ResponseComplete list admin /nodes/ 403");
	assert_string_equal(json_str(refused, "auditID"), "mine");
	assert_string_equal(json_str(received, "auditID"), "mine");
	assert_string_equal(json_str(json_get(refused, "impersonatedUser"), "username"), "jane");
	assert_string_equal(json_str(json_get(refused, "annotations"), "authorization.k8s.io/decision"),
			    "forbid");
	assert_string_equal(json_str(refused, "requestURI"), "/api/v1/nodes");
	assert_string_equal(json_object_get_string(json_at(json_get(refused, "sourceIPs"), 0)), "127.0.0.1");
	assert_event(nobody, "Metadata ResponseComplete list  /nodes/ 401");
	assert_null(json_get(nobody, "user"));
}

#define POD(name, host)                                                                                      \
	"{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"hostPID\":" host                                  \
	",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

/* NULL: it is not there. */
static void assert_noted(const struct json_object *event, const char *key, const char *want)
{
	CLEANUP(mem_freep) char *name = mem_printf("pod-security.kubernetes.io/%s", key);
	const char *got = json_str(json_get(event, "annotations"), name);
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void pod_security_is_recorded(void **state)
{
	static const char namespace_[] =
	    "{\"metadata\":{\"name\":\"safe\",\"labels\":{\"pod-security.kubernetes.io/enforce\":"
	    "\"baseline\",\"pod-security.kubernetes.io/audit\":\"restricted\",\"pod-security."
	    "kubernetes.io/audit-version\":\"v1.20\"}}}";
	struct api_fixture *fixture = *state;
	static const struct {
		const char *path, *body;
		int code;
		const char *enforce, *audit;
	} rows[] = {
		{ "/api/v1/namespaces", namespace_, 201, NULL, NULL },
		{ "/api/v1/namespaces/safe/serviceaccounts", "{\"metadata\":{\"name\":\"default\"}}", 201,
		  NULL, NULL },
		{ "/api/v1/namespaces/default/pods", POD("free", "true"), 201, "privileged:latest", NULL },
		{ "/api/v1/namespaces/safe/pods", POD("bad", "true"), 403, "baseline:latest",
		  "would violate PodSecurity \"restricted:v1.20\": host namespaces (hostPID=true), "
		  "allowPrivilegeEscalation != false (container \"c\" must set "
		  "securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "
		  "\"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" "
		  "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")" },
		{ "/api/v1/namespaces/safe/podtemplates",
		  "{\"metadata\":{\"name\":\"t\"},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},"
		  "\"spec\":{\"securityContext\":{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":"
		  "\"RuntimeDefault\"}},\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}",
		  201, NULL,
		  "would violate PodSecurity \"restricted:v1.20\": allowPrivilegeEscalation != false "
		  "(container \"c\" must set securityContext.allowPrivilegeEscalation=false)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(
		    ask(fixture, "POST", rows[i].path, "application/json", rows[i].body, NULL, NULL),
		    rows[i].code);
	CLEANUP(json_putp) struct json_object *list = events(fixture);
	assert_int_equal(json_len(list), ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_noted(json_at(list, i), "enforce-policy", rows[i].enforce);
		assert_noted(json_at(list, i), "audit-violations", rows[i].audit);
	}
}

static void streams_are_recorded_when_they_begin_and_end(void **state)
{
	struct api_fixture *fixture = *state;
	struct api_request request = { .method = "GET", .path = "/api/v1/namespaces?watch=1" };
	int code;
	json_object_put(api_watch(fixture, &request, 1, &code));
	assert_int_equal(code, 200);
	CLEANUP(json_putp) struct json_object *list = events(fixture);
	assert_int_equal(json_len(list), 3);
	assert_event(json_at(list, 0), "Metadata RequestReceived watch admin /namespaces/ 0");
	assert_event(json_at(list, 1), "Metadata ResponseStarted watch admin /namespaces/ 200");
	assert_event(json_at(list, 2), "Metadata ResponseComplete watch admin /namespaces/ 200");
	assert_string_equal(json_str(json_at(list, 0), "auditID"), json_str(json_at(list, 2), "auditID"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bodies_are_recorded_as_the_level_says, setup, teardown),
		cmocka_unit_test_setup_teardown(pod_security_is_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(who_asks_and_what_came_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(streams_are_recorded_when_they_begin_and_end, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
