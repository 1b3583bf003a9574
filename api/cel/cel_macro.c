/* Macros: calls that are not evaluated as such.
 * https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros
 */
#include <string.h>

#include "api/cel/cel_parse.h"

/* What is behind the target: variables, then a condition, then what is made of an item; '?' may be missing.
 */
static const struct {
	const char *name;
	uint8_t variables, n; /* arguments without the target */
	uint8_t fold;
	uint8_t condition, transform; /* index among them, or 0 */
} folds[] = {
	{ "all", 1, 2, CEL_ALL, 1, 0 },
	{ "exists", 1, 2, CEL_EXISTS, 1, 0 },
	{ "exists_one", 1, 2, CEL_EXISTS_ONE, 1, 0 },
	{ "existsOne", 1, 2, CEL_EXISTS_ONE, 1, 0 },
	{ "filter", 1, 2, CEL_FILTER, 1, 0 },
	{ "map", 1, 2, CEL_TRANSFORM, 0, 1 },
	{ "map", 1, 3, CEL_TRANSFORM, 1, 2 },
	{ "all", 2, 3, CEL_ALL, 2, 0 },
	{ "exists", 2, 3, CEL_EXISTS, 2, 0 },
	{ "existsOne", 2, 3, CEL_EXISTS_ONE, 2, 0 },
	{ "exists_one", 2, 3, CEL_EXISTS_ONE, 2, 0 },
	{ "transformList", 2, 3, CEL_TRANSFORM, 0, 2 },
	{ "transformList", 2, 4, CEL_TRANSFORM, 2, 3 },
	{ "transformMap", 2, 3, CEL_TRANSFORM_MAP, 0, 2 },
	{ "transformMap", 2, 4, CEL_TRANSFORM_MAP, 2, 3 },
	{ "transformMapEntry", 2, 3, CEL_TRANSFORM_ENTRY, 0, 2 },
	{ "transformMapEntry", 2, 4, CEL_TRANSFORM_ENTRY, 2, 3 },
	{ "optMap", 1, 2, CEL_OPT_MAP, 0, 1 },
	{ "optFlatMap", 1, 2, CEL_OPT_FLAT_MAP, 0, 1 },
};

static bool has(struct cel_source *source, struct cel_node *node)
{
	struct cel_node *arg = node->args[0];

	if (arg->kind != CEL_SELECT || arg->optional || arg->test_only) {
		cel_fault(source, arg->at, "invalid argument to has() macro");
		return false;
	}
	arg->test_only = true;
	node->depth = arg->depth;
	arg->at = node->at;
	*node = *arg;
	return true;
}

static bool fold(struct cel_source *source, struct cel_arena *arena, struct cel_node *node, size_t row)
{
	struct cel_node **args = cel_alloc(arena, 3 * sizeof(*args)), **given = node->args + 1;
	const char *names[2] = { NULL, NULL };

	for (unsigned i = 0; i < folds[row].variables; i++) {
		if (given[i]->kind != CEL_IDENT) {
			cel_fault(source, given[i]->at, "argument must be a simple name");
			return false;
		}
		names[i] = given[i]->name;
	}
	if (names[1] && strcmp(names[0], names[1]) == 0) {
		cel_fault(source, given[1]->at, "duplicate variable name: %s", names[0]);
		return false;
	}
	args[0] = node->args[0];
	args[1] = folds[row].condition ? given[folds[row].condition] : NULL;
	args[2] = folds[row].transform ? given[folds[row].transform] : NULL;
	node->kind = CEL_FOLD;
	node->fold = folds[row].fold;
	node->keyed = folds[row].variables == 2;
	node->name = names[0];
	node->other = names[1];
	node->args = args;
	node->n = 3;
	return true;
}

bool cel_macro(struct cel_source *source, struct cel_arena *arena, struct cel_node *node)
{
	if (!node->member)
		return strcmp(node->name, "has") != 0 || node->n != 1 || has(source, node);
	for (size_t i = 0; i < sizeof(folds) / sizeof(*folds); i++)
		if (folds[i].n + 1U == node->n && strcmp(folds[i].name, node->name) == 0)
			return fold(source, arena, node, i);
	return true;
}
