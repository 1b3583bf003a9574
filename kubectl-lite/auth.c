/* auth: who we are, and what we may do.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"
#include "kubectl-lite/types.h"

static struct {
	bool list, quiet, all_namespaces;
	const char *subresource, *output;
} flags;

static const struct flag can_i_flags[] = {
	{ "list", 0, FLAG_BOOL, &flags.list, NULL, "show all that is allowed in the namespace", NULL, NULL },
	{ "quiet", 'q', FLAG_BOOL, &flags.quiet, NULL, "say nothing: the exit code tells", NULL, NULL },
	{ "subresource", 0, FLAG_STRING, &flags.subresource, "NAME", "such as log or scale", NULL, NULL },
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "in all namespaces", NULL, NULL },
	{ 0 },
};

static const struct flag whoami_flags[] = {
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml, json or jsonpath=TEMPLATE", NULL, NULL },
	{ 0 },
};

/* POSTs a review of KIND with SPEC (taken); its answer. */
static int review(const char *group, const char *kind, const char *plural, struct json_object *spec,
		  struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *body = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT, answer = BUF_INIT;
	CLEANUP(mem_freep) char *path = mem_printf("/apis/%s/v1/%s", group, plural);
	CLEANUP(mem_freep) char *api_version = mem_printf("%s/v1", group);

	json_set_str(body, "apiVersion", api_version);
	json_set_str(body, "kind", kind);
	if (spec)
		json_set(body, "spec", spec);
	json_write(&text, body);
	if (session_do("POST", path, NULL, "application/json", &text, &answer, err) < 0)
		return -1;
	return json_parse(answer.data, answer.len, ret, NULL, err);
}

/* --- can-i --- */

static struct json_object *resource_attributes(const char *verb, const char *word, const char *name)
{
	struct json_object *spec = json_object_new_object();
	struct json_object *attributes = json_ensure_object(spec, "resourceAttributes");
	const char *slash = strchr(word, '/');
	CLEANUP(mem_freep) char *type = slash ? mem_dupn(word, (size_t)(slash - word)) : mem_dup(word);
	const struct resource *resource = strcmp(type, "*") == 0 ? NULL : type_find(type, NULL);
	char *dot = strchr(type, '.');

	if (!resource && strcmp(type, "*") != 0)
		fprintf(stderr, "Warning: the server doesn't have a resource type '%s'\n\n", type);
	if (!resource && dot)
		*dot++ = '\0';
	json_set_str(attributes, "verb", verb);
	json_set_str(attributes, "group", resource ? resource->group : dot ? dot : "");
	json_set_str(attributes, "resource", resource ? resource->plural : type);
	if (resource && !resource->namespaced)
		fprintf(stderr, "Warning: resource '%s' is not namespace scoped%s%s%s\n\n", resource->plural,
			*resource->group ? " in group '" : "", resource->group, *resource->group ? "'" : "");
	else if (!flags.all_namespaces)
		json_set_str(attributes, "namespace", session_namespace());
	if (slash || name)
		json_set_str(attributes, "name", slash ? slash + 1 : name);
	if (flags.subresource)
		json_set_str(attributes, "subresource", flags.subresource);
	return spec;
}

static struct json_object *path_attributes(const char *verb, const char *path)
{
	struct json_object *spec = json_object_new_object();
	struct json_object *attributes = json_ensure_object(spec, "nonResourceAttributes");

	json_set_str(attributes, "verb", verb);
	json_set_str(attributes, "path", path);
	return spec;
}

static int ask(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *answer = NULL;
	struct json_object *spec = args[1][0] == '/'
				       ? path_attributes(args[0], args[1])
				       : resource_attributes(args[0], args[1], n_args > 2 ? args[2] : NULL);
	struct err err = ERR_INIT;

	if (review("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", spec,
		   &answer, &err) < 0)
		return session_failed(&err);
	const struct json_object *status = json_get(answer, "status");
	bool allowed = json_boolean(status, "allowed", false);
	const char *reason = json_str_or_empty(status, "reason");
	if (!flags.quiet)
		printf("%s%s%s\n", allowed ? "yes" : "no", !allowed && *reason ? " - " : "",
		       allowed ? "" : reason);
	return allowed ? 0 : 1;
}

/* --- can-i --list --- */

/* "[a b]" of a list of strings. */
static char *words(const struct json_object *list)
{
	struct buf b = BUF_INIT;

	buf_char(&b, '[');
	for (size_t i = 0; i < json_len(list); i++)
		buf_printf(&b, "%s%s", i ? " " : "", json_object_get_string(json_at(list, i)));
	buf_char(&b, ']');
	return buf_take(&b);
}

static void add_rule(struct table *t, const char *what, const struct json_object *rule)
{
	CLEANUP(mem_freep) char *paths = words(json_get(rule, "nonResourceURLs"));
	CLEANUP(mem_freep) char *names = words(json_get(rule, "resourceNames"));
	CLEANUP(mem_freep) char *verbs = words(json_get(rule, "verbs"));
	const char *const cells[] = { what, paths, names, verbs };

	table_row(t, cells);
}

