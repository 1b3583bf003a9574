#include "api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* JSON with ' for ". */
static struct json_object *parse(const char *text)
{
	char *copy CLEANUP(mem_freep) = mem_dup(text);
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	if (json_parse(copy, strlen(copy), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", copy, err.msg);
	return obj;
}

static void assert_json(const struct json_object *value, const struct json_object *expected)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct buf wanted CLEANUP(buf_close) = BUF_INIT;

	json_write_sorted(&text, value);
	json_write_sorted(&wanted, expected);
	assert_string_equal(text.data, wanted.data);
}

/* AFTER: what CURRENT is once the patch is applied. NULL: MODIFIED itself. */
struct apply_case {
	const char *definition, *original, *modified, *current, *patch, *after;
};

#define SPEC "core.v1.PodSpec"
#define META "meta.v1.ObjectMeta"
#define CONTAINER "core.v1.Container"
#define DEPLOYMENT "apps.v1.DeploymentSpec"

static const struct apply_case cases[] = {
	/* Nothing to do: defaults and what others wrote stay. */
	{ META, "{'name':'x'}", "{'name':'x'}", "{'name':'x','uid':'u'}", "{}", "{'name':'x','uid':'u'}" },
	{ META, NULL, "{'name':'x','creationTimestamp':null}", "{'name':'x'}", "{}", "{'name':'x'}" },
	/* Scalars and maps. */
	{ DEPLOYMENT, "{'replicas':1}", "{'replicas':3}", "{'replicas':1,'paused':true}", "{'replicas':3}",
	  "{'replicas':3,'paused':true}" },
	{ DEPLOYMENT, "{'replicas':1}", "{}", "{'replicas':5}", "{'replicas':null}", NULL },
	{ DEPLOYMENT, "{'replicas':1}", "{}", "{}", "{}", NULL },
	{ DEPLOYMENT, NULL, "{}", "{'replicas':5}", "{}", "{'replicas':5}" },
	{ META, "{'labels':{'a':'1','b':'2'}}", "{'labels':{'b':'3','c':'4'}}", "{'labels':{'a':'1','b':'2','x':'y'}}",
	  "{'labels':{'a':null,'b':'3','c':'4'}}", "{'labels':{'b':'3','c':'4','x':'y'}}" },
	{ META, "{'labels':{'a':'1'}}", "{}", "{'labels':{'a':'1','x':'y'}}", "{'labels':null}", NULL },
	{ META, NULL, "{'labels':{'a':'1'}}", "{}", "{'labels':{'a':'1'}}", NULL },
	/* Someone's change to what is ours is taken back. */
	{ DEPLOYMENT, "{'replicas':2}", "{'replicas':2}", "{'replicas':9}", "{'replicas':2}", NULL },
	/* Lists with a merge key. */
	{ SPEC, "{'containers':[{'name':'a','image':'1'}]}", "{'containers':[{'name':'a','image':'2'}]}",
	  "{'containers':[{'name':'a','image':'1','imagePullPolicy':'Always'},{'name':'sidecar'}]}",
	  "{'containers':[{'name':'a','image':'2'}],'$setElementOrder/containers':[{'name':'a'}]}",
	  "{'containers':[{'name':'a','image':'2','imagePullPolicy':'Always'},{'name':'sidecar'}]}" },
	{ SPEC, "{'containers':[{'name':'a'},{'name':'b'}]}", "{'containers':[{'name':'b'}]}",
	  "{'containers':[{'name':'a'},{'name':'b','image':'i'}]}",
	  "{'containers':[{'name':'a','$patch':'delete'}],'$setElementOrder/containers':[{'name':'b'}]}",
	  "{'containers':[{'name':'b','image':'i'}]}" },
	{ SPEC, NULL, "{'containers':[{'name':'b'},{'name':'a'}]}", "{'containers':[{'name':'a'},{'name':'b'}]}",
	  "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}", NULL },
	{ CONTAINER, "{'env':[{'name':'A','value':'1'},{'name':'B','value':'2'}]}",
	  "{'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}}]}",
	  "{'env':[{'name':'A','value':'1'},{'name':'B','value':'2'}]}",
	  "{'env':[{'name':'A','value':null,'valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}},{'name':'B','$patch':'delete'}],"
	  "'$setElementOrder/env':[{'name':'A'}]}",
	  NULL },
	/* A merge key repeated: the list as a whole, and only when something changed. */
	{ CONTAINER, NULL, "{'ports':[{'containerPort':80},{'containerPort':80,'protocol':'UDP'}]}",
	  "{'ports':[{'containerPort':80,'protocol':'TCP'},{'containerPort':80,'protocol':'UDP'}]}", "{}",
	  "{'ports':[{'containerPort':80,'protocol':'TCP'},{'containerPort':80,'protocol':'UDP'}]}" },
	{ CONTAINER, NULL, "{'ports':[{'containerPort':80,'name':'x'},{'containerPort':80,'protocol':'UDP'}]}",
	  "{'ports':[{'containerPort':80,'protocol':'TCP'}]}",
	  "{'ports':[{'$patch':'replace'},{'containerPort':80,'name':'x'},{'containerPort':80,'protocol':'UDP'}]}", NULL },
	/* Sets and other lists. */
	{ META, "{'finalizers':['a','b']}", "{'finalizers':['b','c']}", "{'finalizers':['a','b','foreign']}",
	  "{'finalizers':['c'],'$deleteFromPrimitiveList/finalizers':['a'],'$setElementOrder/finalizers':['b','c']}",
	  "{'finalizers':['b','c','foreign']}" },
	{ CONTAINER, "{'args':['a']}", "{'args':['a','b']}", "{'args':['a','z']}", "{'args':['a','b']}", NULL },
	{ SPEC, "{'tolerations':[{'key':'a'}]}", "{'tolerations':[{'key':'a'}]}", "{'tolerations':[{'key':'a'},{'key':'b'}]}",
	  "{'tolerations':[{'key':'a'}]}", NULL },
	/* Unions: what an earlier choice left goes. */
	{ DEPLOYMENT, "{'strategy':{'type':'RollingUpdate'}}", "{'strategy':{'type':'Recreate'}}",
	  "{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}}}",
	  "{'strategy':{'type':'Recreate','$retainKeys':['type']}}", "{'strategy':{'type':'Recreate'}}" },
	{ SPEC, "{'volumes':[{'name':'v','emptyDir':{}}]}", "{'volumes':[{'name':'v','configMap':{'name':'c'}}]}",
	  "{'volumes':[{'name':'v','emptyDir':{}},{'name':'token'}]}",
	  "{'volumes':[{'name':'v','configMap':{'name':'c'},'emptyDir':null,'$retainKeys':['name','configMap']}],"
	  "'$setElementOrder/volumes':[{'name':'v'}]}",
	  "{'volumes':[{'name':'v','configMap':{'name':'c'}},{'name':'token'}]}" },
	{ "policy.v1.PodDisruptionBudgetSpec", NULL, "{'selector':{'matchLabels':{'a':'b'}}}",
	  "{'selector':{'matchLabels':{'c':'d'}}}", "{'selector':{'matchLabels':{'a':'b'}}}", NULL },
	/* A value that changes its type. */
	{ DEPLOYMENT, NULL, "{'strategy':{'rollingUpdate':{'maxSurge':'25%'}}}", "{'strategy':{'rollingUpdate':{'maxSurge':1}}}",
	  "{'strategy':{'rollingUpdate':{'maxSurge':'25%'},'$retainKeys':['rollingUpdate']}}", NULL },
};

static void check(const struct apply_case *c)
{
	const struct schema_def *def = schema_def_find(c->definition);
	struct json_object *original CLEANUP(json_putp) = c->original == NULL ? NULL : parse(c->original);
	struct json_object *modified CLEANUP(json_putp) = parse(c->modified);
	struct json_object *current CLEANUP(json_putp) = parse(c->current);
	struct json_object *wanted CLEANUP(json_putp) = parse(c->patch);
	struct json_object *wanted_after CLEANUP(json_putp) = parse(c->after == NULL ? c->modified : c->after);
	struct json_object *patch CLEANUP(json_putp) = NULL;
	struct json_object *after CLEANUP(json_putp) = NULL;
	struct json_object *again CLEANUP(json_putp) = NULL;
	struct err err = ERR_INIT;

	if (patch_three_way(def, original, modified, current, &patch, &err) < 0)
		fail_msg("%s: %s", c->modified, err.msg);
	assert_json(patch, wanted);
	if (patch_strategic(def, current, patch, &after, &err) < 0)
		fail_msg("%s: %s", c->patch, err.msg);
	assert_json(after, wanted_after);
	/* Applied once more there is nothing left to do. */
	assert_int_equal(patch_three_way(def, modified, modified, after, &again, &err), 0);
	assert_int_equal(json_object_object_length(again), 0);
}

static void test_strategic(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

static void test_refused(void **state)
{
	struct json_object *modified CLEANUP(json_putp) = parse("{'containers':[{'image':'x'}]}");
	struct json_object *current CLEANUP(json_putp) = parse("{'containers':[{'name':'a'}]}");
	struct json_object *list CLEANUP(json_putp) = parse("[]");
	struct json_object *patch = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(patch_three_way(schema_def_find(SPEC), NULL, modified, current, &patch, &err), -1);
	assert_string_equal(err.msg, "map: map[image:x] does not contain declared merge key: name");
	assert_int_equal(patch_three_way(schema_def_find(SPEC), NULL, list, current, &patch, &err), -1);
	assert_null(patch);
}

static const struct apply_case merge_cases[] = {
	{ NULL, "{'a':{'b':1,'c':2},'l':[{'name':'x'}]}", "{'a':{'b':3},'l':[{'name':'y'}]}", "{'a':{'b':1,'c':2,'d':4},'l':[{'name':'x'}]}",
	  "{'a':{'b':3,'c':null},'l':[{'name':'y'}]}", "{'a':{'b':3,'d':4},'l':[{'name':'y'}]}" },
	{ NULL, NULL, "{'a':1}", "{'a':1.0,'b':2}", "{}", "{'a':1,'b':2}" },
	{ NULL, "{'a':1}", "{}", "{'a':1}", "{'a':null}", "{}" },
};

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(merge_cases); i++) {
		const struct apply_case *c = &merge_cases[i];
		struct json_object *original CLEANUP(json_putp) = c->original == NULL ? NULL : parse(c->original);
		struct json_object *modified CLEANUP(json_putp) = parse(c->modified);
		struct json_object *current CLEANUP(json_putp) = parse(c->current);
		struct json_object *wanted CLEANUP(json_putp) = parse(c->patch);
		struct json_object *wanted_after CLEANUP(json_putp) = parse(c->after);
		struct json_object *patch CLEANUP(json_putp) = NULL;
		struct json_object *after CLEANUP(json_putp) = NULL;

		assert_int_equal(patch_three_way_merge(original, modified, current, &patch, NULL), 0);
		assert_json(patch, wanted);
		assert_int_equal(patch_merge(current, patch, &after, NULL), 0);
		assert_true(json_equal(after, wanted_after));
	}
}

