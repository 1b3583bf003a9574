#include "apiserver/audit/policy.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/config_file.h"

static const char *const levels[] = { "None", "Metadata", "Request", "RequestResponse" };
static const struct {
	const char *name;
	unsigned stage; /* 0: one that never comes here */
} stages[] = {
	{ "RequestReceived", AUDIT_REQUEST_RECEIVED },
	{ "ResponseStarted", AUDIT_RESPONSE_STARTED },
	{ "ResponseComplete", AUDIT_RESPONSE_COMPLETE },
	{ "Panic", 0 },
};

struct strings {
	char **items;
	size_t n;
};

struct resource_rule {
	char *group;
	struct strings resources, names;
};

struct rule {
	struct audit_verdict verdict;
	struct strings users, groups, verbs, namespaces, paths;
	struct resource_rule *resources;
	size_t n_resources;
};

struct audit_policy {
	struct rule *rules;
	size_t n;
};

const char *audit_level_name(enum audit_level level)
{
	return levels[level];
}

const char *audit_stage_name(enum audit_stage stage)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (stages[i].stage == (unsigned)stage)
			return stages[i].name;
	return "";
}

/* --- reading --- */

static void strings_close(struct strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		free(strings->items[i]);
	free(strings->items);
}

static void rule_close(struct rule *rule)
{
	struct strings *all[] = { &rule->users, &rule->groups, &rule->verbs, &rule->namespaces,
				  &rule->paths };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		strings_close(all[i]);
	for (size_t i = 0; i < rule->n_resources; i++) {
		strings_close(&rule->resources[i].resources);
		strings_close(&rule->resources[i].names);
		free(rule->resources[i].group);
	}
	free(rule->resources);
}

void audit_policy_free(struct audit_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->n; i++)
		rule_close(&policy->rules[i]);
	free(policy->rules);
	free(policy);
}

static int read_strings(const struct json_object *from, const char *key, struct strings *ret, struct err *err)
{
	const struct json_object *list = json_get(from, key);
	if (list && !json_object_is_type(list, json_type_array))
		return err_set(err, ERR_BAD_REQUEST, "%s is no list", key);
	for (size_t i = 0; i < json_len(list); i++) {
		if (!json_object_is_type(json_at(list, i), json_type_string))
			return err_set(err, ERR_BAD_REQUEST, "%s[%zu] is no string", key, i);
		ret->items = mem_realloc_array(ret->items, ret->n + 1, sizeof(char *));
		ret->items[ret->n++] = mem_dup(json_object_get_string(json_at(list, i)));
	}
	return 0;
}

static int read_stages(const struct json_object *from, unsigned *ret, struct err *err)
{
	struct strings names = { 0 };
	int result = read_strings(from, "omitStages", &names, err);
	for (size_t i = 0; i < names.n && result == 0; i++) {
		size_t k = 0;
		while (k < ARRAY_SIZE(stages) && strcmp(stages[k].name, names.items[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(stages))
			result = err_set(err, ERR_BAD_REQUEST, "omitStages: unknown stage \"%.64s\"",
					 names.items[i]);
		else
			*ret |= stages[k].stage;
	}
	strings_close(&names);
	return result;
}

static int read_level(const struct json_object *from, enum audit_level *ret, struct err *err)
{
	const char *name = json_str_or_empty(from, "level");
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcmp(levels[i], name) == 0) {
			*ret = (enum audit_level)i;
			return 0;
		}
	return err_set(err, ERR_BAD_REQUEST, "level: unknown level \"%.64s\"", name);
}

static int read_resources(const struct json_object *from, struct rule *rule, struct err *err)
{
	const struct json_object *list = json_get(from, "resources");
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *entry = json_at(list, i);
		rule->resources =
		    mem_realloc_array(rule->resources, rule->n_resources + 1, sizeof(*rule->resources));
		struct resource_rule *resource = &rule->resources[rule->n_resources++];
		*resource = (struct resource_rule){ .group = mem_dup(json_str_or_empty(entry, "group")) };
		if (read_strings(entry, "resources", &resource->resources, err) < 0 ||
		    read_strings(entry, "resourceNames", &resource->names, err) < 0)
			return err_wrap(err, "resources[%zu]", i);
		if (resource->names.n && !resource->resources.n)
			return err_set(err, ERR_BAD_REQUEST,
				       "resources[%zu]: resourceNames need resources that they are names of",
				       i);
	}
	return 0;
}

static int read_paths(const struct json_object *from, struct rule *rule, struct err *err)
{
	if (read_strings(from, "nonResourceURLs", &rule->paths, err) < 0)
		return -1;
	if (rule->paths.n && (rule->n_resources || rule->namespaces.n))
		return err_set(err, ERR_BAD_REQUEST,
			       "a rule is for resources and namespaces or for nonResourceURLs, not for both");
	for (size_t i = 0; i < rule->paths.n; i++) {
		const char *path = rule->paths.items[i], *star = strchr(path, '*');
		if (strcmp(path, "*") != 0 && (*path != '/' || (star && star[1])))
			return err_set(
			    err, ERR_BAD_REQUEST,
			    "nonResourceURLs[%zu]: \"%.100s\" is no path, nor one with a * at its end", i,
			    path);
	}
	return 0;
}

