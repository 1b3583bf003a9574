/* create role and clusterrole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"

static struct {
	struct string_list verbs, resources, names, urls, aggregation;
} flags;

/* One word of --resource: RESOURCE[.GROUP][/SUBRESOURCE]. */
struct asked {
	char *resource, *subresource; /* the latter may be NULL */
	const char *group;            /* "" when not given */
};

static struct asked parse_asked(const char *word)
{
	struct asked asked = { .resource = mem_dup(word), .group = "" };
	char *slash = strchr(asked.resource, '/'), *dot;

	if (slash) {
		*slash = '\0';
		asked.subresource = slash + 1;
	}
	dot = strchr(asked.resource, '.');
	if (dot) {
		*dot = '\0';
		asked.group = dot + 1;
	}
	return asked;
}

static void asked_free(struct asked *asked)
{
	free(asked->resource);
}

static const struct resource *find(const struct asked *asked)
{
	CLEANUP(mem_freep)
	char *typed = mem_printf("%s%s%s", asked->resource, *asked->group ? "." : "", asked->group);

	return *asked->resource ? resource_find_typed(typed) : NULL;
}

/* --- what is allowed --- */

static bool word_in(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* Verbs that mean something for a few resources only. */
static const struct {
	const char *verb, *resource, *group;
} special[] = {
	{ "use", "podsecuritypolicies", "policy" },
	{ "use", "podsecuritypolicies", "extensions" },
	{ "bind", "roles", "rbac.authorization.k8s.io" },
	{ "bind", "clusterroles", "rbac.authorization.k8s.io" },
	{ "escalate", "roles", "rbac.authorization.k8s.io" },
	{ "escalate", "clusterroles", "rbac.authorization.k8s.io" },
	{ "impersonate", "users", "" },
	{ "impersonate", "serviceaccounts", "" },
	{ "impersonate", "groups", "" },
	{ "impersonate", "userextras", "authentication.k8s.io" },
};

static int check_special(const char *verb, const char *resource, const char *group, struct err *err)
{
	bool is_special = false;

	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (strcmp(verb, special[i].verb) != 0)
			continue;
		is_special = true;
		if (strcmp(resource, special[i].resource) == 0 && strcmp(group, special[i].group) == 0)
			return 0;
	}
	return is_special ? err_set(err, ERR_PARSE, "can not perform '%s' on '%s' in group '%s'", verb,
				    resource, group)
			  : 0;
}

static int check_resource(const struct string_list *verbs, const struct asked *asked, struct err *err)
{
	const struct resource *resource = find(asked);

	if (!*asked->resource)
		return err_set(err, ERR_PARSE,
			       "resource must be specified if apiGroup/subresource specified");
	for (size_t v = 0; v < verbs->n; v++)
		if (check_special(verbs->items[v], resource ? resource->plural : asked->resource,
				  resource ? resource->group : asked->group, err) < 0)
			return -1;
	return 0;
}

static int check_resources(const struct string_list *verbs, struct err *err)
{
	static const char *const known[] = { "*",      "get",   "delete",   "list",        "create",
					     "update", "patch", "watch",    "proxy",       "deletecollection",
					     "use",    "bind",  "escalate", "impersonate", NULL };

	for (size_t i = 0; i < verbs->n; i++)
		if (!word_in(verbs->items[i], known))
			fprintf(stderr, "Warning: '%s' is not a standard resource verb\n", verbs->items[i]);
	for (size_t i = 0; i < flags.resources.n; i++) {
		struct asked asked = parse_asked(flags.resources.items[i]);
		bool all = strcmp(asked.resource, "*") == 0;
		int failed = all ? 0 : check_resource(verbs, &asked, err);
		asked_free(&asked);
		if (failed || all)
			return failed;
	}
	return 0;
}

static int check_urls(const struct string_list *verbs, struct err *err)
{
	static const char *const known[] = { "*",     "get",  "post",    "put", "delete",
					     "patch", "head", "options", NULL };

	for (size_t i = 0; flags.urls.n && i < verbs->n; i++)
		if (!word_in(verbs->items[i], known))
			return err_set(err, ERR_PARSE, "invalid verb: '%s' for nonResourceURL",
				       verbs->items[i]);
	for (size_t i = 0; i < flags.urls.n; i++) {
		const char *url = flags.urls.items[i], *star = strchr(url, '*');
		if (strcmp(url, "*") == 0)
			continue;
		if (*url != '/')
			return err_set(err, ERR_PARSE, "nonResourceURL should start with /");
		if (star && star[1])
			return err_set(
			    err, ERR_PARSE,
			    "nonResourceURL only supports wildcard matches when '*' is at the end");
	}
	return 0;
}

