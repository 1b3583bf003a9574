/* Sets of field paths: what a manager of an object owns, as metadata.managedFields tells it (FieldsV1).
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 *
 *     {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{}}}}}
 *
 * holds .spec.containers[name="c"] (the ".") and .spec.containers[name="c"].image. A set is a tree: at each
 * step an array of nodes, sorted by element. Sets are immutable and share what they have in common; all of
 * their memory is an arena's, and goes with it. NULL is the empty set; no other set is empty, nor is any
 * below a node.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Memory that is given back all at once. Zeroed: empty. */
struct field_arena {
	struct field_chunk *chunks;
	char *next, *end;
};
void field_arena_close(struct field_arena *arena);
void *field_alloc(struct field_arena *arena, size_t size);

/* In the order in which sets list them. */
enum field_element_kind {
	FIELD_ELEMENT_NAME,  /* f:NAME, of a struct or map */
	FIELD_ELEMENT_KEY,   /* k:{...}, item of a list by its keys: compact JSON, sorted by name */
	FIELD_ELEMENT_VALUE, /* v:JSON, item of a set */
	FIELD_ELEMENT_INDEX, /* i:N */
};

struct field_element {
	const char *text; /* without its prefix; not ended by a NUL */
	uint32_t len;
	uint8_t kind;
};
int field_element_compare(const struct field_element *a, const struct field_element *b);
/* ".spec", "[name=\"c\"]", "[=\"x\"]", "[0]". */
void field_element_print(struct buf *b, const struct field_element *element);

struct field_set;

struct field_node {
	struct field_element element;
	bool member;                      /* the path that ends here is in the set */
	const struct field_set *children; /* paths that go on, or NULL */
};

struct field_set {
	size_t n;
	struct field_node nodes[];
};

/* The node of ELEMENT in SET (may be NULL), or NULL. */
const struct field_node *field_set_find(const struct field_set *set, const struct field_element *element);
/* What SET has below ELEMENT. */
const struct field_set *field_set_below(const struct field_set *set, const struct field_element *element);

/* What is in A or B; in both. They may share parts with A and B. */
const struct field_set *field_set_union(struct field_arena *arena, const struct field_set *a,
					const struct field_set *b);
const struct field_set *field_set_intersection(struct field_arena *arena, const struct field_set *a,
					       const struct field_set *b);
/* A without the paths of B; what is below such a path stays. */
const struct field_set *field_set_difference(struct field_arena *arena, const struct field_set *a,
					     const struct field_set *b);
/* A without the paths of B and all that is below them. */
const struct field_set *field_set_difference_deep(struct field_arena *arena, const struct field_set *a,
						  const struct field_set *b);
bool field_set_equal(const struct field_set *a, const struct field_set *b);
/* Calls CALL with each path as text (".spec.replicas"), members of a step before what is below them. */
void field_set_each(const struct field_set *set, void (*call)(const char *path, void *arg), void *arg);

/* FieldsV1 from and to JSON text. Elements of kinds nobody knows are left out. TEXT must live as long as the
 * set. ERR_PARSE. */
int field_set_parse(struct field_arena *arena, const char *text, size_t len, const struct field_set **ret,
		    struct err *err);
void field_set_write(struct buf *b, const struct field_set *set);

/* Makes sets: nodes of the step under way are on a stack, and end() makes a set of those since begin(), which
 * gave MARK. Nodes may come in any order; of equal ones the last stays. */
struct field_builder {
	struct field_arena *arena;
	struct field_node *nodes; /* the stack: closed with the builder */
	size_t n, capacity;
};
void field_builder_close(struct field_builder *builder);
size_t field_builder_begin(const struct field_builder *builder);
/* Nothing happens when neither MEMBER nor CHILDREN is set. */
void field_builder_add(struct field_builder *builder, const struct field_element *element, bool member,
		       const struct field_set *children);
const struct field_set *field_builder_end(struct field_builder *builder, size_t mark);