/* OF_ALL: what the policy says for all its rules. */
static int read_rule(const struct json_object *from, const struct audit_verdict *of_all, struct rule *rule,
		     struct err *err)
{
	rule->verdict = *of_all;
	rule->verdict.omit_managed_fields =
	    json_boolean(from, "omitManagedFields", of_all->omit_managed_fields);
	return read_level(from, &rule->verdict.level, err) < 0 ||
		       read_stages(from, &rule->verdict.omit_stages, err) < 0 ||
		       read_strings(from, "users", &rule->users, err) < 0 ||
		       read_strings(from, "userGroups", &rule->groups, err) < 0 ||
		       read_strings(from, "verbs", &rule->verbs, err) < 0 ||
		       read_strings(from, "namespaces", &rule->namespaces, err) < 0 ||
		       read_resources(from, rule, err) < 0 || read_paths(from, rule, err) < 0
		   ? -1
		   : 0;
}

int audit_policy_new(const struct json_object *document, struct audit_policy **ret, struct err *err)
{
	const struct json_object *rules = json_get(document, "rules");
	struct audit_verdict of_all = { .omit_managed_fields =
					    json_boolean(document, "omitManagedFields", false) };
	if (json_len(rules) == 0)
		return err_set(err, ERR_BAD_REQUEST, "the policy has no rules");
	if (read_stages(document, &of_all.omit_stages, err) < 0)
		return -1;
	struct audit_policy *policy = mem_zalloc(sizeof(*policy));
	policy->rules = mem_zalloc(json_len(rules) * sizeof(struct rule));
	for (size_t i = 0; i < json_len(rules); i++)
		if (read_rule(json_at(rules, i), &of_all, &policy->rules[policy->n++], err) < 0) {
			audit_policy_free(policy);
			return err_wrap(err, "rules[%zu]", i);
		}
	*ret = policy;
	return 0;
}

int audit_policy_read(const char *path, struct audit_policy **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *document = NULL;
	if (config_file_read(path, "audit.k8s.io/v1", "Policy", &document, err) < 0)
		return err_wrap(err, "--audit-policy-file");
	if (audit_policy_new(document, ret, err) < 0)
		return err_wrap(err, "--audit-policy-file: %s", path);
	return 0;
}

/* --- judging --- */

static bool has(const struct strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->n; i++)
		if (strcmp(strings->items[i], text) == 0)
			return true;
	return false;
}

static bool in_any_group(const struct strings *groups, const struct identity *identity)
{
	for (size_t i = 0; i < identity->n_groups; i++)
		if (has(groups, identity->groups[i]))
			return true;
	return false;
}

/* A resource, one of its subresources ("pods/log"), all (a star), all subresources of one resource or one
 * subresource of all (a star on that side of the slash). */
static bool names_resource(const char *pattern, const struct audit_attributes *asked)
{
	const char *slash = strchr(pattern, '/');
	size_t len = slash ? (size_t)(slash - pattern) : strlen(pattern);
	if (strcmp(pattern, "*") == 0)
		return true;
	bool any = len == 1 && *pattern == '*';
	if (!any && (strlen(asked->resource) != len || strncmp(pattern, asked->resource, len) != 0))
		return false;
	if (!slash)
		return !*asked->subresource;
	return strcmp(slash + 1, asked->subresource) == 0 || (!any && strcmp(slash + 1, "*") == 0);
}

static bool covers(const struct resource_rule *rule, const struct audit_attributes *asked)
{
	if (strcmp(rule->group, asked->group) != 0)
		return false;
	if (rule->resources.n == 0)
		return true;
	if (rule->names.n && !has(&rule->names, asked->name))
		return false;
	for (size_t i = 0; i < rule->resources.n; i++)
		if (names_resource(rule->resources.items[i], asked))
			return true;
	return false;
}

static bool covers_resource(const struct rule *rule, const struct audit_attributes *asked)
{
	if (!asked->is_resource || (rule->namespaces.n && !has(&rule->namespaces, asked->namespace_)))
		return false;
	for (size_t i = 0; i < rule->n_resources; i++)
		if (covers(&rule->resources[i], asked))
			return true;
	return rule->n_resources == 0;
}

static bool covers_path(const struct rule *rule, const struct audit_attributes *asked)
{
	if (asked->is_resource)
		return false;
	for (size_t i = 0; i < rule->paths.n; i++) {
		const char *pattern = rule->paths.items[i];
		size_t len = strlen(pattern);
		if (pattern[len - 1] == '*' ? strncmp(pattern, asked->path, len - 1) == 0
					    : strcmp(pattern, asked->path) == 0)
			return true;
	}
	return false;
}

static bool matches(const struct rule *rule, const struct audit_attributes *asked)
{
	if (rule->users.n && (!asked->identity || !has(&rule->users, asked->identity->user)))
		return false;
	if (rule->groups.n && (!asked->identity || !in_any_group(&rule->groups, asked->identity)))
		return false;
	if (rule->verbs.n && !has(&rule->verbs, asked->verb))
		return false;
	if (rule->namespaces.n || rule->n_resources)
		return covers_resource(rule, asked);
	return rule->paths.n == 0 || covers_path(rule, asked);
}

void audit_policy_judge(const struct audit_policy *policy, const struct audit_attributes *asked,
			struct audit_verdict *ret)
{
	*ret = (struct audit_verdict){ .level = AUDIT_NONE };
	for (size_t i = 0; i < policy->n; i++)
		if (matches(&policy->rules[i], asked)) {
			*ret = policy->rules[i].verdict;
			return;
		}
}
