/* The functions and operators there are. A row is one overload; those of a function stand side by side. The
 * checker goes by their signatures, and so does the evaluator where types are known only then.
 *
 *     { "indexOf", ".ssi:i", cel_index_of }     string.indexOf(string, int) -> int
 *
 * b bool, i int, u uint, d double, s string, y bytes, n null, D duration, T timestamp, t(x) type, X anything;
 * L(x) list, M(k)(v) map, O(x) optional; Q quantity, U URL, I IP, C CIDR, V semver, F format; A and B: the
 * same type wherever they stand. A dot: called on its first argument.
 */
#pragma once

#include "api/cel/cel_type.h"
#include "api/cel/cel_value.h"

struct cel_eval;
struct cel_node;

/* ARGS are of the kinds that the signature says; what is in lists and maps is not looked at. */
typedef struct cel_value (*cel_function)(struct cel_eval *e, const struct cel_node *node,
					 const struct cel_value *args, unsigned n);

struct cel_overload {
	const char *name, *signature;
	cel_function function;
};

/* The first of NAME, or NULL. The last is followed by one of another name, or by one without. */
const struct cel_overload *cel_overload_find(const char *name);
/* True when ARGS fit; *RET_RESULT is what comes out then. */
bool cel_overload_accepts(const struct cel_overload *overload, bool member,
			  const struct cel_type *const *args, unsigned n, struct cel_arena *arena,
			  const struct cel_type **ret_result);
/* The same for values, by their kinds. */
bool cel_overload_takes(const struct cel_overload *overload, bool member, const struct cel_value *args,
			unsigned n);
