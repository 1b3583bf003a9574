#include "apiserver/config_file.h"

#include <string.h>

#include "lib/yaml.h"

#define FILE_MAX (1024 * 1024)

static int check(const struct yaml_doc *docs, size_t n, const char *api_version, const char *kind,
		 struct err *err)
{
	const struct json_object *value = n == 1 ? docs[0].value : NULL;
	if (strcmp(json_str_or_empty(value, "kind"), kind) != 0 ||
	    strcmp(json_str_or_empty(value, "apiVersion"), api_version) != 0)
		return err_set(err, ERR_BAD_REQUEST, "not one document of kind %s in %s", kind, api_version);
	if (docs[0].duplicates)
		return err_set(err, ERR_BAD_REQUEST, "key %s is there twice", docs[0].first_duplicate);
	return 0;
}

int config_file_read(const char *path, const char *api_version, const char *kind, struct json_object **ret,
		     struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;
	if (buf_read_file(&text, path, FILE_MAX, err) < 0 ||
	    yaml_parse(path, text.data ? text.data : "", text.len, &docs, &n, err) < 0)
		return -1;
	int result = check(docs, n, api_version, kind, err);
	if (result == 0)
		*ret = json_object_get(docs[0].value);
	else
		err_wrap(err, "%s", path);
	yaml_docs_free(docs, n);
	return result;
}
