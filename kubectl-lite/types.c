#include "kubectl-lite/types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/discovery.h"
#include "kubectl-lite/session.h"

/* What the server told of, without built-in types: few rows, so that they are looked through. */
static struct {
	const struct resource **items;
	size_t n;
	bool loaded; /* from disk or the server */
	bool asked;  /* the server, in this run */
} custom;

/* --- from discovery's rows --- */

static const char *const *strings(const struct json_object *list)
{
	const char **words = mem_zalloc((json_len(list) + 1) * sizeof(*words));
	size_t n = 0;

	for (size_t i = 0; i < json_len(list); i++)
		if (json_object_is_type(json_at(list, i), json_type_string))
			words[n++] = mem_dup(json_object_get_string(json_at(list, i)));
	return words;
}

static char *lower(const char *word)
{
	char *copy = mem_dup(word);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static const struct resource *new_row(const struct json_object *row, const char *group, const char *version,
				      const char *plural)
{
	struct resource *r = mem_zalloc(sizeof(*r));
	const struct json_object *subresources = json_get(row, "subresources"),
				 *verbs = json_get(row, "verbs");
	const char *kind = json_str_or_empty(row, "kind"), *singular = json_str_or_empty(row, "singularName");

	r->group = mem_dup(group);
	r->version = mem_dup(version);
	r->group_version = *group ? mem_printf("%s/%s", group, version) : mem_dup(version);
	r->plural = mem_dup(plural);
	r->kind_name = mem_dup(kind);
	r->list_kind = mem_printf("%sList", kind);
	r->singular = *singular ? mem_dup(singular) : lower(kind);
	r->short_names = strings(json_get(row, "shortNames"));
	r->categories = strings(json_get(row, "categories"));
	r->namespaced = json_boolean(row, "namespaced", false);
	for (size_t i = 0; i < json_len(verbs); i++)
		r->verbs |= verb_parse(json_object_get_string(json_at(verbs, i)));
	const char *const *names = strings(subresources);
	struct subresource *subs = mem_zalloc((json_len(subresources) + 1) * sizeof(*subs));
	for (; names[r->n_subresources]; r->n_subresources++)
		subs[r->n_subresources].name = names[r->n_subresources];
	free((void *)(uintptr_t)names);
	r->subresources = subs;
	r->stored = r;
	r->qualified = *group ? mem_printf("%s.%s", plural, group) : mem_dup(plural);
	return r;
}

static bool is_known(const char *group, const char *version, const char *plural)
{
	if (resource_find(group, version, plural))
		return true;
	for (size_t i = 0; i < custom.n; i++)
		if (strcmp(custom.items[i]->plural, plural) == 0 &&
		    strcmp(custom.items[i]->group, group) == 0 &&
		    strcmp(custom.items[i]->version, version) == 0)
			return true;
	return false;
}

/* Takes what is new: rows that somebody may hold already stay. */
static void take_rows(const struct json_object *rows)
{
	for (size_t i = 0; i < json_len(rows); i++) {
		const struct json_object *row = json_at(rows, i);
		const char *group = json_str_or_empty(row, "group"), *version = json_str(row, "version"),
			   *plural = json_str(row, "name");
		if (!version || !plural || is_known(group, version, plural))
			continue;
		custom.items = mem_realloc_array(custom.items, custom.n + 1, sizeof(*custom.items));
		custom.items[custom.n++] = new_row(row, group, version, plural);
	}
}

/* What is kept on disk has its own file's age; built-in types are left out of it. */
static int ask(struct err *err)
{
	CLEANUP(json_putp) struct json_object *rows = NULL, *others = json_object_new_array();

	const char *server = api_client_server(session_open()->client);
	if (discovery_fetch(false, &rows, err) < 0)
		return -1;
	custom.asked = custom.loaded = true;
	for (size_t i = 0; i < json_len(rows); i++) {
		struct json_object *row = json_at(rows, i);
		if (!resource_find(json_str_or_empty(row, "group"), json_str_or_empty(row, "version"),
				   json_str_or_empty(row, "name")))
			json_object_array_add(others, json_object_get(row));
	}
	discovery_keep(server, others);
	take_rows(others);
	return 0;
}

static int load(struct err *err)
{
	if (custom.loaded || session_is_offline())
		return 0;
	CLEANUP(json_putp)
	struct json_object *rows = discovery_cached(api_client_server(session_open()->client));
	if (!rows)
		return ask(err);
	custom.loaded = true;
	take_rows(rows);
	return 0;
}

/* --- looking --- */

/* The custom type for which IS says so; what was kept is looked through before the server is asked again. */
static int find(bool (*is)(const struct resource *resource, const void *arg), const void *arg,
		const struct resource **ret, struct err *err)
{
	if (load(err) < 0)
		return -1;
	for (size_t from = 0;;) {
		for (; from < custom.n; from++)
			if (is(custom.items[from], arg)) {
				*ret = custom.items[from];
				return 0;
			}
		if (custom.asked || session_is_offline())
			return 0;
		if (ask(err) < 0)
			return -1;
	}
}

static bool is_typed(const struct resource *resource, const void *word)
{
	return resource_is_typed(resource, word);
}

static void offer(struct suggestion *s, const struct resource *resource)
{
	suggest_offer(s, resource->plural);
	suggest_offer(s, resource->singular);
}

static bool has_short_name(const struct resource *resource, const char *word)
{
	for (const char *const *name = resource->short_names; *name; name++)
		if (strcmp(*name, word) == 0)
			return true;
	return false;
}

/* Two definitions may have the same short name. */
static void warn_of_others(const struct resource *found, const char *word)
{
	for (size_t i = 0; i < custom.n && has_short_name(found, word); i++)
		if (strcmp(custom.items[i]->qualified, found->qualified) != 0 &&
		    has_short_name(custom.items[i], word))
			fprintf(stderr,
				"Warning: short name \"%s\" could also match lower priority resource %s\n",
				word, custom.items[i]->qualified);
}

const struct resource *type_find(const char *word, struct err *err)
{
	const struct resource *found = resource_find_typed(word);
	size_t n;

	if (found || !*word)
		return found ? found : (err_set(err, ERR_PARSE, "there is no type \"\""), NULL);
	if (find(is_typed, word, &found, err) < 0)
		return NULL;
	if (found) {
		warn_of_others(found, word);
		return found;
	}
	const struct resource *all = resource_all(&n);
	struct suggestion s = suggest_for(word);
	for (size_t i = 0; i < n; i++)
		offer(&s, &all[i]);
	for (size_t i = 0; i < custom.n; i++)
		offer(&s, custom.items[i]);
	err_set(err, ERR_PARSE, "the server doesn't have a resource type \"%s\"", word);
	suggest_add(&s, err);
	return NULL;
}

struct wanted_kind {
	const char *api_version, *kind;
};

static bool is_kind(const struct resource *resource, const void *arg)
{
	const struct wanted_kind *wanted = arg;

	return strcmp(resource->kind_name, wanted->kind) == 0 &&
	       strcmp(resource->group_version, wanted->api_version) == 0;
}

const struct resource *type_find_kind(const char *api_version, const char *kind, struct err *err)
{
	const struct resource *found = resource_find_kind(api_version, kind);
	struct wanted_kind wanted = { api_version, kind };

	/* The core group has no others. */
	if (!found && strchr(api_version, '/') && find(is_kind, &wanted, &found, err) < 0)
		return NULL;
	return found;
}

void type_forget_all(void)
{
	discovery_forget(api_client_server(session_open()->client));
}

void type_offer_kinds(const char *api_version, struct suggestion *s)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].group_version, api_version) == 0)
			suggest_offer(s, all[i].kind_name);
	for (size_t i = 0; i < custom.n; i++)
		if (strcmp(custom.items[i]->group_version, api_version) == 0)
			suggest_offer(s, custom.items[i]->kind_name);
}

const struct resource *type_in_version(const struct resource *resource, const char *group_version)
{
	return type_find_kind(group_version, resource->kind_name, NULL);
}

static bool is_in(const struct resource *resource, const char *category)
{
	for (const char *const *c = resource->categories; c && *c; c++)
		if (strcmp(*c, category) == 0)
			return true;
	return false;
}

/* Of several versions the first is the one that the server prefers. */
static bool is_preferred(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(custom.items[k]->qualified, custom.items[i]->qualified) == 0)
			return false;
	return true;
}

int type_each_of_category(const char *category, void (*fn)(const struct resource *resource, void *arg),
			  void *arg, size_t *ret_n, struct err *err)
{
	size_t n, found = 0;
	const struct resource *all = resource_all(&n);

	if (load(err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		/* A group's versions follow each other, the newest first. */
		if (is_in(&all[i], category) && resource_find_typed(all[i].qualified) == &all[i]) {
			fn(&all[i], arg);
			found++;
		}
	for (size_t i = 0; i < custom.n; i++)
		if (is_in(custom.items[i], category) && is_preferred(i)) {
			fn(custom.items[i], arg);
			found++;
		}
	*ret_n = found;
	return 0;
}
