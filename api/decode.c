#include "api/decode.h"

#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/decode_scalar.h"
#include "api/decode_syntax.h"
#include "api/decode_walk.h"
#include "lib/yaml.h"

/* The start of a body, as far as it helps to recognise it: text of an object, else hexadecimal. */
static void write_summary(struct buf *b, const char *text, size_t len)
{
	enum { SHOWN = 30 };
	size_t n = len;

	if (n > SHOWN)
		n = SHOWN;

	if (len == 0)
		buf_str(b, "<empty>");
	else if (text[0] == '{')
		buf_add(b, text, n);
	else
		for (size_t i = 0; i < n; i++)
			buf_printf(b, "%02x", (unsigned char)text[i]);
	if (len > SHOWN)
		buf_str(b, " ...");
}

/* A body of which not even the kind can be told. */
static int unrecognized(const char *kind, const char *text, size_t len, const char *why, struct err *err)
{
	struct buf summary CLEANUP(buf_close) = BUF_INIT;

	write_summary(&summary, text, len);
	return err_set(err, ERR_BAD_REQUEST,
		       "the object provided is unrecognized (must be of type %s): %s (%s)", kind, why,
		       summary.data);
}

static int unrecognized_kind(const char *kind, const char *text, size_t len, const char *why, struct err *err)
{
	struct buf message CLEANUP(buf_close) = BUF_INIT;

	buf_printf(&message, "couldn't get version/kind; json parse error: %s", why);
	return unrecognized(kind, text, len, message.data, err);
}

/* What could not be decoded: OBJECT_KIND in VERSION as a KIND; or, when KIND is NULL, the fault alone. */
static int cannot_handle(const char *object_kind, const char *version, const char *kind, const char *why,
			 struct err *err)
{
	if (kind == NULL)
		return err_set(err, ERR_BAD_REQUEST, "%s", why);
	return err_set(err, ERR_BAD_REQUEST, "%s in version \"%s\" cannot be handled as a %s: %s",
		       object_kind, version, kind, why);
}

static int parse_yaml(const char *kind, const char *text, size_t len, struct json_object **ret,
		      size_t *ret_duplicates, char **ret_first_duplicate, struct err *err)
{
	struct err why = ERR_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (yaml_parse("yaml", text, len, &docs, &n, &why) < 0)
		return unrecognized(kind, text, len, why.msg, err);
	/* A body is one object: documents behind the first are not read. */
	if (n > 0) {
		*ret = TAKE(docs[0].value);
		*ret_duplicates = docs[0].duplicates;
		*ret_first_duplicate = TAKE(docs[0].first_duplicate);
	}
	yaml_docs_free(docs, n);
	return 0;
}

static int parse_json(const char *kind, const char *text, size_t len, struct json_object **ret,
		      size_t *ret_duplicates, struct err *err)
{
	struct buf why CLEANUP(buf_close) = BUF_INIT;
	struct err parse_err = ERR_INIT;

	if (json_parse(text, len, ret, ret_duplicates, &parse_err) == 0)
		return 0;
	if (!decode_syntax_fault(text, len, &why))
		buf_str(&why, parse_err.msg);
	return unrecognized_kind(kind, text, len, why.data, err);
}

struct body {
	const char *text;
	size_t len;
	struct json_object *obj;
	size_t duplicates;
	char *first_duplicate; /* YAML only: JSON is searched again */
};

static void body_close(struct body *body)
{
	json_object_put(body->obj);
	free(body->first_duplicate);
}

/* Parses, and sees that it is an object whose apiVersion and kind, if it has them, are strings. An absent
 * body and null are the empty object, when the text is YAML as when it is JSON. */
