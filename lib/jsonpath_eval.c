#include <stdlib.h>
#include <string.h>

#include "lib/jsonpath.h"
#include "lib/jsonpath_tree.h"

/* "..*" multiplies what it is given, so that a short template can ask for more than there is memory. */
enum { MAX_VALUES = 1000 * 1000 };

struct values {
	struct json_object **items; /* borrowed */
	size_t n, cap;
};

struct evaluation {
	struct json_object *root;
	bool strict;
	size_t budget; /* values that may still be made */
	struct err *err;
};

static int eval_steps(struct evaluation *e, const struct jsonpath_steps *steps, struct json_object *current,
		      struct values *ret);

static void values_close(struct values *values)
{
	free(values->items);
}

static int add(struct evaluation *e, struct values *values, struct json_object *value)
{
	if (e->budget == 0)
		return err_set(e->err, ERR_LIMIT, "the jsonpath template selects more than %d values",
			       MAX_VALUES);
	e->budget--;
	if (values->n == values->cap) {
		values->cap = values->cap ? values->cap * 2 : 16;
		values->items = mem_realloc_array(values->items, values->cap, sizeof(struct json_object *));
	}
	values->items[values->n++] = value;
	return 0;
}

/* All members of an object or items of a list. */
static int add_children(struct evaluation *e, struct json_object *value, struct values *out)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_len(value); i++)
			if (add(e, out, json_at(value, i)) < 0)
				return -1;
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (add(e, out, member) < 0)
				return -1;
		}
	}
	return 0;
}

/* VALUE and everything below it; as deep as json_parse lets values be. */
static int add_descendants(struct evaluation *e, struct json_object *value, struct values *out)
{
	size_t first;

	if (add(e, out, value) < 0)
		return -1;
	first = out->n;
	if (add_children(e, value, out) < 0)
		return -1;
	/* Children were put one after the other; theirs follow behind. */
	for (size_t i = first, last = out->n; i < last; i++) {
		struct json_object *child = out->items[i];
		size_t before = out->n;
		if (add_descendants(e, child, out) < 0)
			return -1;
		/* the child itself is there already */
		memmove(&out->items[before], &out->items[before + 1],
			(out->n - before - 1) * sizeof(struct json_object *));
		out->n--;
	}
	return 0;
}

static int eval_slice(struct evaluation *e, const struct jsonpath_step *step, struct json_object *value,
		      struct values *out)
{
	int64_t len = (int64_t)json_len(value);
	int64_t start = step->has_start ? step->start : 0, end = step->has_end ? step->end : len;

	if (!json_object_is_type(value, json_type_array))
		return value ? err_set(e->err, ERR_PARSE, "%s is not array or slice",
				       json_object_get_string(value))
			     : 0;
	if (start < 0)
		start += len;
	if (end < 0)
		end += len;
	if (step->single) {
		if (start < 0 || start >= len)
			return err_set(e->err, ERR_PARSE,
				       "array index out of bounds: index %lld, length %lld", (long long)start,
				       (long long)len);
		return add(e, out, json_at(value, (size_t)start));
	}
	if (start < 0)
		start = 0;
	for (int64_t i = start; i < end && i < len; i += step->stride) {
		if (add(e, out, json_at(value, (size_t)i)) < 0)
			return -1;
		if (step->stride >= len)
			break;
	}
	return 0;
}