/* --- rules --- */

/* Each verb once; * alone when it is among them. Words are the flags'. */
static struct string_list wanted_verbs(void)
{
	struct string_list verbs = { 0 };

	if (generate_list_has(&flags.verbs, "*")) {
		generate_list_add(&verbs, "*");
		return verbs;
	}
	for (size_t i = 0; i < flags.verbs.n; i++)
		if (!generate_list_has(&verbs, flags.verbs.items[i]))
			generate_list_add(&verbs, flags.verbs.items[i]);
	return verbs;
}

/* The rule of GROUP in BY_GROUP, with its resources. */
static void add_resource(struct json_object *by_group, const char *group, const char *resource,
			 const char *subresource)
{
	CLEANUP(mem_freep)
	char *name = mem_printf("%s%s%s", resource, subresource ? "/" : "", subresource ? subresource : "");
	struct json_object *resources = json_ensure_array(by_group, group);

	for (size_t i = 0; i < json_len(resources); i++)
		if (strcmp(json_object_get_string(json_at(resources, i)), name) == 0)
			return;
	json_object_array_add(resources, json_object_new_string(name));
}

static struct json_object *sorted_members(struct json_object *obj_taken)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *sorted = NULL;

	json_write_sorted(&text, obj_taken);
	if (json_parse(text.data, text.len, &sorted, NULL, NULL) < 0)
		return obj_taken;
	json_object_put(obj_taken);
	return sorted;
}

/* {"": ["pods"], "apps": [...]}; groups sorted. -1: a resource is unknown, and told as kubectl does. */
static int resources_by_group(struct json_object **ret)
{
	struct json_object *by_group = json_object_new_object();

	for (size_t i = 0; i < flags.resources.n; i++) {
		struct asked asked = parse_asked(flags.resources.items[i]);
		const struct resource *resource = find(&asked);
		bool all = strcmp(asked.resource, "*") == 0;
		if (all && !*asked.group && !asked.subresource) {
			json_object_put(by_group);
			by_group = json_object_new_object();
			i = flags.resources.n;
		}
		if (all || resource) {
			add_resource(by_group, all ? asked.group : resource->group,
				     all ? "*" : resource->plural, asked.subresource);
			asked_free(&asked);
			continue;
		}
		fprintf(stderr, "the server doesn't have a resource type \"%s\"%s%s%s\n", asked.resource,
			*asked.group ? " in group \"" : "", asked.group, *asked.group ? "\"" : "");
		asked_free(&asked);
		json_object_put(by_group);
		return -1;
	}
	*ret = sorted_members(by_group);
	return 0;
}

static void add_rules(struct json_object *role, const struct string_list *verbs, struct json_object *by_group)
{
	struct json_object *rules = json_ensure_array(role, "rules");

	json_object_object_foreach(by_group, group, resources)
	{
		struct json_object *rule = json_object_new_object();
		json_object_array_add(rules, rule);
		json_set(rule, "verbs", generate_strings(verbs));
		json_object_array_add(json_ensure_array(rule, "apiGroups"), json_object_new_string(group));
		json_set(rule, "resources", json_object_get(resources));
		if (flags.names.n)
			json_set(rule, "resourceNames", generate_strings(&flags.names));
	}
	if (flags.urls.n) {
		struct json_object *rule = json_object_new_object();
		json_object_array_add(rules, rule);
		json_set(rule, "verbs", generate_strings(verbs));
		json_set(rule, "nonResourceURLs", generate_strings(&flags.urls));
	}
}

static int create_with_rules(struct json_object *role_taken, const struct string_list *verbs)
{
	CLEANUP(json_putp) struct json_object *by_group = NULL, *role = role_taken;

	if (resources_by_group(&by_group) < 0)
		return 1;
	add_rules(role, verbs, by_group);
	return create_finish(TAKE(role), NULL);
}

/* --- role --- */

static int run_role(char **args, size_t n_args)
{
	const char *name = create_name("create role", args, n_args);
	struct string_list verbs = wanted_verbs();
	struct err err = ERR_INIT;
	int code;

	if (!name)
		code = 1;
	else if (!verbs.n)
		code = command_error("at least one verb must be specified");
	else if (!flags.resources.n)
		code = command_error("at least one resource must be specified");
	else if (check_resources(&verbs, &err) < 0)
		code = session_failed(&err);
	else
		code = create_with_rules(generate_object("rbac.authorization.k8s.io/v1", "Role", name, true),
					 &verbs);
	free(verbs.items);
	return code;
}