static int body_read(struct body *body, const char *kind, bool yaml, struct err *err)
{
	static const char *const names[] = { "apiVersion", "kind" };
	struct buf why CLEANUP(buf_close) = BUF_INIT;
	int r = yaml ? parse_yaml(kind, body->text, body->len, &body->obj, &body->duplicates,
				  &body->first_duplicate, err)
		     : parse_json(kind, body->text, body->len, &body->obj, &body->duplicates, err);

	if (r < 0)
		return -1;
	if (body->obj == NULL)
		body->obj = json_object_new_object();
	if (!json_object_is_type(body->obj, json_type_object)) {
		buf_printf(
		    &why,
		    "json: cannot unmarshal %s into Go value of type struct { APIVersion string "
		    "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }",
		    decode_type_name(body->obj));
		return unrecognized_kind(kind, body->text, body->len, why.data, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_object *value = json_get(body->obj, names[i]);
		if (value == NULL || json_object_is_type(value, json_type_string))
			continue;
		buf_printf(&why, "json: cannot unmarshal %s into Go struct field .%s of type string",
			   decode_type_name(value), names[i]);
		return unrecognized_kind(kind, body->text, body->len, why.data, err);
	}
	return 0;
}

/* Repeated keys beneath an unknown field are not told apart from the field. */
static void note_duplicate(const char *path, void *arg)
{
	static const char unknown[] = "unknown field \"";
	struct decode_walk *walk = arg;

	for (size_t i = 0; i < walk->n_issues; i++) {
		const char *field = walk->issues[i];
		if (strncmp(field, unknown, sizeof(unknown) - 1) != 0)
			continue;
		field += sizeof(unknown) - 1;
		size_t len = strlen(field) - 1;
		if (strncmp(path, field, len) == 0 &&
		    (path[len] == '\0' || path[len] == '.' || path[len] == '['))
			return;
	}
	decode_walk_issue(walk, "duplicate field", path);
}

/* What the walk found, by the rules of VALIDATION. */
static int walk_result(struct decode_walk *walk, const char *object_kind, const char *version,
		       const char *kind, struct buf *warnings, struct err *err)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;

	if (walk->error.len > 0)
		return cannot_handle(object_kind, version, kind, walk->error.data, err);
	if (walk->n_issues == 0)
		return 0;
	if (walk->validation == FIELD_VALIDATION_WARN) {
		for (size_t i = 0; warnings != NULL && i < walk->n_issues; i++) {
			buf_str(warnings, walk->issues[i]);
			buf_char(warnings, '\n');
		}
		return 0;
	}
	buf_str(&text, "strict decoding error: ");
	for (size_t i = 0; i < walk->n_issues; i++) {
		buf_str(&text, i == 0 ? "" : ", ");
		buf_str(&text, walk->issues[i]);
	}
	return cannot_handle(object_kind, version, kind, text.data, err);
}

static void note_unknown(const char *path, void *arg)
{
	decode_walk_issue(arg, "unknown field", path);
}

/* Of a custom resource only metadata has Go's types; the rest is for its schema to judge. */
static void walk_custom(struct decode_walk *walk, const struct resource *resource, struct json_object *obj)
{
	struct schema_field field = {
		.name = "metadata",
		.type = SCHEMA_OBJECT,
		.def = schema_def_find("meta.v1.ObjectMeta"),
	};
	struct schema_def def = { .name = resource->def->name, .own_fields = &field, .n_fields = 1 };
	CLEANUP(json_putp) struct json_object *only_metadata = json_object_new_object();
	struct json_object *metadata = json_get(obj, "metadata");

	if (metadata != NULL) {
		json_set(only_metadata, "metadata", json_object_get(metadata));
		decode_walk(walk, &def, NULL, only_metadata);
	}
	custom_prune(resource->custom, obj, note_unknown, walk);
}

static void walk_resource(struct decode_walk *walk, const struct resource *resource,
			  const struct json_object *known, struct json_object *obj)
{
	if (resource->custom != NULL)
		walk_custom(walk, resource, obj);
	else
		decode_walk(walk, resource->def, known, obj);
}

/* RESOURCE NULL: any definition. */
static int walk_body(const struct resource *resource, const struct schema_def *def, const char *object_kind,
		     const char *version, const char *kind, struct body *body,
		     enum field_validation validation, struct buf *warnings, struct err *err)
{
	struct decode_walk walk CLEANUP(decode_walk_close) = { .validation = validation };

	if (resource != NULL)
		walk_resource(&walk, resource, NULL, body->obj);
	else
		decode_walk(&walk, def, NULL, body->obj);
	if (body->first_duplicate != NULL)
		note_duplicate(body->first_duplicate, &walk);
	else if (body->duplicates > 0 && validation != FIELD_VALIDATION_IGNORE)
		json_find_duplicates(body->text, body->len, note_duplicate, &walk);
	return walk_result(&walk, object_kind, version, kind, warnings, err);
}

/* True when Kubernetes has such a kind, served here or not. */
static bool kind_known(const char *group_version, const char *kind)
{
	for (size_t i = 0; i < schema_n_resources; i++)
		if (strcmp(schema_resources[i].group_version, group_version) == 0 &&
		    strcmp(schema_resources[i].kind, kind) == 0)
			return true;
	return false;
}

/* "apps/v1" to "apps" and "v1"; "" and "v1" for "v1". Fails with more than one slash. */
static bool split_group_version(const char *group_version, struct buf *ret_group, const char **ret_version)
{
	const char *slash = strchr(group_version, '/');

	if (slash == NULL) {
		*ret_version = group_version;
		return true;
	}
	buf_add(ret_group, group_version, (size_t)(slash - group_version));
	*ret_version = slash + 1;
	return strchr(slash + 1, '/') == NULL;
}

