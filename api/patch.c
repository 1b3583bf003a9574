#include "api/patch.h"

#include <stdlib.h>
#include <string.h>

#include "api/decode_scalar.h"

enum {
	MAX_OPERATIONS = 10000,
	/* What moving and copying may cost in all, in values looked at: a patch of a few bytes could
	 * otherwise move a megabyte a thousand times, or double a value until memory is out. */
	MAX_VISITS = 1000000,
	/* Of a text, so many bytes cost as much as a value. */
	TEXT_PER_VISIT = 16,
	/* In a list, moving a pointer is cheaper than copying a value. */
	MOVES_PER_VISIT = 64,
};

struct json_patch {
	struct json_object *doc; /* owned */
	size_t visits;
};

/* A JSON pointer (RFC 6901), split and unescaped. */
struct pointer {
	char *text; /* the tokens lie in it */
	char *tokens[JSON_MAX_DEPTH];
	size_t n;
};

static void pointer_close(struct pointer *p)
{
	free(p->text);
}

static void unescape(char *token)
{
	char *to = token;

	for (const char *from = token; *from != '\0'; from++, to++) {
		*to = *from;
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to = *++from == '0' ? '~' : '/';
	}
	*to = '\0';
}

static int pointer_parse(const char *text, struct pointer *ret, struct err *err)
{
	if (text == NULL)
		return err_set(err, ERR_INVALID, "operation is missing a path");
	if (*text != '\0' && *text != '/')
		return err_set(err, ERR_INVALID, "path \"%s\" does not begin with a slash", text);
	if (*text == '\0')
		return 0;
	ret->text = mem_dup(text + 1);
	for (char *rest = ret->text, *token; (token = strsep(&rest, "/")) != NULL;) {
		if (ret->n == ARRAY_SIZE(ret->tokens))
			return err_set(err, ERR_INVALID, "path is deeper than %d", JSON_MAX_DEPTH);
		unescape(token);
		ret->tokens[ret->n++] = token;
	}
	return 0;
}

static int missing(const struct pointer *p, size_t n, struct err *err)
{
	struct buf path CLEANUP(buf_close) = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_printf(&path, "/%s", p->tokens[i]);
	return err_set(err, ERR_INVALID, "path \"%s\" does not exist", path.data == NULL ? "" : path.data);
}

/* An array index below LIMIT. No sign, no leading zero (RFC 6901 section 4). */
static bool parse_index(const char *token, size_t limit, size_t *ret)
{
	size_t index = 0;

	if (*token == '\0' || (*token == '0' && token[1] != '\0'))
		return false;
	for (; *token != '\0'; token++) {
		if (*token < '0' || *token > '9')
			return false;
		index = index * 10 + (size_t)(*token - '0');
		if (index >= limit)
			return false;
	}
	*ret = index;
	return true;
}

static bool child(struct json_object *parent, const char *token, struct json_object **ret)
{
	size_t index;

	if (json_object_is_type(parent, json_type_object))
		return json_object_object_get_ex(parent, token, ret);
	if (!json_object_is_type(parent, json_type_array) || !parse_index(token, json_len(parent), &index))
		return false;
	*ret = json_object_array_get_idx(parent, index);
	return true;
}

/* The value at the first N tokens, borrowed; it may be null. */
static int find(const struct json_patch *patch, const struct pointer *p, size_t n, struct json_object **ret,
		struct err *err)
{
	struct json_object *value = patch->doc;

	for (size_t i = 0; i < n; i++)
		if (!child(value, p->tokens[i], &value))
			return missing(p, i + 1, err);
	*ret = value;
	return 0;
}

/* Depth of VALUE, and its values counted. */
static size_t depth_of(struct json_object *value, size_t *visits)
{
	size_t deepest = 0;

	*visits += 1;
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			*visits += strlen(key) / TEXT_PER_VISIT;
			size_t depth = depth_of(member, visits);
			deepest = depth > deepest ? depth : deepest;
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_len(value); i++) {
			size_t depth = depth_of(json_at(value, i), visits);
			deepest = depth > deepest ? depth : deepest;
		}
	} else {
		if (json_object_is_type(value, json_type_string))
			*visits += (size_t)json_object_get_string_len(value) / TEXT_PER_VISIT;
		return 0;
	}
	return deepest + 1;
}

static int check_visits(const struct json_patch *patch, struct err *err)
{
	return patch->visits > MAX_VISITS ? err_set(err, ERR_INVALID, "patch moves and copies too much") : 0;
}

static int check_cost(struct json_patch *patch, const struct pointer *p, struct json_object *value,
		      struct err *err)
{
	size_t depth = depth_of(value, &patch->visits);

