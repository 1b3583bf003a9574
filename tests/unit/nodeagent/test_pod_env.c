#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nodeagent/pod_env.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static const char *const map_text = "{\"data\":{\"color\":\"blue\",\"bad=name\":\"x\",\"SIZE\":\"9\"}}";
static const char *const secret_text = "{\"data\":{\"password\":\"aHVudGVyMg==\"}}";

static enum config_presence lookup(enum config_kind kind, const char *name, const struct json_object **ret, void *arg)
{
	struct json_object **objects = arg;

	if (strcmp(name, kind == CONFIG_MAP ? "m" : "s") != 0)
		return CONFIG_MISSING;
	*ret = objects[kind];
	return CONFIG_PRESENT;
}

struct fixture {
	struct json_object *objects[2], *pod, *container, *image;
	struct pod_env_opts opts;
	struct pod_env env;
};

static int build(struct fixture *f, const char *container, struct err *err)
{
	*f = (struct fixture){ .objects = { parse(map_text), parse(secret_text) } };
	f->pod = parse("{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u-1\",\"labels\":{\"app\":\"web\",\"a\":\"1\"},"
		       "\"annotations\":{\"note\":\"x y\"}},\"spec\":{\"serviceAccountName\":\"sa\"}}");
	f->container = parse(container);
	f->image = parse("{\"config\":{\"Env\":[\"PATH=/bin\",\"FROM_IMAGE=yes\"]}}");
	f->opts = (struct pod_env_opts){
		.pod = f->pod, .container = f->container, .image_config = f->image, .hostname = "p", .pod_ip = "10.0.0.2",
		.host_ip = "192.0.2.1", .node_name = "n1", .node_millicpu = 4000, .node_memory_bytes = 1024 * 1024 * 1024,
		.lookup = { lookup, f->objects },
	};
	return pod_env_build(&f->opts, &f->env, err);
}

static void drop(struct fixture *f)
{
	pod_env_close(&f->env);
	json_object_put(f->objects[0]);
	json_object_put(f->objects[1]);
	json_object_put(f->pod);
	json_object_put(f->container);
	json_object_put(f->image);
}

static void test_values(void **state)
{
	static const struct { const char *container, *name, *value; } cases[] = {
		{ "{}", "PATH", "/bin" },
		{ "{}", "FROM_IMAGE", "yes" },
		{ "{}", "HOSTNAME", "p" },
		{ "{\"env\":[{\"name\":\"FROM_IMAGE\",\"value\":\"no\"}]}", "FROM_IMAGE", "no" },
		{ "{\"env\":[{\"name\":\"E\"}]}", "E", "" },
		{ "{\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\",\"value\":\"$(A)-$(LATER)-$$(A)\"}]}", "B",
		  "1-$(LATER)-$(A)" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}]}", "A", "p" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['app']\"}}}]}", "A", "web" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['no']\"}}}]}", "A", "" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}}]}", "A",
		  "a=\"1\"\napp=\"web\"" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"status.podIP\"}}}]}", "A", "10.0.0.2" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"spec.nodeName\"}}}]}", "A", "n1" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"m\",\"key\":\"color\"}}}]}", "A", "blue" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"password\"}}}]}", "A", "hunter2" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"no\",\"key\":\"k\",\"optional\":true}}}]}", "A",
		  NULL },
		{ "{\"envFrom\":[{\"configMapRef\":{\"name\":\"m\"}}]}", "color", "blue" },
		{ "{\"envFrom\":[{\"prefix\":\"P_\",\"configMapRef\":{\"name\":\"m\"}}]}", "P_SIZE", "9" },
		{ "{\"envFrom\":[{\"secretRef\":{\"name\":\"s\"}}]}", "password", "hunter2" },
		{ "{\"envFrom\":[{\"configMapRef\":{\"name\":\"no\",\"optional\":true}}]}", "color", NULL },
		{ "{\"resources\":{\"limits\":{\"cpu\":\"1500m\"}},\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":"
		  "{\"resource\":\"limits.cpu\"}}}]}", "A", "2" },
		{ "{\"resources\":{\"limits\":{\"cpu\":\"1500m\"}},\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":"
		  "{\"resource\":\"limits.cpu\",\"divisor\":\"1m\"}}}]}", "A", "1500" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"limits.memory\",\"divisor\":\"1Mi\"}}}]}",
		  "A", "1024" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"requests.cpu\"}}}]}", "A", "0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct err err = ERR_INIT;
		if (build(&f, cases[i].container, &err) < 0)
			fail_msg("%s: %s", cases[i].container, err.msg);
		const char *value = pod_env_get(&f.env, cases[i].name);
		if (!cases[i].value)
			assert_null(value);
		else if (!value || strcmp(value, cases[i].value) != 0)
			fail_msg("%s: %s is %s", cases[i].container, cases[i].name, value ? value : "absent");
		drop(&f);
	}
}

static void test_errors(void **state)
{
	static const struct { const char *container, *message; } cases[] = {
		{ "{\"envFrom\":[{\"configMapRef\":{\"name\":\"later\"}}]}", "configmap \"later\" not found" },
		{ "{\"envFrom\":[{\"secretRef\":{\"name\":\"later\"}}]}", "secret \"later\" not found" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"m\",\"key\":\"k\"}}}]}",
		  "couldn't find key k in ConfigMap ns/m" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}]}",
		  "couldn't find key k in Secret ns/s" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"spec.nope\"}}}]}",
		  "unsupported fieldPath: spec.nope" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['\"}}}]}",
		  "unsupported fieldPath: metadata.labels['" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct err err = ERR_INIT;
		assert_int_equal(build(&f, cases[i].container, &err), -1);
		assert_string_equal(err.msg, cases[i].message);
		drop(&f);
	}
}

/* A name that is no variable's is left out; a name twice is there once. */
static void test_names(void **state)
{
	struct fixture f;
	size_t paths = 0;

	(void)state;
	assert_int_equal(build(&f, "{\"envFrom\":[{\"configMapRef\":{\"name\":\"m\"}}]}", NULL), 0);
	for (size_t i = 0; i < f.env.n; i++) {
		assert_true(strncmp(f.env.vars[i], "bad=name", 8) != 0);
		paths += strncmp(f.env.vars[i], "PATH=", 5) == 0;
	}
	assert_int_equal(paths, 1);
	assert_true(f.env.vars && !f.env.vars[f.env.n]);
	drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
