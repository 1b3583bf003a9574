/* Rules of a role, parsed once: what they allow, and what they cover of other rules. Pure.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/ (pkg/registry/rbac/validation)
 */
#pragma once

#include "apiserver/authz/attributes.h"
#include "lib/json.h"

struct authz_names {
	const char **items; /* with what they point to in one allocation */
	size_t n;
	bool any; /* "*" is among them */
};

struct authz_rule {
	struct authz_names verbs, groups, resources, names, urls;
	unsigned verb_bits; /* enum verb of those that are one; all of them when any */
};

struct authz_rules {
	struct authz_rule *items;
	size_t n;
	unsigned verb_bits; /* of all */
};

#define AUTHZ_RULES_INIT ((struct authz_rules){ 0 })

/* RULES: a role's member of that name, or NULL. */
void rules_parse(const struct json_object *rules, struct authz_rules *ret);
void rules_close(struct authz_rules *rules);
bool rules_allow(const struct authz_rules *rules, const struct authz_attributes *a);

/* Appends the rule to the JSON array RULES. */
void rule_append_json(const struct authz_rule *rule, struct json_object *rules);
/* What of RULES (JSON) no rule of the N in OWNED covers, as JSON rules of one group, resource or path, and
 * name each, verbs together; empty when all is covered. A rule is taken apart for that: ERR_LIMIT when it has
 * more combinations than RULES_COMBINATIONS_MAX. */
#define RULES_COMBINATIONS_MAX 20000
int rules_uncovered(const struct authz_rule *const *owned, size_t n, const struct json_object *rules,
		    struct json_object **ret, struct err *err);
/* {APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]} */
void rule_write_compact(struct buf *b, const struct json_object *rule);
/* ["a" "b"] */
void names_write_quoted(struct buf *b, const char *const *items, size_t n);