	if (check_visits(patch, err) < 0)
		return -1;
	if (p->n + depth > JSON_MAX_DEPTH)
		return err_set(err, ERR_INVALID, "patch makes the document deeper than %d", JSON_MAX_DEPTH);
	return 0;
}

/* Before the element at INDEX; INDEX may be the length. Takes VALUE. */
static void insert(struct json_patch *patch, struct json_object *array, size_t index,
		   struct json_object *value)
{
	size_t n = json_len(array);

	json_object_array_add(array, value);
	if (index == n)
		return;
	json_object_get(value);
	for (size_t i = n; i > index; i--)
		json_object_array_put_idx(array, i, json_object_get(json_at(array, i - 1)));
	json_object_array_put_idx(array, index, value);
	patch->visits += (n - index) / MOVES_PER_VISIT;
}

/* Takes VALUE in any case. */
static int add(struct json_patch *patch, const struct pointer *p, struct json_object *value, bool replace,
	       struct err *err)
{
	struct json_object *owned CLEANUP(json_putp) = value;
	struct json_object *parent, *old;
	size_t index;

	if (check_cost(patch, p, value, err) < 0)
		return -1;
	if (p->n == 0) {
		json_object_put(patch->doc);
		patch->doc = TAKE(owned);
		return 0;
	}
	if (find(patch, p, p->n - 1, &parent, err) < 0)
		return -1;
	const char *token = p->tokens[p->n - 1];
	if (replace && !child(parent, token, &old))
		return missing(p, p->n, err);
	if (json_object_is_type(parent, json_type_object)) {
		json_set(parent, token, TAKE(owned));
		return 0;
	}
	if (!json_object_is_type(parent, json_type_array))
		return missing(p, p->n, err);
	if (strcmp(token, "-") == 0)
		index = json_len(parent);
	else if (!parse_index(token, json_len(parent) + 1, &index))
		return missing(p, p->n, err);
	if (replace)
		json_object_array_put_idx(parent, index, TAKE(owned));
	else
		insert(patch, parent, index, TAKE(owned));
	return 0;
}

static int delete (struct json_patch *patch, const struct pointer *p, struct err *err)
{
	struct json_object *parent, *old;
	size_t index;

	if (p->n == 0)
		return err_set(err, ERR_INVALID, "the whole document cannot be removed");
	if (find(patch, p, p->n - 1, &parent, err) < 0)
		return -1;
	const char *token = p->tokens[p->n - 1];
	if (!child(parent, token, &old))
		return missing(p, p->n, err);
	if (json_object_is_type(parent, json_type_object)) {
		json_object_object_del(parent, token);
	} else if (parse_index(token, json_len(parent), &index)) {
		patch->visits += (json_len(parent) - index) / MOVES_PER_VISIT;
		json_object_array_del_idx(parent, index, 1);
	}
	patch->visits++;
	return check_visits(patch, err);
}

/* The operation under way. */
struct operation {
	const struct json_object *obj;
	struct pointer path;
	struct pointer from; /* move and copy */
};

static void operation_close(struct operation *op)
{
	pointer_close(&op->path);
	pointer_close(&op->from);
}

static int op_add(struct json_patch *patch, const struct operation *op, struct err *err)
{
	return add(patch, &op->path, json_copy(json_get(op->obj, "value")), false, err);
}

static int op_replace(struct json_patch *patch, const struct operation *op, struct err *err)
{
	return add(patch, &op->path, json_copy(json_get(op->obj, "value")), true, err);
}

static int op_remove(struct json_patch *patch, const struct operation *op, struct err *err)
{
	return delete (patch, &op->path, err);
}

static int op_copy(struct json_patch *patch, const struct operation *op, struct err *err)
{
	struct json_object *value;

	if (find(patch, &op->from, op->from.n, &value, err) < 0 ||
	    check_cost(patch, &op->path, value, err) < 0)
		return -1;
	return add(patch, &op->path, json_copy(value), false, err);
}

static bool is_below(const struct pointer *p, const struct pointer *above)
{
	if (p->n <= above->n)
		return false;
	for (size_t i = 0; i < above->n; i++)
		if (strcmp(p->tokens[i], above->tokens[i]) != 0)
			return false;
	return true;
}

static int op_move(struct json_patch *patch, const struct operation *op, struct err *err)
{
	struct json_object *value = NULL;

	if (is_below(&op->path, &op->from))
		return err_set(err, ERR_INVALID, "a value cannot be moved into itself");
	if (find(patch, &op->from, op->from.n, &value, err) < 0)
		return -1;
	if (op->from.n == 0)
		return 0; /* the document onto itself: is_below has seen all else */
	struct json_object *moved CLEANUP(json_putp) = json_object_get(value);
	if (delete (patch, &op->from, err) < 0)
		return -1;
	return add(patch, &op->path, TAKE(moved), false, err);
}

