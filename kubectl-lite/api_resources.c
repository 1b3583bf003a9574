/* api-resources: what the server says it has, by its discovery documents.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/discovery.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"

static struct {
	const char *output, *group, *namespaced, *sort_by;
	struct string_list verbs, categories;
	bool no_headers, cached;
} flags;

static const struct flag resources_flags[] = {
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "wide or name", NULL, NULL },
	{ "api-group", 0, FLAG_STRING, &flags.group, "GROUP", "only resources of this group", NULL, NULL },
	{ "namespaced", 0, FLAG_STRING, &flags.namespaced, "BOOL",
	  "only those in namespaces, or (false) those that are not", "true", NULL },
	{ "verbs", 0, FLAG_LIST, &flags.verbs, "VERBS",
	  "only those that all of these can be done with: list,watch", NULL, NULL },
	{ "categories", 0, FLAG_LIST, &flags.categories, "NAMES", "only those in all of these: all", NULL,
	  NULL },
	{ "sort-by", 0, FLAG_STRING, &flags.sort_by, "WHAT", "name or kind", NULL, NULL },
	{ "cached", 0, FLAG_BOOL, &flags.cached, NULL, "accepted as kubectl does; the server is always asked",
	  NULL, NULL },
	{ "no-headers", 0, FLAG_BOOL, &flags.no_headers, NULL, "leave the header line out", NULL, NULL },
	{ 0 },
};

struct found {
	struct json_object **items; /* discovery's rows */
	size_t n;
};

/* True when LIST has all of WORDS. */
static bool has_all(const struct json_object *list, const struct string_list *words)
{
	for (size_t w = 0; w < words->n; w++) {
		bool has = false;
		for (size_t i = 0; i < json_len(list); i++)
			has |= strcmp(json_object_get_string(json_at(list, i)), words->items[w]) == 0;
		if (!has)
			return false;
	}
	return true;
}

static bool is_wanted(const struct json_object *row)
{
	if (flags.group && strcmp(flags.group, json_str_or_empty(row, "group")) != 0)
		return false;
	if (flags.namespaced &&
	    json_boolean(row, "namespaced", false) != (strcmp(flags.namespaced, "true") == 0))
		return false;
	return has_all(json_get(row, "verbs"), &flags.verbs) &&
	       has_all(json_get(row, "categories"), &flags.categories);
}

/* A type is shown once, in the version that its group prefers of those that have it: the first. */
static bool is_shown(const struct json_object *row, const struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(json_str_or_empty(row, "name"), json_str_or_empty(f->items[i], "name")) == 0 &&
		    strcmp(json_str_or_empty(row, "group"), json_str_or_empty(f->items[i], "group")) == 0)
			return true;
	return false;
}

static void choose(const struct json_object *rows, struct found *f)
{
	f->items = mem_zalloc((json_len(rows) + 1) * sizeof(*f->items));
	for (size_t i = 0; i < json_len(rows); i++)
		if (is_wanted(json_at(rows, i)) && !is_shown(json_at(rows, i), f))
			f->items[f->n++] = json_at(rows, i);
}

static int by_group_and_name(const void *x, const void *y)
{
	const struct json_object *a = *(struct json_object *const *)x, *b = *(struct json_object *const *)y;
	const char *first = flags.sort_by ? flags.sort_by : "group";
	int order = strcmp(json_str_or_empty(a, first), json_str_or_empty(b, first));

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
		const char *group = json_str_or_empty(r, "group"), *version = json_str_or_empty(r, "version");
		CLEANUP(mem_freep)
		char *group_version = mem_printf("%s%s%s", group, *group ? "/" : "", version);
		const char *cells[] = { json_str_or_empty(r, "name"),
					shorts,
					group_version,
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
	CLEANUP(json_putp) struct json_object *rows = NULL;
	struct found found = { 0 };
	struct err err = ERR_INIT;
	const char *form = flags.output ? flags.output : "";

	if (n_args)
		return command_usage_error("api-resources", "unexpected arguments: [%s]", args[0]);
	if (*form && strcmp(form, "wide") != 0 && strcmp(form, "name") != 0)
		return command_error("--output %s is not available", form);
	if (flags.sort_by && strcmp(flags.sort_by, "name") != 0 && strcmp(flags.sort_by, "kind") != 0)
		return command_error("--sort-by accepts only name or kind");
	if (discovery_fetch(true, &rows, &err) < 0)
		return session_failed(&err);
	choose(rows, &found);
	qsort(found.items, found.n, sizeof(*found.items), by_group_and_name);
	if (strcmp(form, "name") == 0)
		print_names(&found);
	else
		print_table(&found, *form);
	free(found.items);
	return 0;
}

const struct command command_api_resources = {
	.name = "api-resources",
	.about = "List the types of objects that the server has",
	.usage = "api-resources [flags]",
	.help = "Types that CustomResourceDefinitions make are among them.\n"
		"\n"
		"Examples:\n"
		"  kubectl-lite api-resources --api-group=apps -o wide\n"
		"  kubectl-lite api-resources --namespaced --verbs=list,watch -o name\n",
	.flags = resources_flags,
	.run = run_resources,
};
