#include "api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

/* JSON with ' for ". MESSAGE: what a refused patch says, else RESULT, in any order of members. */
struct patch_case {
	const char *definition, *doc, *patch, *result, *message;
};

static char *quotes(const char *s)
{
	char *copy = mem_dup(s);

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

#define SPEC "core.v1.PodSpec"
#define META "meta.v1.ObjectMeta"
#define DEPLOYMENT "apps.v1.DeploymentSpec"

static const struct patch_case cases[] = {
	/* Objects. */
	{ META, "{'labels':{'a':'1','b':'2'}}", "{'labels':{'b':'3','c':'4'}}", "{'labels':{'a':'1','b':'3','c':'4'}}", NULL },
	{ META, "{'labels':{'a':'1'},'name':'x'}", "{'labels':null}", "{'name':'x'}", NULL },
	{ META, "{'labels':{'a':'1'}}", "{'labels':{'$patch':'replace','only':'this'}}", "{'labels':{'only':'this'}}", NULL },
	{ META, "{'labels':{'a':'1'}}", "{'labels':{'$patch':'delete'}}", "{'labels':{}}", NULL },
	{ META, "{'labels':{'a':'1'}}", "{'labels':{'$patch':'merge','b':'2'}}", "{'labels':{'a':'1','b':'2'}}", NULL },
	{ META, "{}", "{'labels':{'a':'1','b':null}}", "{'labels':{'a':'1'}}", NULL },
	{ META, "{}", "{'labels':{'$patch':'delete'}}", "{}", NULL },
	{ META, "{}", "{'labels':{'$patch':'replace','a':'1'}}", "{'labels':{'a':'1'}}", NULL },
	{ META, "{'labels':'odd'}", "{'labels':{'a':'1'}}", "{'labels':{'a':'1'}}", NULL },
	{ META, "{}", "{'$patch':'nope'}", NULL, "unknown patch type: nope in map: map[$patch:nope]" },
	{ META, "{}", "{'$patch':1,'b':{'y':[1,'z'],'x':null}}", NULL,
	  "unknown patch type: 1 in map: map[$patch:1 b:map[x:<nil> y:[1 z]]]" },
	{ META, "{}", "[]", NULL, "json: cannot unmarshal array into Go value of type map[string]interface {}" },
	{ NULL, "{'a':{'b':[1,2]}}", "{'a':{'b':[3],'c':1}}", "{'a':{'b':[3],'c':1}}", NULL },
	{ "core.v1.ConfigMap", "{'data':{'a':'1'}}", "{'data':{'b':'2'}}", "{'data':{'a':'1','b':'2'}}", NULL },
	{ "policy.v1.PodDisruptionBudgetSpec", "{'selector':{'matchLabels':{'a':'b'}}}", "{'selector':{'matchLabels':{'c':'d'}}}",
	  "{'selector':{'matchLabels':{'c':'d'}}}", NULL },
	/* Lists with a merge key: the patch's order first, others keep their place. */
	{ SPEC, "{'containers':[{'name':'a','image':'a:1','args':['x']},{'name':'b'}]}", "{'containers':[{'name':'a','image':'a:2'}]}",
	  "{'containers':[{'name':'a','image':'a:2','args':['x']},{'name':'b'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'},{'name':'b'}]}", "{'containers':[{'name':'z'}]}",
	  "{'containers':[{'name':'z'},{'name':'a'},{'name':'b'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}", "{'containers':[{'name':'c','image':'i'},{'name':'z'}]}",
	  "{'containers':[{'name':'a'},{'name':'b'},{'name':'c','image':'i'},{'name':'z'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'z'},{'name':'a'}]}", "{'containers':[{'name':'z','$patch':'delete'}]}",
	  "{'containers':[{'name':'a'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'nope','$patch':'delete'}]}", "{'containers':[{'name':'a'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'$patch':'replace'},{'name':'n'}]}", "{'containers':[{'name':'n'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'$patch':'replace'}]}", "{'containers':[]}", NULL },
	{ SPEC, "{}", "{'containers':[{'name':'a'},{'name':'b','$patch':'delete'}]}", "{'containers':[{'name':'a'}]}", NULL },
	{ SPEC, "{'containers':[]}", "{'containers':[{'image':'x'}]}", NULL,
	  "map: map[image:x] does not contain declared merge key: name" },
	{ SPEC, "{'containers':[]}", "{'containers':['x']}", NULL, "invalid patch: items of list containers must be objects" },
	{ SPEC, "{'containers':[]}", "{'containers':[{'$patch':'merge'}]}", NULL, "merging lists cannot yet be specified in the patch" },
	{ "core.v1.Container", "{'env':[{'name':'X','value':'1'},{'name':'Y','value':'2'}]}",
	  "{'env':[{'name':'Y','value':'3'},{'name':'Z','value':'4'}]}",
	  "{'env':[{'name':'X','value':'1'},{'name':'Y','value':'3'},{'name':'Z','value':'4'}]}", NULL },
	{ "core.v1.Container", "{'ports':[{'containerPort':80,'protocol':'TCP'},{'containerPort':80,'protocol':'UDP'}]}",
	  "{'ports':[{'containerPort':81}]}",
	  "{'ports':[{'containerPort':81},{'containerPort':80,'protocol':'TCP'},{'containerPort':80,'protocol':'UDP'}]}", NULL },
	{ "core.v1.Container", "{'ports':[{'containerPort':80,'protocol':'TCP'},{'containerPort':80,'protocol':'UDP'}]}",
	  "{'ports':[{'containerPort':80,'$patch':'delete'}]}", "{'ports':[]}", NULL },
	/* Order. */
	{ SPEC, "{'containers':[{'name':'a'},{'name':'b'}]}",
	  "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],'containers':[{'name':'b','image':'b:2'}]}",
	  "{'containers':[{'name':'b','image':'b:2'},{'name':'a'}]}", NULL },
	{ SPEC, "{'containers':[{'name':'a'},{'name':'s'},{'name':'b'}]}", "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}",
	  "{'containers':[{'name':'s'},{'name':'b'},{'name':'a'}]}", NULL },
	{ SPEC, "{}", "{'$setElementOrder/containers':[{'name':'b'}]}", "{}", NULL },
	{ SPEC, "{'containers':[{'name':'a'}]}", "{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'b'}]}", NULL,
	  "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n" },
	{ SPEC, "{}", "{'$setElementOrder/containers':{}}", NULL, "invalid patch format of setElementOrder list" },
	/* Other lists are replaced; sets are united. */
	{ SPEC, "{'tolerations':[{'key':'k'}]}", "{'tolerations':[{'key':'n'}]}", "{'tolerations':[{'key':'n'}]}", NULL },
	{ "core.v1.Container", "{'args':['x','y']}", "{'args':['q']}", "{'args':['q']}", NULL },
	{ META, "{'finalizers':['a','b']}", "{'finalizers':['c','b']}", "{'finalizers':['c','a','b']}", NULL },
	{ META, "{'finalizers':['a','b']}", "{'$deleteFromPrimitiveList/finalizers':['a','z']}", "{'finalizers':['b']}", NULL },
	{ META, "{'finalizers':['a','b']}",
	  "{'$deleteFromPrimitiveList/finalizers':['a'],'$setElementOrder/finalizers':['c','b'],'finalizers':['c']}",
	  "{'finalizers':['c','b']}", NULL },
	{ META, "{'finalizers':['a']}", "{'$deleteFromPrimitiveList/finalizers':'a'}", NULL, "invalid patch format of primitive list" },
	{ META, "{}", "{'$deleteFromPrimitiveList/finalizers':['a']}", "{}", NULL },
	/* Unions. */
	{ DEPLOYMENT, "{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}}}",
	  "{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}", "{'strategy':{'type':'Recreate'}}", NULL },
	{ SPEC, "{'volumes':[{'name':'v','emptyDir':{}}]}",
	  "{'volumes':[{'name':'v','$retainKeys':['name','configMap'],'configMap':{'name':'x'}}]}",
	  "{'volumes':[{'name':'v','configMap':{'name':'x'}}]}", NULL },
	{ DEPLOYMENT, "{'strategy':{}}", "{'strategy':{'$retainKeys':['a'],'type':'Recreate'}}", NULL,
	  "patch content doesn't match retainKeys list" },
	{ DEPLOYMENT, "{'strategy':{}}", "{'strategy':{'$retainKeys':'type'}}", NULL, "invalid patch format of retainKeys" },
	{ DEPLOYMENT, "{}", "{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}", "{'strategy':{'type':'Recreate'}}", NULL },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct patch_case *c = &cases[i];
		char *doc_text CLEANUP(mem_freep) = quotes(c->doc);
		char *patch_text CLEANUP(mem_freep) = quotes(c->patch);
		struct json_object *doc CLEANUP(json_putp) = parse(doc_text);
		struct json_object *patch CLEANUP(json_putp) = parse(patch_text);
		struct json_object *doc_before CLEANUP(json_putp) = json_clone(doc);
		struct json_object *patch_before CLEANUP(json_putp) = json_clone(patch);
		struct json_object *result CLEANUP(json_putp) = NULL;
		struct buf text CLEANUP(buf_close) = BUF_INIT;
		struct buf wanted CLEANUP(buf_close) = BUF_INIT;
		struct err err = ERR_INIT;

		const struct schema_def *def = c->definition == NULL ? NULL : schema_def_find(c->definition);
		int r = patch_strategic(def, doc, patch, &result, &err);
		assert_true(json_equal(doc, doc_before) && json_equal(patch, patch_before));
		if (c->message != NULL) {
			assert_int_equal(r, -1);
			assert_int_equal(err.kind, ERR_BAD_REQUEST);
			assert_string_equal(err.msg, c->message);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", c->patch, err.msg);
		char *result_text CLEANUP(mem_freep) = quotes(c->result);
		struct json_object *expected CLEANUP(json_putp) = parse(result_text);
		json_write_sorted(&text, result);
		json_write_sorted(&wanted, expected);
		assert_string_equal(text.data, wanted.data);
	}
}

/* Lists of a size a client can send: no step takes their square. */
static void test_long_lists(void **state)
{
	const struct schema_def *def = schema_def_find("core.v1.Container");
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct json_object *result CLEANUP(json_putp) = NULL;

	(void)state;
	buf_str(&text, "{\"env\":[");
	for (int i = 0; i < 50000; i++)
		buf_printf(&text, "%s{\"name\":\"V%d\",\"value\":\"1\"}", i == 0 ? "" : ",", i);
	buf_str(&text, "]}");
	struct json_object *doc CLEANUP(json_putp) = parse(text.data);
	assert_int_equal(patch_strategic(def, doc, doc, &result, NULL), 0);
	assert_true(json_equal(doc, result));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_long_lists) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
