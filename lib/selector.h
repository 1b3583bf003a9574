/* Label selectors (string form and meta/v1 LabelSelector) and field selectors.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/json.h"

enum selector_op {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_NOT_EXISTS,
	SELECTOR_GT,
	SELECTOR_LT
};

struct selector_requirement {
	char *key;
	enum selector_op op;
	char **values; /* sorted; one for GT and LT */
	size_t n_values;
};

/* All requirements must hold; none: everything matches. */
struct selector {
	struct selector_requirement *requirements;
	size_t n;
	bool nothing; /* matches no object at all */
};

/* A set of labels or fields that can be asked for a key; NULL when the key is not there. A field that is
 * not set is there and empty. */
typedef const char *(*selector_lookup_fn)(const void *set, const char *key);

/* "app=web,tier!=db,env in (a,b),!old,gen" ; "" selects everything. ERR_BAD_REQUEST in Kubernetes' words
 * ("unable to parse requirement: ..."). *ret is to be closed. */
int selector_parse(const char *s, struct selector *ret, struct err *err);
/* "metadata.name=a,spec.nodeName!=b" (= == != and \-escapes); fields become IN/NOT_IN with one value. */
int selector_parse_fields(const char *s, struct selector *ret, struct err *err);
/* From meta/v1 LabelSelector: NULL selects nothing, {} everything. */
int selector_from_json(const struct json_object *label_selector, struct selector *ret, struct err *err);
void selector_close(struct selector *s);
/* Adds one requirement, checked as labels are; ERR_BAD_REQUEST says what is wrong. VALUES are copied. */
int selector_add(struct selector *s, const char *key, enum selector_op op, const char *const *values,
		 size_t n, struct err *err);
/* The same for what is no label (fields). Values must suit the operator. */
void selector_add_unchecked(struct selector *s, const char *key, enum selector_op op,
			    const char *const *values, size_t n);
/* Orders the requirements by key, as both parsers of label selectors do. */
void selector_sort(struct selector *s);
bool selector_matches(const struct selector *s, selector_lookup_fn lookup, const void *set);
/* Against a JSON object of strings (metadata.labels); NULL is the empty set. */
bool selector_matches_json(const struct selector *s, const struct json_object *labels);
/* The value that S requires KEY to equal, or NULL when it does not pin it to one. */
const char *selector_exact(const struct selector *s, const char *key);
/* Appends the string form, as kubectl prints it: requirements in their order, "app=web,env in (a,b)". */
void selector_write(struct buf *b, const struct selector *s);
