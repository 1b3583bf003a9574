#include "apiserver/authz/rules.h"

#include <stdlib.h>
#include <string.h>

/* --- parsing --- */

static void names_parse(const struct json_object *array, struct authz_names *ret)
{
	size_t n = json_len(array), bytes = 0;
	char *text;

	*ret = (struct authz_names){ 0 };
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		bytes += (size_t)json_object_get_string_len(json_at(array, i)) + 1;
	ret->items = mem_alloc(n * sizeof(*ret->items) + bytes);
	text = (char *)(ret->items + n);
	for (size_t i = 0; i < n; i++) {
		const struct json_object *item = json_at(array, i);
		size_t len = (size_t)json_object_get_string_len(item);

		if (!json_object_is_type(item, json_type_string))
			continue;
		memcpy(text, json_object_get_string((struct json_object *)item), len);
		text[len] = '\0';
		ret->any |= strcmp(text, "*") == 0;
		ret->items[ret->n++] = text;
		text += len + 1;
	}
}

static void rule_parse(const struct json_object *rule, struct authz_rule *ret)
{
	names_parse(json_get(rule, "verbs"), &ret->verbs);
	names_parse(json_get(rule, "apiGroups"), &ret->groups);
	names_parse(json_get(rule, "resources"), &ret->resources);
	names_parse(json_get(rule, "resourceNames"), &ret->names);
	names_parse(json_get(rule, "nonResourceURLs"), &ret->urls);
	ret->verb_bits = ret->verbs.any ? UINT32_MAX : 0;
	for (size_t i = 0; i < ret->verbs.n; i++)
		ret->verb_bits |= verb_parse(ret->verbs.items[i]);
}

void rules_parse(const struct json_object *rules, struct authz_rules *ret)
{
	size_t n = json_len(rules);

	*ret = AUTHZ_RULES_INIT;
	ret->items = mem_realloc_array(NULL, n ? n : 1, sizeof(*ret->items));
	for (size_t i = 0; i < n; i++) {
		rule_parse(json_at(rules, i), &ret->items[ret->n]);
		ret->verb_bits |= ret->items[ret->n++].verb_bits;
	}
}

static void rule_close(struct authz_rule *rule)
{
	free(rule->verbs.items);
	free(rule->groups.items);
	free(rule->resources.items);
	free(rule->names.items);
	free(rule->urls.items);
}

void rules_close(struct authz_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		rule_close(&rules->items[i]);
	free(rules->items);
	*rules = AUTHZ_RULES_INIT;
}

/* --- what they allow --- */

