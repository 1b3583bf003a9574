/* The evaluator. Errors are values: they go through an expression as CEL says, and && and || may do without
 * them. Everything costs steps of a budget, so that no expression over no object takes long: when it is used
 * up the evaluation stops as Kubernetes' does.
 */
#pragma once

#include "api/cel/cel_arena.h"
#include "api/cel/cel_node.h"
#include "lib/err.h"

#define CEL_STEP 10 /* tenths: reading ten bytes of a string costs as much as a variable */

struct cel_eval {
	struct cel_arena arena;
	uint64_t cost, limit;    /* tenths of a step */
	struct cel_value *slots; /* variables */
};

/* What NODE, which is checked, comes to. The value may point into E's arena, the program, and the variables.
 */
struct cel_value cel_eval(struct cel_eval *e, const struct cel_node *node);

/* Takes TENTHS off the budget. False: there is none left, and nothing costly may be done any more. */
bool cel_charge(struct cel_eval *e, uint64_t tenths);
/* To be asked before what has a client's size is put into the arena. False: BYTES more would be too much,
 * which uses up the budget. */
bool cel_reserve(struct cel_eval *e, size_t bytes);
/* The error of an evaluation without a budget. */
struct cel_value cel_exhausted(void);
bool cel_is_exhausted(const struct cel_value *value);
struct cel_value cel_errorf(struct cel_eval *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- values --- */

/* JSON, a value of SCHEMA, as a value; a CEL_ERROR where it is none. ROOT: a whole object. */
struct cel_value cel_from_json(struct cel_eval *e, const struct json_object *json,
			       const struct structural *schema, bool root);
/* The copy of TEXT in the arena. */
struct cel_value cel_new_text(struct cel_eval *e, const char *text, size_t len);
/* A list of N values to be filled in; a CEL_ERROR when that is too much memory. */
struct cel_value cel_new_list(struct cel_eval *e, size_t n, struct cel_value **ret_items);
/* A map with room for N entries; ret_map->n is to be set. A CEL_ERROR when that is too much memory. */
struct cel_value cel_new_map(struct cel_eval *e, size_t n, struct cel_map **ret_map);
struct cel_value cel_optional(struct cel_eval *e, struct cel_value inner);
struct cel_value cel_none(void);

size_t cel_list_len(const struct cel_value *list);
struct cel_value cel_list_at(struct cel_eval *e, const struct cel_value *list, size_t i);
size_t cel_map_len(const struct cel_value *map);
/* The value under KEY; false when there is none. Numbers that are equal are the same key. */
bool cel_map_find(struct cel_eval *e, const struct cel_value *map, const struct cel_value *key,
		  struct cel_value *ret);
/* The entries of MAP one by one: *CURSOR starts as NULL. */
bool cel_map_next(struct cel_eval *e, const struct cel_value *map, const void **cursor,
		  struct cel_value *ret_key, struct cel_value *ret_value);
/* Values of different kinds are not equal, but numbers that are. */
bool cel_equal(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b);
/* Sets *RET to below, at or above 0; false: they have no order (different kinds, NaN). */
bool cel_compare(const struct cel_value *a, const struct cel_value *b, int *ret);
/* Appends VALUE as messages show it. */
void cel_show(struct buf *b, const struct cel_value *value);