#define RULE_FLAGS                                                                                           \
	{ "verb", 0,   FLAG_LIST, &flags.verbs, "VERB,...", "what may be done: get, list, create ...; *",    \
	  NULL,   NULL },                                                                                    \
	    { "resource",                                                                                    \
	      0,                                                                                             \
	      FLAG_LIST,                                                                                     \
	      &flags.resources,                                                                              \
	      "TYPE[.GROUP][/SUB],...",                                                                      \
	      "to what: pods, deployments.apps, pods/log; *",                                                \
	      NULL,                                                                                          \
	      NULL },                                                                                        \
	{                                                                                                    \
		"resource-name", 0, FLAG_ARRAY, &flags.names, "NAME", "only to the objects of this name",    \
		    NULL, NULL                                                                               \
	}

static const struct flag role_flags[] = {
	RULE_FLAGS,
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_role = {
	.name = "role",
	.about = "Create a Role: rights within a namespace",
	.usage = "create role NAME --verb=VERB,... --resource=TYPE,... [--resource-name=NAME]",
	.help = "Examples:\n"
		"  kubectl-lite create role reader --verb=get,list,watch --resource=pods,pods/log\n"
		"  kubectl-lite create role tuner --verb=patch --resource=deployments.apps "
		"--resource-name=web\n",
	.flags = role_flags,
	.run = run_role,
};

/* --- clusterrole --- */

static int create_aggregated(struct json_object *role_taken)
{
	CLEANUP(json_putp) struct json_object *role = role_taken, *labels = json_object_new_object();
	struct json_object *selector = json_object_new_object();

	for (size_t i = 0; i < flags.aggregation.n; i++) {
		const char *word = flags.aggregation.items[i], *equals = strchr(word, '=');
		if (!equals) {
			json_object_put(selector);
			return command_usage_error("create clusterrole",
						   "invalid argument \"%s\" for \"--aggregation-rule\" flag: "
						   "malformed pair, expect string=string",
						   word);
		}
		CLEANUP(mem_freep) char *key = mem_dupn(word, (size_t)(equals - word));
		json_set_str(labels, key, equals + 1);
	}
	json_set(selector, "matchLabels", TAKE(labels));
	json_object_object_add(role, "rules", NULL);
	json_object_array_add(
	    json_ensure_array(json_ensure_object(role, "aggregationRule"), "clusterRoleSelectors"), selector);
	return create_finish(TAKE(role), NULL);
}

static int make_clusterrole(const char *name, const struct string_list *verbs)
{
	struct err err = ERR_INIT;

	if (flags.aggregation.n && (verbs->n || flags.urls.n || flags.resources.n || flags.names.n))
		return command_error("aggregation rule must be specified without nonResourceURLs, verbs, "
				     "resources or resourceNames");
	if (!flags.aggregation.n && !verbs->n)
		return command_error("at least one verb must be specified");
	if (!flags.aggregation.n && !flags.resources.n && !flags.urls.n)
		return command_error("one of resource or nonResourceURL must be specified");
	if ((flags.resources.n && check_resources(verbs, &err) < 0) || check_urls(verbs, &err) < 0)
		return session_failed(&err);
	struct json_object *role =
	    generate_object("rbac.authorization.k8s.io/v1", "ClusterRole", name, false);
	return flags.aggregation.n ? create_aggregated(role) : create_with_rules(role, verbs);
}

static int run_clusterrole(char **args, size_t n_args)
{
	const char *name = create_name("create clusterrole", args, n_args);
	struct string_list verbs = wanted_verbs();
	int code = name ? make_clusterrole(name, &verbs) : 1;

	free(verbs.items);
	return code;
}

static const struct flag clusterrole_flags[] = {
	RULE_FLAGS,
	{ "non-resource-url", 0, FLAG_LIST, &flags.urls, "PATH,...", "to paths that are no objects: /healthz",
	  NULL, NULL },
	{ "aggregation-rule", 0, FLAG_LIST, &flags.aggregation, "LABEL=VALUE,...",
	  "the rights of all cluster roles with these labels", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_clusterrole = {
	.name = "clusterrole",
	.about = "Create a ClusterRole: rights within the cluster, or to be bound in namespaces",
	.usage = "create clusterrole NAME (--verb=VERB,... (--resource=TYPE,... | --non-resource-url=PATH) | "
		 "--aggregation-rule=LABEL=VALUE)",
	.help = "Examples:\n"
		"  kubectl-lite create clusterrole node-reader --verb=get,list --resource=nodes\n"
		"  kubectl-lite create clusterrole probe --verb=get --non-resource-url=/healthz,/livez/*\n"
		"  kubectl-lite create clusterrole monitoring --aggregation-rule=monitoring=true\n",
	.flags = clusterrole_flags,
	.run = run_clusterrole,
};