static bool names_have(const struct authz_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static bool verb_matches(const struct authz_rule *rule, const struct authz_attributes *a)
{
	if (a->verb_bit)
		return (rule->verb_bits & a->verb_bit) != 0;
	return rule->verbs.any || names_have(&rule->verbs, a->verb);
}

/* RULE: "pods", "pods/log", "* /log" (without the space). */
static bool resource_matches(const char *rule, const char *resource, const char *subresource)
{
	size_t len = strlen(resource);

	if (!*subresource)
		return strcmp(rule, resource) == 0;
	if (strncmp(rule, resource, len) == 0 && rule[len] == '/' && strcmp(rule + len + 1, subresource) == 0)
		return true;
	return rule[0] == '*' && rule[1] == '/' && strcmp(rule + 2, subresource) == 0;
}

static bool any_resource_matches(const struct authz_rule *rule, const struct authz_attributes *a)
{
	if (rule->resources.any)
		return true;
	for (size_t i = 0; i < rule->resources.n; i++)
		if (resource_matches(rule->resources.items[i], a->resource, a->subresource))
			return true;
	return false;
}

/* "/healthz", "/logs/ *" (without the space), "*". */
static bool url_covers(const char *owner, const char *url)
{
	size_t len = strlen(owner), kept = len;

	if (strcmp(owner, url) == 0)
		return true;
	while (kept && owner[kept - 1] == '*')
		kept--;
	return kept < len && strncmp(owner, url, kept) == 0;
}

static bool any_url_covers(const struct authz_names *urls, const char *url)
{
	for (size_t i = 0; i < urls->n; i++)
		if (url_covers(urls->items[i], url))
			return true;
	return false;
}

static bool rule_allows(const struct authz_rule *rule, const struct authz_attributes *a)
{
	if (!verb_matches(rule, a))
		return false;
	if (!a->is_resource)
		return any_url_covers(&rule->urls, a->path);
	return (rule->groups.any || names_have(&rule->groups, a->group)) && any_resource_matches(rule, a) &&
	       (!rule->names.n || names_have(&rule->names, a->name));
}

bool rules_allow(const struct authz_rules *rules, const struct authz_attributes *a)
{
	if (a->verb_bit && !(rules->verb_bits & a->verb_bit))
		return false;
	for (size_t i = 0; i < rules->n; i++)
		if (rule_allows(&rules->items[i], a))
			return true;
	return false;
}

/* --- what they cover --- */

static void append_names(struct json_object *rule, const char *key, const struct authz_names *names)
{
	if (!names->n)
		return;
	for (size_t i = 0; i < names->n; i++)
		json_object_array_add(json_ensure_array(rule, key), json_object_new_string(names->items[i]));
}

void rule_append_json(const struct authz_rule *rule, struct json_object *rules)
{
	struct json_object *obj = json_object_new_object();

	append_names(obj, "verbs", &rule->verbs);
	append_names(obj, "apiGroups", &rule->groups);
	append_names(obj, "resources", &rule->resources);
	append_names(obj, "resourceNames", &rule->names);
	append_names(obj, "nonResourceURLs", &rule->urls);
	json_object_array_add(rules, obj);
}

static bool resource_covered(const struct authz_names *owned, const char *resource)
{
	const char *slash = strchr(resource, '/');

	if (owned->any || names_have(owned, resource))
		return true;
	for (size_t i = 0; slash && i < owned->n; i++)
		if (owned->items[i][0] == '*' && strcmp(owned->items[i] + 1, slash) == 0)
			return true;
	return false;
}

static bool all_covered(const struct authz_names *owned, const struct authz_names *wanted)
{
	if (owned->any)
		return true;
	for (size_t i = 0; i < wanted->n; i++)
		if (!names_have(owned, wanted->items[i]))
			return false;
	return true;
}

static bool rule_covers(const struct authz_rule *owned, const struct authz_rule *wanted)
{
	if (!all_covered(&owned->verbs, &wanted->verbs) || !all_covered(&owned->groups, &wanted->groups))
		return false;
	for (size_t i = 0; i < wanted->resources.n; i++)
		if (!resource_covered(&owned->resources, wanted->resources.items[i]))
			return false;
	for (size_t i = 0; i < wanted->urls.n; i++)
		if (!any_url_covers(&owned->urls, wanted->urls.items[i]))
			return false;
	/* A rule for some names covers none that is for all. */
	if (!wanted->names.n)
		return !owned->names.n;
	if (!owned->names.n)
		return true;
	for (size_t i = 0; i < wanted->names.n; i++)
		if (!names_have(&owned->names, wanted->names.items[i]))
			return false;
	return true;
}

static bool any_covers(const struct authz_rule *const *owned, size_t n, const struct authz_rule *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (rule_covers(owned[i], wanted))
			return true;
	return false;
}

/* Rules are taken apart, since one rule may be covered by several together. */
struct apart {
	const struct authz_rule *const *owned;
	size_t n;
	struct json_object *missing;
};

static struct authz_names one_of(const struct authz_names *names, size_t i)
{
	return i < names->n ? (struct authz_names){ .items = names->items + i, .n = 1 }
			    : (struct authz_names){ 0 };
}

/* Every verb of WANTED, which has one group, resource, path and name at most, that is not covered. */
static void check_verbs(const struct apart *apart, const struct authz_rule *wanted)
{
	struct json_object *verbs = NULL;

	for (size_t i = 0; i < wanted->verbs.n; i++) {
		struct authz_rule part = *wanted;

		part.verbs = one_of(&wanted->verbs, i);
		if (any_covers(apart->owned, apart->n, &part))
			continue;
		if (!verbs) {
			rule_append_json(&part, apart->missing);
			verbs = json_get(json_at(apart->missing, json_len(apart->missing) - 1), "verbs");
		} else {
			json_object_array_add(verbs, json_object_new_string(wanted->verbs.items[i]));
		}
	}
}

/* Paths are not put together by verbs, as resources are. */
static void check_urls(const struct apart *apart, const struct authz_rule *wanted)
{
	for (size_t u = 0; u < wanted->urls.n; u++) {
		for (size_t v = 0; v < wanted->verbs.n; v++) {
			struct authz_rule part = { .verbs = one_of(&wanted->verbs, v),
						   .urls = one_of(&wanted->urls, u) };

			check_verbs(apart, &part);
		}
	}
}

static void check_resources(const struct apart *apart, const struct authz_rule *wanted)
{
	size_t n_names = wanted->names.n ? wanted->names.n : 1;

	for (size_t g = 0; g < wanted->groups.n; g++) {
		for (size_t r = 0; r < wanted->resources.n; r++) {
			for (size_t i = 0; i < n_names; i++) {
				struct authz_rule part = { .verbs = wanted->verbs,
							   .groups = one_of(&wanted->groups, g),
							   .resources = one_of(&wanted->resources, r),
							   .names = one_of(&wanted->names, i) };

				check_verbs(apart, &part);
			}
		}
	}
}

static double combinations(const struct authz_rule *rule)
{
	double n = (double)rule->verbs.n;

	n *=
	    (double)rule->groups.n * (double)rule->resources.n * (double)(rule->names.n ? rule->names.n : 1) +
	    (double)rule->urls.n;
	return n;
}

int rules_uncovered(const struct authz_rule *const *owned, size_t n, const struct json_object *rules,
		    struct json_object **ret, struct err *err)
{
	CLEANUP(rules_close) struct authz_rules wanted = AUTHZ_RULES_INIT;
	struct apart apart = { .owned = owned, .n = n, .missing = json_object_new_array() };
	double total = 0;

	rules_parse(rules, &wanted);
	for (size_t i = 0; i < wanted.n; i++) {
		/* The usual one who grants has a rule for everything. */
		if (any_covers(owned, n, &wanted.items[i]))
			continue;
		total += combinations(&wanted.items[i]);
		if (total > RULES_COMBINATIONS_MAX) {
			json_object_put(apart.missing);
			return err_set(
			    err, ERR_LIMIT,
			    "rules[%zu]: more than %d combinations of group, resource, name and verb", i,
			    RULES_COMBINATIONS_MAX);
		}
		check_urls(&apart, &wanted.items[i]);
		check_resources(&apart, &wanted.items[i]);
	}
	*ret = apart.missing;
	return 0;
}

/* --- text --- */

void names_write_quoted(struct buf *b, const char *const *items, size_t n)
{
	buf_char(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(b, ' ');
		buf_json_string(b, items[i]);
	}
	buf_char(b, ']');
}

void rule_write_compact(struct buf *b, const struct json_object *rule)
{
	static const char *const members[][2] = {
		{ "apiGroups", "APIGroups" },
		{ "resources", "Resources" },
		{ "nonResourceURLs", "NonResourceURLs" },
		{ "resourceNames", "ResourceNames" },
		{ "verbs", "Verbs" },
	};
	const char *before = "{";

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct authz_names names;

		names_parse(json_get(rule, members[i][0]), &names);
		if (names.n) {
			buf_printf(b, "%s%s:", before, members[i][1]);
			names_write_quoted(b, names.items, names.n);
			before = ", ";
		}
		free(names.items);
	}
	buf_char(b, '}');
}
