/* api-resources: what the server says it has, by its discovery documents.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"

static struct {
	const char *output, *group, *namespaced;
	bool no_headers;
} flags;

static const struct flag resources_flags[] = {
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "wide or name", NULL, NULL },
	{ "api-group", 0, FLAG_STRING, &flags.group, "GROUP", "only resources of this group", NULL, NULL },
	{ "namespaced", 0, FLAG_STRING, &flags.namespaced, "BOOL",
	  "only those in namespaces, or (false) those that are not", "true", NULL },
	{ "no-headers", 0, FLAG_BOOL, &flags.no_headers, NULL, "leave the header line out", NULL, NULL },
	{ 0 },
};

struct found {
	struct json_object **items; /* APIResource, with "groupVersion" and "group" added */
	size_t n;
};

static void add_resources(struct found *f, const char *group, const struct json_object *list)
{
	const struct json_object *resources = json_get(list, "resources");
	const char *group_version = json_str_or_empty(list, "groupVersion");

	for (size_t i = 0; i < json_len(resources); i++) {
		struct json_object *r = json_at(resources, i);
		bool namespaced = json_boolean(r, "namespaced", false);
		if (!json_object_is_type(r, json_type_object) || strchr(json_str_or_empty(r, "name"), '/') ||
		    !json_len(json_get(r, "verbs")))
			continue;
		if (flags.namespaced && namespaced != (strcmp(flags.namespaced, "true") == 0))
			continue;
		json_set_str(r, "groupVersion", group_version);
		json_set_str(r, "group", group);
		f->items = mem_realloc_array(f->items, f->n + 1, sizeof(struct json_object *));
		f->items[f->n++] = json_object_get(r);
	}
}

static int add_group_version(struct found *f, const char *group, const char *path, struct err *err)
{
	CLEANUP(json_putp) struct json_object *list = NULL;

	if (flags.group && strcmp(flags.group, group) != 0)
		return 0;
	if (session_get(path, &list, err) < 0)
		return -1;
	add_resources(f, group, list);
	return 0;
}

static int discover(struct found *f, struct err *err)
{
	CLEANUP(json_putp) struct json_object *groups = NULL;

	if (add_group_version(f, "", "/api/v1", err) < 0 || session_get("/apis", &groups, err) < 0)
		return -1;
	const struct json_object *list = json_get(groups, "groups");
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *group = json_at(list, i);
		CLEANUP(mem_freep)
		char *path = mem_printf(
		    "/apis/%s", json_str_or_empty(json_get(group, "preferredVersion"), "groupVersion"));
		if (add_group_version(f, json_str_or_empty(group, "name"), path, err) < 0)
			return -1;
	}
	return 0;
}

static int by_group_and_name(const void *x, const void *y)
{
	const struct json_object *a = *(struct json_object *const *)x, *b = *(struct json_object *const *)y;
	int order = strcmp(json_str_or_empty(a, "group"), json_str_or_empty(b, "group"));

	return order ? order : strcmp(json_str_or_empty(a, "name"), json_str_or_empty(b, "name"));
}

static char *join(const struct json_object *list)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(list); i++)
		buf_printf(&b, "%s%s", i ? "," : "", json_object_get_string(json_at(list, i)));
	return buf_take(&b);
}

static void print_names(const struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *group = json_str_or_empty(f->items[i], "group");
		printf("%s%s%s\n", json_str_or_empty(f->items[i], "name"), *group ? "." : "", group);
	}
}

static void print_table(const struct found *f, bool wide)
{
	static const char *const header[] = { "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED",
					      "KIND", "VERBS",      "CATEGORIES" };
	struct table t;

	table_init(&t, wide ? 7 : 5);
	table_row(&t, header);
	for (size_t i = 0; i < f->n; i++) {
		const struct json_object *r = f->items[i];
		CLEANUP(mem_freep)
		char *shorts = join(json_get(r, "shortNames")), *verbs = join(json_get(r, "verbs"));
		CLEANUP(mem_freep) char *categories = join(json_get(r, "categories"));
		const char *cells[] = { json_str_or_empty(r, "name"),
					shorts,
					json_str_or_empty(r, "groupVersion"),
					json_boolean(r, "namespaced", false) ? "true" : "false",
					json_str_or_empty(r, "kind"),
					verbs,
					categories };
		table_row(&t, cells);
	}
	table_print(&t, stdout, flags.no_headers);
	table_close(&t);
}

static int run_resources(char **args, size_t n_args)
{
	struct found found = { 0 };
	struct err err = ERR_INIT;
	const char *form = flags.output ? flags.output : "";

	if (n_args)
		return command_usage_error("api-resources", "unexpected arguments: [%s]", args[0]);
	if (*form && strcmp(form, "wide") != 0 && strcmp(form, "name") != 0)
		return command_error("--output %s is not available", form);
	int code = discover(&found, &err) < 0 ? session_failed(&err) : 0;
	if (found.n)
		qsort(found.items, found.n, sizeof(*found.items), by_group_and_name);
	if (!code && strcmp(form, "name") == 0)
		print_names(&found);
	else if (!code)
		print_table(&found, *form);
	for (size_t i = 0; i < found.n; i++)
		json_object_put(found.items[i]);
	free(found.items);
	return code;
}

const struct command command_api_resources = {
	.name = "api-resources",
	.about = "List the types of objects that the server has",
	.usage = "api-resources [flags]",
	.flags = resources_flags,
	.run = run_resources,
};
