/* The checker, of macros. */
#include "api/cel/cel_checker.h"

/* Tells the variables of a fold over RANGE; false: that has no items. */
static bool declare_items(struct cel_checker *c, const struct cel_node *node, const struct cel_type *range)
{
	const struct cel_type *dyn = cel_type(CEL_TYPE_DYN), *key = dyn, *value = dyn, *one = dyn;

	if (node->fold == CEL_OPT_MAP || node->fold == CEL_OPT_FLAT_MAP) {
		if (!cel_type_is_dyn(range) && range->kind != CEL_TYPE_OPTIONAL)
			return false;
		one = cel_type_is_dyn(range) ? dyn : range->a;
	} else if (range->kind == CEL_TYPE_LIST) {
		key = cel_type(CEL_TYPE_INT);
		one = value = range->a;
	} else if (range->kind == CEL_TYPE_MAP) {
		one = key = range->a;
		value = range->b;
	} else if (!cel_type_is_dyn(range)) {
		return false;
	}
	cel_declare(c, node->name, node->keyed ? key : one);
	if (node->keyed)
		cel_declare(c, node->other, value);
	return true;
}

/* What a fold's condition is put into has no overload for another type. */
static void wants_bool(struct cel_checker *c, const struct cel_node *node, const struct cel_type *type,
		       const struct cel_type *range)
{
	const struct cel_type *types[3] = { cel_type(CEL_TYPE_BOOL), type, NULL };

	if (cel_type_fits(types[0], type))
		return;
	if (node->fold == CEL_ALL || node->fold == CEL_EXISTS) {
		cel_no_overload(c, node->at, node->fold == CEL_ALL ? "_&&_" : "_||_", false, types, 2);
		return;
	}
	types[0] = type;
	types[1] = types[2] = node->fold == CEL_EXISTS_ONE ? cel_type(CEL_TYPE_INT) : range;
	cel_no_overload(c, node->at, "_?_:_", false, types, 3);
}

static const struct cel_type *result_of(struct cel_checker *c, const struct cel_node *node,
					const struct cel_type *range, const struct cel_type *made)
{
	const struct cel_type *key;

	switch ((enum cel_fold)node->fold) {
	case CEL_ALL:
	case CEL_EXISTS:
	case CEL_EXISTS_ONE:
		break;
	case CEL_FILTER:
		if (range->kind == CEL_TYPE_LIST)
			return range;
		return cel_type_of(c->scratch, CEL_TYPE_LIST,
				   range->kind == CEL_TYPE_MAP ? range->a : cel_type(CEL_TYPE_DYN), NULL);
	case CEL_TRANSFORM:
		return cel_type_of(c->scratch, CEL_TYPE_LIST, made, NULL);
	case CEL_TRANSFORM_MAP:
		key = range->kind == CEL_TYPE_LIST  ? cel_type(CEL_TYPE_INT)
		      : range->kind == CEL_TYPE_MAP ? range->a
						    : cel_type(CEL_TYPE_DYN);
		return cel_type_of(c->scratch, CEL_TYPE_MAP, key, made);
	case CEL_TRANSFORM_ENTRY:
		if (!cel_type_is_dyn(made) && made->kind != CEL_TYPE_MAP)
			return cel_fault_type(c, node->at, "expected type 'map(dyn, dyn)' but found '%s'",
					      made);
		return made;
	case CEL_OPT_MAP:
		return cel_type_of(c->scratch, CEL_TYPE_OPTIONAL, made, NULL);
	case CEL_OPT_FLAT_MAP:
		if (!cel_type_is_dyn(made) && made->kind != CEL_TYPE_OPTIONAL)
			return cel_fault_type(c, node->at,
					      "expected type 'optional_type(dyn)' but found '%s'", made);
		return made;
	}
	return cel_type(CEL_TYPE_BOOL);
}

const struct cel_type *cel_check_fold(struct cel_checker *c, struct cel_node *node)
{
	const struct cel_type *range = cel_check_node(c, node->args[0]), *made = cel_type(CEL_TYPE_DYN);
	unsigned before = c->n;

	node->slot = c->n;
	if (!declare_items(c, node, range)) {
		if (node->fold == CEL_OPT_MAP || node->fold == CEL_OPT_FLAT_MAP)
			return cel_no_overload(c, node->at,
					       node->fold == CEL_OPT_MAP ? "optMap" : "optFlatMap", true,
					       &range, 1);
		return cel_fault_type(
		    c, node->args[0]->at,
		    "expression of type '%s' cannot be range of a comprehension (must be list, "
		    "map, or dynamic)",
		    range);
	}
	if (node->args[1])
		wants_bool(c, node, cel_check_node(c, node->args[1]), range);
	if (node->args[2])
		made = cel_check_node(c, node->args[2]);
	c->n = before;
	return result_of(c, node, range, made);
}