static bool is_number(const struct json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static bool compare(enum jsonpath_compare how, struct json_object *a, struct json_object *b)
{
	int order;

	if (is_number(a) && is_number(b)) {
		double x = json_object_get_double(a), y = json_object_get_double(b);
		order = (x > y) - (x < y);
	} else if (json_object_is_type(a, json_type_string) && json_object_is_type(b, json_type_string)) {
		order = strcmp(json_object_get_string(a), json_object_get_string(b));
	} else if (how == COMPARE_EQ || how == COMPARE_NE) {
		order = !json_equal(a, b);
	} else {
		return false; /* values of different types have no order */
	}
	switch (how) {
	case COMPARE_EQ:
		return order == 0;
	case COMPARE_NE:
		return order != 0;
	case COMPARE_LT:
		return order < 0;
	case COMPARE_LE:
		return order <= 0;
	case COMPARE_GT:
		return order > 0;
	case COMPARE_GE:
		return order >= 0;
	case COMPARE_EXISTS:
		break;
	}
	return true;
}

static int eval_filter(struct evaluation *e, const struct jsonpath_step *step, struct json_object *value,
		       struct values *out)
{
	bool strict = e->strict;
	int failed = 0;

	e->strict = false; /* an item without the field is only not selected */
	for (size_t i = 0; i < json_len(value) && !failed; i++) {
		CLEANUP(values_close) struct values left = { 0 }, right = { 0 };
		struct json_object *item = json_at(value, i);
		failed = eval_steps(e, &step->left, item, &left);
		if (!failed && step->compare != COMPARE_EXISTS)
			failed = eval_steps(e, &step->right, item, &right);
		if (failed || !left.n || (step->compare != COMPARE_EXISTS && !right.n))
			continue;
		if (step->compare == COMPARE_EXISTS || compare(step->compare, left.items[0], right.items[0]))
			failed = add(e, out, item);
	}
	e->strict = strict;
	return failed;
}

static int eval_field(struct evaluation *e, const struct jsonpath_step *step, struct json_object *value,
		      struct values *out)
{
	struct json_object *member;

	if (json_object_is_type(value, json_type_object) &&
	    json_object_object_get_ex(value, step->name, &member))
		return add(e, out, member);
	return 0;
}

/* One step from one value. */
static int eval_step(struct evaluation *e, const struct jsonpath_step *step, struct json_object *value,
		     struct json_object *current, struct values *out)
{
	switch (step->type) {
	case STEP_ROOT:
		return add(e, out, e->root);
	case STEP_CURRENT:
		return add(e, out, value);
	case STEP_FIELD:
		return eval_field(e, step, value, out);
	case STEP_ALL:
		return add_children(e, value, out);
	case STEP_RECURSIVE:
		return add_descendants(e, value, out);
	case STEP_SLICE:
		return eval_slice(e, step, value, out);
	case STEP_UNION:
		for (size_t i = 0; i < step->members.n; i++)
			if (eval_step(e, &step->members.items[i], value, current, out) < 0)
				return -1;
		return 0;
	case STEP_FILTER:
		return eval_filter(e, step, value, out);
	case STEP_LITERAL:
		return add(e, out, step->literal);
	}
	return 0;
}

static int eval_steps(struct evaluation *e, const struct jsonpath_steps *steps, struct json_object *current,
		      struct values *ret)
{
	CLEANUP(values_close) struct values now = { 0 };

	if (add(e, &now, current) < 0)
		return -1;
	for (size_t s = 0; s < steps->n; s++) {
		const struct jsonpath_step *step = &steps->items[s];
		bool recursive = s > 0 && steps->items[s - 1].type == STEP_RECURSIVE;
		CLEANUP(values_close) struct values next = { 0 };
		for (size_t i = 0; i < now.n; i++) {
			/* What ".." gathered is asked for things that only some of it can have. */
			if (recursive && step->type == STEP_SLICE &&
			    !json_object_is_type(now.items[i], json_type_array))
				continue;
			if (eval_step(e, step, now.items[i], current, &next) < 0)
				return -1;
		}
		if (step->type == STEP_FIELD && !next.n && e->strict)
			return err_set(e->err, ERR_NOT_FOUND, "%s is not found", step->name);
		struct values swap = now;
		now = next;
		next = swap;
	}
	*ret = now;
	now = (struct values){ 0 };
	return 0;
}

/* Strings and numbers as they are, objects and lists as JSON. */
static void write_value(struct buf *b, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
		json_write_sorted(b, value);
	else if (value)
		buf_str(b, json_object_get_string(value));
}

static int write_parts(struct evaluation *e, const struct jsonpath_parts *parts, struct json_object *current,
		       struct buf *b)
{
	for (size_t i = 0; i < parts->n; i++) {
		const struct jsonpath_part *part = &parts->items[i];
		CLEANUP(values_close) struct values values = { 0 };
		if (part->type == PART_TEXT) {
			buf_str(b, part->text);
			continue;
		}
		if (eval_steps(e, &part->steps, current, &values) < 0)
			return -1;
		for (size_t v = 0; v < values.n; v++) {
			if (part->type == PART_EXPR) {
				if (v)
					buf_char(b, ' ');
				write_value(b, values.items[v]);
			} else if (write_parts(e, part->body, values.items[v], b) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

static struct evaluation begin(const struct json_object *obj, bool strict, struct err *err)
{
	/* json-c's getters take plain pointers; nothing is changed. */
	return (struct evaluation){ .root = (struct json_object *)(uintptr_t)obj,
				    .strict = strict,
				    .budget = MAX_VALUES,
				    .err = err };
}

int jsonpath_write(const struct jsonpath *path, const struct json_object *obj, bool strict, struct buf *b,
		   struct err *err)
{
	struct evaluation e = begin(obj, strict, err);

	return write_parts(&e, &path->parts, e.root, b);
}

int jsonpath_each(const struct jsonpath *path, const struct json_object *obj,
		  void (*value)(struct json_object *value, void *arg), void *arg, struct err *err)
{
	struct evaluation e = begin(obj, false, err);
	CLEANUP(values_close) struct values values = { 0 };

	if (path->parts.n != 1 || path->parts.items[0].type != PART_EXPR)
		return err_set(err, ERR_PARSE, "a single path is needed");
	if (eval_steps(&e, &path->parts.items[0].steps, e.root, &values) < 0)
		return -1;
	for (size_t i = 0; i < values.n; i++)
		value(values.items[i], arg);
	return 0;
}

static void keep_first(struct json_object *value, void *arg)
{
	struct json_object **first = arg;

	if (!*first)
		*first = value;
}

struct json_object *jsonpath_first(const struct jsonpath *path, const struct json_object *obj)
{
	struct json_object *first = NULL;

	jsonpath_each(path, obj, keep_first, &first, NULL);
	return first;
}