/* Random pod specs: what is applied is there afterwards, and applying it again changes nothing. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static struct json_object *random_spec(unsigned *seed)
{
	struct json_object *spec = json_object_new_object();
	struct json_object *containers = json_ensure_array(spec, "containers");
	unsigned first = next_random(seed) % 5;

	if (next_random(seed) % 2 == 0)
		json_set_int(spec, "terminationGracePeriodSeconds", next_random(seed) % 3);
	for (unsigned i = 0; i < 5; i++) {
		if (next_random(seed) % 2 == 0)
			continue;
		struct json_object *container = json_object_new_object();
		char name[] = { 'a', '\0' };
		name[0] = (char)('a' + (first + i) % 5);
		json_set_str(container, "name", name);
		if (next_random(seed) % 2 == 0)
			json_set_str(container, "image", next_random(seed) % 2 == 0 ? "i:1" : "i:2");
		for (unsigned k = 0; k < next_random(seed) % 3; k++)
			json_object_array_add(json_ensure_array(container, "args"), json_object_new_string("x"));
		json_object_array_add(containers, container);
	}
	return spec;
}

static void test_random(void **state)
{
	const struct schema_def *def = schema_def_find(SPEC);
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct json_object *original CLEANUP(json_putp) = random_spec(&seed);
		struct json_object *modified CLEANUP(json_putp) = random_spec(&seed);
		struct json_object *patch CLEANUP(json_putp) = NULL;
		struct json_object *after CLEANUP(json_putp) = NULL;
		struct json_object *again CLEANUP(json_putp) = NULL;

		/* Nobody else wrote: the server has what was applied last. */
		assert_int_equal(patch_three_way(def, original, modified, original, &patch, NULL), 0);
		assert_int_equal(patch_strategic(def, original, patch, &after, NULL), 0);
		assert_json(after, modified);
		assert_int_equal(patch_three_way(def, modified, modified, after, &again, NULL), 0);
		assert_int_equal(json_object_object_length(again), 0);
	}
	for (int i = 0; i < 2000; i++) {
		struct json_object *original CLEANUP(json_putp) = random_spec(&seed);
		struct json_object *modified CLEANUP(json_putp) = random_spec(&seed);
		struct json_object *current CLEANUP(json_putp) = random_spec(&seed);
		struct json_object *patch CLEANUP(json_putp) = NULL;
		struct json_object *after CLEANUP(json_putp) = NULL;
		struct json_object *again CLEANUP(json_putp) = NULL;

		assert_int_equal(patch_three_way(def, original, modified, current, &patch, NULL), 0);
		assert_int_equal(patch_strategic(def, current, patch, &after, NULL), 0);
		assert_int_equal(patch_three_way(def, modified, modified, after, &again, NULL), 0);
		assert_int_equal(json_object_object_length(again), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strategic),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