/* The object says it is of another kind or version than the resource's. */
static int wrong_kind(const struct resource *resource, const char *api_version, const char *kind,
		      const char *group, const char *version, bool bare, struct err *err)
{
	const char *as = bare ? NULL : resource->kind_name;
	struct buf why CLEANUP(buf_close) = BUF_INIT;

	/* Custom resources have no Go type to fail: what they say of themselves is validated. */
	if (resource->custom != NULL && (bare || strcmp(api_version, resource->group_version) == 0))
		return 0;
	if (resource->custom != NULL)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "the API version in the data (%s) does not match the expected API version (%s)",
		    api_version, resource->group_version);
	if (!kind_known(api_version, kind)) {
		buf_printf(&why,
			   "no kind \"%s\" is registered for version \"%s\" in scheme "
			   "\"pkg/api/legacyscheme/scheme.go:30\"",
			   kind, api_version);
		return cannot_handle(kind, version, as, why.data, err);
	}
	if (strcmp(kind, resource->kind_name) == 0 && strcmp(group, resource->group) == 0)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "the API version in the data (%s) does not match the expected API version (%s)",
		    api_version, resource->group_version);
	/* The package of a group's internal types is the first part of the group's name. */
	int package = (int)strcspn(resource->group, ".");
	buf_printf(&why, "converting (%s.%s) to (%.*s.%s): unknown conversion", version, kind,
		   package == 0 ? 4 : package, package == 0 ? "core" : resource->group, resource->kind_name);
	return cannot_handle(kind, version, as, why.data, err);
}

/* BARE: messages are the fault alone. */
static int check_kind(const struct resource *resource, struct body *body, bool bare, struct err *err)
{
	struct buf group CLEANUP(buf_close) = BUF_INIT;
	const char *api_version = json_str_or_empty(body->obj, "apiVersion");
	const char *kind = json_str_or_empty(body->obj, "kind");
	const char *version;

	if (!split_group_version(api_version, &group, &version)) {
		struct buf why CLEANUP(buf_close) = BUF_INIT;
		buf_printf(&why, "unexpected GroupVersion string: %s", api_version);
		return unrecognized(resource->kind_name, body->text, body->len, why.data, err);
	}
	if (*kind == '\0')
		json_set_str(body->obj, "kind", kind = resource->kind_name);
	if (*api_version == '\0') {
		json_set_str(body->obj, "apiVersion", api_version = resource->group_version);
		version = resource->version;
	}
	if (strcmp(kind, resource->kind_name) == 0 && strcmp(api_version, resource->group_version) == 0)
		return 0;
	return wrong_kind(resource, api_version, kind, group.data == NULL ? "" : group.data, version, bare,
			  err);
}

int decode_check_kind(const struct resource *resource, struct json_object *obj, struct err *err)
{
	struct body body = { .obj = obj, .text = "" };

	return check_kind(resource, &body, true, err);
}

int decode_object(const struct resource *resource, const char *text, size_t len, bool yaml,
		  enum field_validation validation, struct buf *warnings, struct json_object **ret,
		  struct err *err)
{
	struct body body CLEANUP(body_close) = { .text = text, .len = len };

	if (body_read(&body, resource->kind_name, yaml, err) < 0 ||
	    check_kind(resource, &body, false, err) < 0)
		return -1;
	if (walk_body(resource, resource->def, resource->kind_name, resource->version, resource->kind_name,
		      &body, validation, warnings, err) < 0)
		return -1;
	*ret = TAKE(body.obj);
	return 0;
}

int decode_body(const struct schema_def *def, const char *kind, const char *text, size_t len, bool yaml,
		struct json_object **ret, struct err *err)
{
	struct body body CLEANUP(body_close) = { .text = text, .len = len };
	struct buf group CLEANUP(buf_close) = BUF_INIT;
	const char *version = "";

	if (body_read(&body, kind, yaml, err) < 0)
		return -1;
	split_group_version(json_str_or_empty(body.obj, "apiVersion"), &group, &version);
	const char *object_kind = json_str_or_empty(body.obj, "kind");
	if (walk_body(NULL, def, *object_kind == '\0' ? kind : object_kind, *version == '\0' ? "v1" : version,
		      kind, &body, FIELD_VALIDATION_IGNORE, NULL, err) < 0)
		return -1;
	*ret = TAKE(body.obj);
	return 0;
}

int decode_value(const struct schema_def *def, const char *kind, const char *version, struct json_object *obj,
		 enum field_validation validation, struct buf *warnings, struct err *err)
{
	struct decode_walk walk CLEANUP(decode_walk_close) = { .validation = validation };

	decode_walk(&walk, def, NULL, obj);
	return walk_result(&walk, kind, version, kind, warnings, err);
}

int decode_patched(const struct resource *resource, const struct json_object *known, struct json_object *obj,
		   enum field_validation validation, struct buf *warnings, struct err *err)
{
	struct decode_walk walk CLEANUP(decode_walk_close) = { .validation = validation };

	walk_resource(&walk, resource, known, obj);
	return walk_result(&walk, resource->kind_name, resource->version, NULL, warnings, err);
}
