#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"
#include "lib/yaml.h"

enum { FILE_MAX_BYTES = 8 * 1024 * 1024 };

static struct {
	bool raw, minify, no_headers;
	const char *output;
} flags;

static const struct flag view_flags[] = {
	{ "raw", 0, FLAG_BOOL, &flags.raw, NULL, "show certificates, keys and tokens too", NULL, NULL },
	{ "minify", 0, FLAG_BOOL, &flags.minify, NULL, "only what the current context uses", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml, json or jsonpath=TEMPLATE", NULL, NULL },
	{ 0 },
};

static const struct flag contexts_flags[] = {
	{ "no-headers", 0, FLAG_BOOL, &flags.no_headers, NULL, "leave the header line out", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "name: only names", NULL, NULL },
	{ 0 },
};

/* A kubeconfig that is not there is an empty one here: commands of config must work before there is any. */
static int load(bool raw, bool minify, struct json_object **ret, struct err *err)
{
	return kubeconfig_view(session_overrides(), raw, minify, ret, err);
}

static int run_view(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	struct output output;
	struct err err = ERR_INIT;

	if (n_args)
		return command_usage_error("config view", "unexpected arguments: [%s]", args[0]);
	if (output_parse(flags.output ? flags.output : "yaml", &output, &err) < 0)
		return session_failed(&err);
	int failed =
	    output.form == OUTPUT_NAME || output.form == OUTPUT_WIDE || output.form == OUTPUT_CUSTOM_COLUMNS;
	if (failed)
		err_set(&err, ERR_PARSE, "config view prints yaml, json or jsonpath=TEMPLATE");
	else
		failed = load(flags.raw, flags.minify, &config, &err) < 0 ||
			 output_object(&output, NULL, config, true, &err) < 0;
	output_close(&output);
	return failed ? session_failed(&err) : 0;
}

static int run_current(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	struct err err = ERR_INIT;

	if (n_args)
		return command_usage_error("config current-context", "unexpected arguments: [%s]", args[0]);
	if (load(false, false, &config, &err) < 0)
		return session_failed(&err);
	const char *current = json_str_or_empty(config, "current-context");
	if (!*current)
		return command_error("current-context is not set");
	puts(current);
	return 0;
}

static const struct json_object *find_context(const struct json_object *config, const char *name)
{
	const struct json_object *contexts = json_get(config, "contexts");

	for (size_t i = 0; i < json_len(contexts); i++)
		if (strcmp(json_str_or_empty(json_at(contexts, i), "name"), name) == 0)
			return json_at(contexts, i);
	return NULL;
}

static void add_context(struct table *t, const struct json_object *named, const char *current)
{
	const struct json_object *context = json_get(named, "context");
	const char *name = json_str_or_empty(named, "name");
	const char *cells[] = { strcmp(name, current) == 0 ? "*" : "", name,
				json_str_or_empty(context, "cluster"), json_str_or_empty(context, "user"),
				json_str_or_empty(context, "namespace") };

	if (flags.output)
		puts(name);
	else
		table_row(t, cells);
}

static int run_contexts(char **args, size_t n_args)
{
	static const char *const header[] = { "CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE" };
	CLEANUP(json_putp) struct json_object *config = NULL;
	struct table t;
	struct err err = ERR_INIT;
	int code = 0;

	if (flags.output && strcmp(flags.output, "name") != 0)
		return command_error("output must be one of '' or 'name': %s", flags.output);
	if (load(false, false, &config, &err) < 0)
		return session_failed(&err);
	const char *current = json_str_or_empty(config, "current-context");
	const struct json_object *contexts = json_get(config, "contexts");
	table_init(&t, ARRAY_SIZE(header));
	table_row(&t, header);
	for (size_t i = 0; !n_args && i < json_len(contexts); i++)
		add_context(&t, json_at(contexts, i), current);
	for (size_t i = 0; i < n_args; i++) {
		const struct json_object *named = find_context(config, args[i]);
		if (named)
			add_context(&t, named, current);
		else
			code = command_error("context %s not found", args[i]);
	}
	if (!flags.output)
		table_print(&t, stdout, flags.no_headers);
	table_close(&t);
	return code;
}

/* The file that a change goes into: --kubeconfig, else the first of $KUBECONFIG that is there, else
 * ~/.kube/config. */
static char *file_to_change(void)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	char *first = NULL;

	if (session_overrides()->path)
		return mem_dup(session_overrides()->path);
	if (!list || !*list)
		return mem_printf("%s/.kube/config", home ? home : "");
	CLEANUP(mem_freep) char *copy = mem_dup(list);
	char *rest = copy;
	for (char *part; (part = strsep(&rest, ":"));) {
		if (!*part)
			continue;
		if (access(part, F_OK) == 0) {
			free(first);
			return mem_dup(part);
		}
		if (!first)
			first = mem_dup(part);
	}
	return first ? first : mem_printf("%s/.kube/config", home ? home : "");
}

static int write_current(const char *path, const char *name, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, changed = BUF_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;

	if (buf_read_file(&text, path, FILE_MAX_BYTES, err) < 0 ||
	    yaml_parse(path, text.data ? text.data : "", text.len, &docs, &n, err) < 0)
		return -1;
	int failed = 0;
	if (n < 1 || !json_object_is_type(docs[0].value, json_type_object)) {
		failed = err_set(err, ERR_PARSE, "%s is no kubeconfig", path);
	} else {
		json_set_str(docs[0].value, "current-context", name);
		yaml_write(&changed, docs[0].value);
		failed = buf_write_file_atomic(path, changed.data, changed.len, 0600, err);
	}
	yaml_docs_free(docs, n);
	return failed;
}

static int run_use(char **args, size_t n_args)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	CLEANUP(mem_freep) char *path = file_to_change();
	struct err err = ERR_INIT;

	if (n_args != 1)
		return command_usage_error("config use-context", "one context's name is needed");
	if (load(false, false, &config, &err) < 0)
		return session_failed(&err);
	if (!find_context(config, args[0]))
		return command_error("no context exists with the name: \"%s\"", args[0]);
	if (write_current(path, args[0], &err) < 0)
		return session_failed(&err);
	printf("Switched to context \"%s\".\n", args[0]);
	return 0;
}

static const struct command config_view = {
	.name = "view",
	.about = "Print the merged kubeconfig",
	.usage = "config view [flags]",
	.flags = view_flags,
	.run = run_view,
};

static const struct command config_current = {
	.name = "current-context",
	.about = "Print the current context's name",
	.usage = "config current-context",
	.run = run_current,
};

static const struct command config_contexts = {
	.name = "get-contexts",
	.about = "List contexts",
	.usage = "config get-contexts [NAME...] [flags]",
	.flags = contexts_flags,
	.run = run_contexts,
};

static const struct command config_use = {
	.name = "use-context",
	.about = "Choose the current context",
	.usage = "config use-context NAME",
	.run = run_use,
};

static const struct command *const subcommands[] = { &config_current, &config_contexts, &config_use,
						     &config_view, NULL };

const struct command command_config = {
	.name = "config",
	.about = "Look at kubeconfig files, choose a context",
	.usage = "config SUBCOMMAND [flags]",
	.subcommands = subcommands,
};
