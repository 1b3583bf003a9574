#include "kubectl-lite/overrides.h"

#include <string.h>

#include "api/patch.h"
#include "lib/yaml.h"

static int parse(const char *text, struct json_object **ret, struct err *err)
{
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (yaml_parse("--overrides", text, strlen(text), &docs, &n, err) < 0)
		return -1;
	if (n == 1 && (json_object_is_type(docs[0].value, json_type_object) ||
		       json_object_is_type(docs[0].value, json_type_array)))
		*ret = json_object_get(docs[0].value);
	yaml_docs_free(docs, n);
	return *ret ? 0 : err_set(err, ERR_PARSE, "Invalid JSON Patch");
}

int overrides_apply(const struct overrides_flags *overrides, const struct schema_def *def,
		    struct json_object **obj, struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = NULL;
	const char *type = overrides->type ? overrides->type : "merge";
	struct json_object *changed = NULL;
	int failed;

	if (!overrides->text)
		return 0;
	if (strcmp(type, "merge") != 0 && strcmp(type, "strategic") != 0 && strcmp(type, "json") != 0)
		return err_set(err, ERR_PARSE, "invalid override type: %s", type);
	if (parse(overrides->text, &patch, err) < 0)
		return -1;
	if (*type == 'j')
		failed = patch_json(*obj, patch, &changed, err);
	else if (*type == 's')
		failed = patch_strategic(def, *obj, patch, &changed, err);
	else
		failed = patch_merge(*obj, patch, &changed, err);
	if (failed)
		return -1;
	json_object_put(*obj);
	*obj = changed;
	return 0;
}