static void add_resource_rule(struct table *t, const struct json_object *rule)
{
	const struct json_object *groups = json_get(rule, "apiGroups"),
				 *resources = json_get(rule, "resources");

	for (size_t g = 0; g < json_len(groups); g++)
		for (size_t i = 0; i < json_len(resources); i++) {
			const char *group = json_object_get_string(json_at(groups, g));
			CLEANUP(mem_freep)
			char *what = mem_printf("%s%s%s", json_object_get_string(json_at(resources, i)),
						*group ? "." : "", group);
			add_rule(t, what, rule);
		}
}

static int list_rules(void)
{
	static const char *const header[] = { "Resources", "Non-Resource URLs", "Resource Names", "Verbs" };
	CLEANUP(json_putp) struct json_object *answer = NULL;
	struct json_object *spec = json_object_new_object();
	struct err err = ERR_INIT;
	struct table t;

	json_set_str(spec, "namespace", session_namespace());
	if (review("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", spec, &answer,
		   &err) < 0)
		return session_failed(&err);
	const struct json_object *status = json_get(answer, "status");
	const struct json_object *resources = json_get(status, "resourceRules"),
				 *others = json_get(status, "nonResourceRules");
	table_init(&t, ARRAY_SIZE(header));
	table_row(&t, header);
	for (size_t i = 0; i < json_len(resources); i++)
		add_resource_rule(&t, json_at(resources, i));
	for (size_t i = 0; i < json_len(others); i++)
		add_rule(&t, "", json_at(others, i));
	table_print(&t, stdout, false);
	table_close(&t);
	return 0;
}

static int run_can_i(char **args, size_t n_args)
{
	if (flags.list)
		return n_args ? command_error("subject access list accepts no arguments") : list_rules();
	if (n_args < 2 || n_args > 3)
		return command_usage_error(
		    "auth can-i",
		    "you must specify two arguments: verb resource or verb resource/resourceName.");
	return ask(args, n_args);
}

/* --- whoami --- */

static void add_attribute(struct table *t, const char *name, const char *value)
{
	const char *const cells[] = { name, value };

	table_row(t, cells);
}

static void print_user(const struct json_object *user)
{
	static const char *const header[] = { "ATTRIBUTE", "VALUE" };
	struct json_object *extra = json_get(user, "extra");
	CLEANUP(mem_freep) char *groups = words(json_get(user, "groups"));
	struct table t;

	table_init(&t, ARRAY_SIZE(header));
	table_row(&t, header);
	add_attribute(&t, "Username", json_str_or_empty(user, "username"));
	if (*json_str_or_empty(user, "uid"))
		add_attribute(&t, "UID", json_str_or_empty(user, "uid"));
	if (json_len(json_get(user, "groups")))
		add_attribute(&t, "Groups", groups);
	if (extra) {
		json_object_object_foreach(extra, key, values)
		{
			CLEANUP(mem_freep) char *name = mem_printf("Extra: %s", key);
			CLEANUP(mem_freep) char *text = words(values);
			add_attribute(&t, name, text);
		}
	}
	table_print(&t, stdout, false);
	table_close(&t);
}

static int run_whoami(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *answer = NULL;
	struct output output;
	struct err err = ERR_INIT;
	int code = 0;

	if (n_args)
		return command_usage_error("auth whoami", "unexpected argument: %s", args[0]);
	if (output_parse(flags.output, &output, &err) < 0)
		return session_failed(&err);
	if (review("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", NULL, &answer, &err) <
	    0)
		code = session_failed(&err);
	else if (output.form == OUTPUT_TABLE)
		print_user(json_path(answer, "status", "userInfo", NULL));
	else if (output_object(&output, resource_find("authentication.k8s.io", "v1", "selfsubjectreviews"),
			       answer, false, &err) < 0)
		code = session_failed(&err);
	output_close(&output);
	return code;
}

static const struct command can_i = {
	.name = "can-i",
	.about = "Ask whether something is allowed",
	.usage = "auth can-i VERB (TYPE | TYPE/NAME | TYPE NAME | /PATH) [flags]",
	.help = "Examples:\n"
		"  kubectl-lite auth can-i create deployments\n"
		"  kubectl-lite auth can-i get pods --subresource=log\n"
		"  kubectl-lite auth can-i --list\n",
	.flags = can_i_flags,
	.run = run_can_i,
};

static const struct command whoami = {
	.name = "whoami",
	.about = "Show who the server takes us for",
	.usage = "auth whoami [flags]",
	.flags = whoami_flags,
	.run = run_whoami,
};

static const struct command *const auth_commands[] = { &can_i, &whoami, NULL };

const struct command command_auth = {
	.name = "auth",
	.about = "See who we are and what we may do",
	.usage = "auth COMMAND",
	.subcommands = auth_commands,
};