static int op_test(struct json_patch *patch, const struct operation *op, struct err *err)
{
	struct json_object *value = NULL;

	if (find(patch, &op->path, op->path.n, &value, err) < 0)
		return -1;
	if (!json_equal(value, json_get(op->obj, "value")))
		return err_set(err, ERR_INVALID, "testing value at path \"%s\" failed",
			       json_str(op->obj, "path"));
	return 0;
}

static const struct {
	const char *name;
	bool has_value, has_from;
	int (*fn)(struct json_patch *patch, const struct operation *op, struct err *err);
} operations[] = {
	{ "add", true, false, op_add },         { "remove", false, false, op_remove },
	{ "replace", true, false, op_replace }, { "move", false, true, op_move },
	{ "copy", false, true, op_copy },       { "test", true, false, op_test },
};

static int apply(struct json_patch *patch, const struct json_object *obj, struct err *err)
{
	struct operation op CLEANUP(operation_close) = { .obj = obj };
	const char *name = json_str_or_empty(obj, "op");

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].name, name) != 0)
			continue;
		if (pointer_parse(json_str(obj, "path"), &op.path, err) < 0)
			return -1;
		if (operations[i].has_from && pointer_parse(json_str(obj, "from"), &op.from, err) < 0)
			return -1;
		if (operations[i].has_value && !json_object_object_get_ex(obj, "value", NULL))
			return err_set(err, ERR_INVALID, "operation \"%s\" is missing its value", name);
		return operations[i].fn(patch, &op, err);
	}
	return err_set(err, ERR_INVALID, "unknown operation \"%s\"", name);
}

/* The shape of a patch: an array of objects whose op, path and from are strings. */
static int check_patch(const struct json_object *patch, struct err *err)
{
	static const char *const names[] = { "op", "from", "path" };

	if (!json_object_is_type(patch, json_type_array))
		return err_set(err, ERR_BAD_REQUEST,
			       "error decoding patch: json: cannot unmarshal %s into Go value of type "
			       "[]handlers.jsonPatchOp",
			       decode_type_name(patch));
	if (json_len(patch) > MAX_OPERATIONS)
		return err_set(err, ERR_TOO_LARGE,
			       "Request entity too large: The allowed maximum operations in a JSON patch "
			       "is %d, got %zu",
			       MAX_OPERATIONS, json_len(patch));
	for (size_t i = 0; i < json_len(patch); i++) {
		const struct json_object *obj = json_at(patch, i);
		if (!json_object_is_type(obj, json_type_object))
			return err_set(err, ERR_BAD_REQUEST,
				       "error decoding patch: json: cannot unmarshal %s into Go value of "
				       "type handlers.jsonPatchOp",
				       decode_type_name(obj));
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			const struct json_object *value = json_get(obj, names[k]);
			if (value != NULL && !json_object_is_type(value, json_type_string))
				return err_set(err, ERR_BAD_REQUEST,
					       "error decoding patch: json: cannot unmarshal %s into Go "
					       "struct field jsonPatchOp.%s of type string",
					       decode_type_name(value), names[k]);
		}
	}
	return 0;
}

int patch_json(const struct json_object *doc, const struct json_object *patch, struct json_object **ret,
	       struct err *err)
{
	if (check_patch(patch, err) < 0)
		return -1;

	struct json_patch work = { .doc = json_copy(doc) };
	for (size_t i = 0; i < json_len(patch); i++) {
		if (apply(&work, json_at(patch, i), err) < 0) {
			json_object_put(work.doc);
			return -1;
		}
	}
	*ret = work.doc;
	return 0;
}

/* TARGET may be no object. */
static struct json_object *merge(const struct json_object *target, const struct json_object *patch)
{
	struct json_object *merged;

	if (!json_object_is_type(patch, json_type_object))
		return json_copy(patch);
	merged = json_share(json_object_is_type(target, json_type_object) ? target : NULL);
	json_object_object_foreach((struct json_object *)(uintptr_t)patch, key, value)
	{
		if (value == NULL)
			json_object_object_del(merged, key);
		else
			json_set(merged, key, merge(json_get(target, key), value));
	}
	return merged;
}

int patch_merge(const struct json_object *doc, const struct json_object *patch, struct json_object **ret,
		struct err *err)
{
	if (!json_object_is_type(patch, json_type_object))
		return err_set(err, ERR_BAD_REQUEST,
			       "error decoding patch: json: cannot unmarshal %s into Go value of type "
			       "map[string]interface {}",
			       decode_type_name(patch));
	*ret = merge(doc, patch);
	return 0;
}
