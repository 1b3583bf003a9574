/* Optional values.
 * https://github.com/google/cel-spec/wiki/proposal-246
 */
#include "api/cel/cel_functions.h"

CEL_FUNCTION(cel_optional_of)
{
	(void)node, (void)n;
	return cel_optional(e, args[0]);
}

static bool is_zero(struct cel_eval *e, const struct cel_value *v)
{
	struct cel_value key, value;
	const void *at = NULL;

	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !v->b;
	case CEL_INT:
	case CEL_UINT:
	case CEL_DURATION:
		return v->i == 0;
	case CEL_DOUBLE:
		return !(v->d < 0) && !(v->d > 0);
	case CEL_STRING:
	case CEL_BYTES:
		return v->len == 0;
	case CEL_LIST:
		return cel_list_len(v) == 0;
	case CEL_MAP:
	case CEL_OBJECT:
		return !cel_map_next(e, v, &at, &key, &value);
	case CEL_OPTIONAL:
		return !v->inner;
	default:
		return false;
	}
}

CEL_FUNCTION(cel_optional_of_non_zero)
{
	(void)node, (void)n;
	return is_zero(e, &args[0]) ? cel_none() : cel_optional(e, args[0]);
}

CEL_FUNCTION(cel_optional_none)
{
	(void)e, (void)node, (void)args, (void)n;
	return cel_none();
}

CEL_FUNCTION(cel_optional_has_value)
{
	(void)e, (void)node, (void)n;
	return cel_bool(args[0].inner != NULL);
}

CEL_FUNCTION(cel_optional_value)
{
	(void)e, (void)node, (void)n;
	return args[0].inner ? *args[0].inner : cel_error("optional.none() dereference");
}

CEL_FUNCTION(cel_optional_or)
{
	(void)e, (void)node, (void)n;
	return args[0].inner ? args[0] : args[1];
}

CEL_FUNCTION(cel_optional_or_value)
{
	(void)e, (void)node, (void)n;
	return args[0].inner ? *args[0].inner : args[1];
}
