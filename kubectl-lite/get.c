#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/watch.h"

#define ACCEPT_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

static struct {
	bool all_namespaces, watch, watch_only, no_headers, show_labels, ignore_not_found, managed, recursive;
	const char *output, *labels, *fields, *sort_by;
	struct string_list label_columns, files;
	int64_t chunk_size;
} flags = { .chunk_size = 500 };

static const struct flag get_flags[] = {
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM",
	  "wide, yaml, json, name, jsonpath=TEMPLATE, jsonpath-file=FILE or custom-columns=HEADER:PATH,...",
	  NULL, NULL },
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "objects of all namespaces", NULL,
	  NULL },
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS",
	  "only objects with these labels: app=web,tier!=db", NULL, NULL },
	{ "field-selector", 0, FLAG_STRING, &flags.fields, "FIELDS",
	  "only objects with these fields: status.phase=Running", NULL, NULL },
	{ "watch", 'w', FLAG_BOOL, &flags.watch, NULL, "show what is there, then each change", NULL, NULL },
	{ "watch-only", 0, FLAG_BOOL, &flags.watch_only, NULL, "show only changes", NULL, NULL },
	{ "filename", 'f', FLAG_LIST, &flags.files, "FILE",
	  "the objects named in files, folders or - (standard input)", NULL, NULL },
	{ "recursive", 'R', FLAG_BOOL, &flags.recursive, NULL, "also files in folders below", NULL, NULL },
	{ "no-headers", 0, FLAG_BOOL, &flags.no_headers, NULL, "leave the header line out", NULL, NULL },
	{ "show-labels", 0, FLAG_BOOL, &flags.show_labels, NULL, "labels as the last column", NULL, NULL },
	{ "label-columns", 'L', FLAG_LIST, &flags.label_columns, "LABELS", "these labels as columns", NULL,
	  NULL },
	{ "sort-by", 0, FLAG_STRING, &flags.sort_by, "PATH", "sort by a field: .metadata.creationTimestamp",
	  NULL, NULL },
	{ "ignore-not-found", 0, FLAG_BOOL, &flags.ignore_not_found, NULL,
	  "an object that is not there is no error", NULL, NULL },
	{ "show-managed-fields", 0, FLAG_BOOL, &flags.managed, NULL, "keep managedFields in yaml and json",
	  NULL, NULL },
	{ "chunk-size", 0, FLAG_INT, &flags.chunk_size, "N",
	  "objects asked for at once (default 500; 0: all)", NULL, NULL },
	{ 0 },
};

/* One request: a resource in a namespace, perhaps one object. */
struct query {
	const struct resource *resource;
	const char *namespace_; /* NULL: all, or cluster scope */
	const char *name;
};

/* FULL: rows of Tables bring their whole objects, to be sorted by any field. */
static void write_path(struct buf *b, const struct query *q, const char *continue_, const char *revision,
		       bool full)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT;

#define ADD(name_, value_)                                                                                   \
	do {                                                                                                 \
		buf_printf(&query, "%s" name_ "=", query.len ? "&" : "");                                    \
		buf_url_encode(&query, value_);                                                              \
	} while (0)
	if (!q->name) {
		if (flags.labels)
			ADD("labelSelector", flags.labels);
		if (flags.fields)
			ADD("fieldSelector", flags.fields);
		if (flags.chunk_size > 0 && !revision)
			buf_printf(&query, "%slimit=%lld", query.len ? "&" : "", (long long)flags.chunk_size);
		if (continue_)
			ADD("continue", continue_);
	} else if (revision) {
		CLEANUP(mem_freep) char *selector = mem_printf("metadata.name=%s", q->name);
		ADD("fieldSelector", selector);
	}
	if (revision)
		ADD("resourceVersion", revision);
	if (full)
		ADD("includeObject", "Object");
#undef ADD
	session_path(b, q->resource, q->namespace_, revision ? NULL : q->name, NULL, query.data);
}

/* What was found, in one of two shapes: Tables, or objects. */
struct found {
	struct json_object **tables; /* per query and page */
	struct json_object **objects;
	const struct resource **resources;
	const struct query **queries; /* which query a table belongs to */
	size_t n;
	char *revision; /* of the last list */
};

static void found_add(struct found *f, struct json_object *table, struct json_object *object,
		      const struct query *q)
{
	f->tables = mem_realloc_array(f->tables, f->n + 1, sizeof(*f->tables));
	f->objects = mem_realloc_array(f->objects, f->n + 1, sizeof(*f->objects));
	f->resources = mem_realloc_array(f->resources, f->n + 1, sizeof(*f->resources));
	f->queries = mem_realloc_array(f->queries, f->n + 1, sizeof(*f->queries));
	f->tables[f->n] = table;
	f->objects[f->n] = object;
	f->resources[f->n] = q->resource;
	f->queries[f->n++] = q;
}

static void found_close(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		json_object_put(f->tables[i]);
		json_object_put(f->objects[i]);
	}
	free(f->tables);
	free(f->objects);
	free(f->resources);
	free(f->queries);
	free(f->revision);
}

static bool is_table(enum output_form form)
{
	return form == OUTPUT_TABLE || form == OUTPUT_WIDE;
}

static void add_items(struct found *f, struct json_object *list, const struct query *q)
{
	struct json_object *items = json_get(list, "items");

	for (size_t i = 0; i < json_len(items); i++) {
		struct json_object *item = json_at(items, i);
		if (!json_object_is_type(item, json_type_object))
			continue;
		/* Items of a list do not say what they are; shown alone they must. */
		json_set_str(item, "apiVersion", q->resource->group_version);
		json_set_str(item, "kind", q->resource->kind_name);
		found_add(f, NULL, json_object_get(item), q);
	}
}

/* Fetches all pages of Q. */
static int fetch(const struct query *q, enum output_form form, struct found *f, struct err *err)
{
	CLEANUP(mem_freep) char *continue_ = NULL;

	do {
		CLEANUP(buf_close) struct buf path = BUF_INIT, text = BUF_INIT;
		struct json_object *answer = NULL;
		write_path(&path, q, continue_, NULL, flags.sort_by && is_table(form));
		if (session_do("GET", path.data, is_table(form) ? ACCEPT_TABLE : NULL, NULL, NULL, &text,
			       err) < 0 ||
		    json_parse(text.data, text.len, &answer, NULL, err) < 0)
			return -1;
		const struct json_object *metadata = json_get(answer, "metadata");
		free(continue_);
		continue_ = NULL;
		if (is_table(form) || !q->name)
			continue_ = mem_dup(json_str(metadata, "continue"));
		if (json_str(metadata, "resourceVersion")) {
			free(f->revision);
			f->revision = mem_dup(json_str(metadata, "resourceVersion"));
		}
		if (is_table(form)) {
			found_add(f, answer, NULL, q);
		} else if (q->name) {
			found_add(f, NULL, answer, q);
		} else {
			add_items(f, answer, q);
			json_object_put(answer);
		}
	} while (continue_ && *continue_);
	return 0;
}

static size_t count_rows(const struct found *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->tables[i] ? json_len(json_get(f->tables[i], "rows")) : 1;
	return n;
}

static struct table_view make_view(const struct output *output, const char *prefix)
{
	return (struct table_view){ .wide = output->form == OUTPUT_WIDE,
				    .no_headers = flags.no_headers,
				    .with_namespace = flags.all_namespaces,
				    .show_labels = flags.show_labels,
				    .kind_prefix = prefix,
				    .label_columns = &flags.label_columns };
}

/* --- sorting --- */

static struct jsonpath *sort_path;

static int compare_values(struct json_object *x, struct json_object *y)
{
	if (x && y && (json_object_is_type(x, json_type_int) || json_object_is_type(x, json_type_double))) {
		double a = json_object_get_double(x), b = json_object_get_double(y);
		return (a > b) - (a < b);
	}
	return strcmp(x ? json_object_get_string(x) : "", y ? json_object_get_string(y) : "");
}

static int by_object(const void *x, const void *y)
{
	return compare_values(jsonpath_first(sort_path, *(struct json_object *const *)x),
			      jsonpath_first(sort_path, *(struct json_object *const *)y));
}

static int by_row(const void *x, const void *y)
{
	return compare_values(jsonpath_first(sort_path, json_get(*(struct json_object *const *)x, "object")),
			      jsonpath_first(sort_path, json_get(*(struct json_object *const *)y, "object")));
}

static int sort_found(struct found *f, struct err *err)
{
	if (!flags.sort_by)
		return 0;
	if (jsonpath_parse_relaxed(flags.sort_by, &sort_path, err) < 0)
		return -1;
	/* Equal keys keep the server's order: insertion keeps it, and lists to sort by hand are short. */
	for (size_t i = 0; i < f->n; i++)
		if (f->tables[i] && json_get(f->tables[i], "rows"))
			json_object_array_sort(json_get(f->tables[i], "rows"), by_row);
	if (f->n > 1 && f->objects[0])
		qsort(f->objects, f->n, sizeof(*f->objects), by_object);
	jsonpath_free(TAKE(sort_path));
	return 0;
}

/* --- printing --- */

/* Tables of one resource follow each other as one; those of the next come after an empty line. */
static void print_tables(const struct found *f, const struct output *output, bool several_kinds,
			 struct table *t)
{
	const struct resource *current = NULL;
	bool printed = false;

	for (size_t i = 0; i < f->n; i++) {
		char prefix[128];
		if (json_len(json_get(f->tables[i], "rows")) == 0)
			continue;
		if (current && current != f->resources[i]) {
			table_print(t, stdout, flags.no_headers);
			table_close(t);
			printed = true;
		}
		if (printed && !t->columns)
			putchar('\n');
		current = f->resources[i];
		snprintf(prefix, sizeof(prefix), "%s%s%s/", current->singular, *current->group ? "." : "",
			 current->group);
		struct table_view view = make_view(output, several_kinds ? prefix : NULL);
		table_add_server(t, f->tables[i], &view);
	}
	if (t->columns)
		table_print(t, stdout, flags.no_headers);
}

static void tell_nothing_found(const struct query *q)
{
	if (flags.ignore_not_found)
		return;
	if (q->resource->namespaced && q->namespace_)
		fprintf(stderr, "No resources found in %s namespace.\n", q->namespace_);
	else
		fprintf(stderr, "No resources found\n");
}

/* --- watching --- */

struct watching {
	const struct query *query;
	const struct output *output;
	struct table table;
	struct err err;
};

static bool watch_event(const char *type, struct json_object *obj, void *arg)
{
	struct watching *w = arg;

	if (strcmp(type, "BOOKMARK") == 0)
		return true;
	if (is_table(w->output->form)) {
		struct table_view view = make_view(w->output, NULL);
		table_add_server(&w->table, obj, &view);
		table_print(&w->table, stdout, flags.no_headers);
	} else if (output_object(w->output, w->query->resource, obj, flags.managed, &w->err) < 0) {
		return false;
	} else if (w->output->form == OUTPUT_YAML) {
		puts("---");
	}
	/* "get -w | head": the reader has had enough. */
	return fflush(stdout) == 0;
}

static int watch_changes(const struct query *q, const struct output *output, struct table *table_taken,
			 const char *revision, struct err *err)
{
	struct watching w = { .query = q, .output = output, .table = *table_taken };
	CLEANUP(mem_freep) char *from = mem_dup(revision ? revision : "0");
	int failed = 0;

	*table_taken = (struct table){ 0 };
	while (!failed) {
		CLEANUP(buf_close) struct buf path = BUF_INIT;
		write_path(&path, q, NULL, from, false);
		failed = watch_run(path.data, is_table(output->form) ? ACCEPT_TABLE : NULL, watch_event, &w,
				   0, err);
		if (!failed)
			break; /* the server ended it, as kubectl we do too */
	}
	table_close(&w.table);
	if (w.err.kind != ERR_NONE) {
		*err = w.err;
		return -1;
	}
	return failed;
}

/* --- the command --- */

static int make_queries(char **args, size_t n_args, struct query **ret, size_t *ret_n, size_t *ret_bad,
			struct err *err)
{
	if (flags.files.n > 0) {
		struct manifest *manifests; /* lives as long as the program: queries point into it */
		if (manifests_load(&flags.files, flags.recursive, &manifests, ret_n, ret_bad, err) < 0)
			return -1;
		*ret = mem_zalloc((*ret_n + 1) * sizeof(**ret));
		for (size_t i = 0; i < *ret_n; i++)
			(*ret)[i] = (struct query){ manifests[i].resource, manifests[i].namespace_,
						    manifests[i].name };
		return 0;
	}
	CLEANUP(mem_freep) struct target *targets = NULL;
	if (targets_parse(args, n_args, &targets, ret_n, err) < 0)
		return -1;
	*ret = mem_zalloc((*ret_n + 1) * sizeof(**ret));
	for (size_t i = 0; i < *ret_n; i++) {
		bool in_namespace = targets[i].resource->namespaced && !flags.all_namespaces;
		if (targets[i].name && flags.all_namespaces && targets[i].resource->namespaced)
			return err_set(err, ERR_PARSE,
				       "a resource cannot be retrieved by name across all namespaces");
		(*ret)[i] = (struct query){ targets[i].resource, in_namespace ? session_namespace() : NULL,
					    targets[i].name };
	}
	return 0;
}

static bool several_kinds(const struct query *queries, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (queries[i].resource != queries[0].resource)
			return true;
	return false;
}

static int print_found(struct found *f, const struct output *output, const struct query *queries, size_t n,
		       struct table *t, struct err *err)
{
	if (sort_found(f, err) < 0)
		return -1;
	if (is_table(output->form)) {
		print_tables(f, output, several_kinds(queries, n), t);
		return 0;
	}
	if (n == 1 && queries[0].name)
		return f->n ? output_object(output, f->resources[0], f->objects[0], flags.managed, err) : 0;
	return output_list(output, f->objects, f->resources, f->n, flags.managed, err);
}

static int run_get(char **args, size_t n_args)
{
	CLEANUP(output_close) struct output output = { 0 };
	CLEANUP(found_close) struct found found = { 0 };
	CLEANUP(table_close) struct table table = { 0 };
	CLEANUP(mem_freep) struct query *queries = NULL;
	struct err err = ERR_INIT;
	size_t n = 0, bad = 0;
	int code = 0;

	if (n_args == 0 && flags.files.n == 0) {
		fputs("You must specify the type of resource to get. Use \"kubectl-lite api-resources\" for "
		      "a complete list of supported resources.\n\n",
		      stderr);
		return command_usage_error("get", "Required resource not specified.");
	}
	if (output_parse(flags.output, &output, &err) < 0 ||
	    make_queries(args, n_args, &queries, &n, &bad, &err) < 0)
		return session_failed(&err);
	if ((flags.watch || flags.watch_only) && n > 1)
		return command_error("you may only specify a single resource type");
	code = bad > 0;
	output.no_headers = flags.no_headers;
	for (size_t i = 0; i < n; i++) {
		if (fetch(&queries[i], output.form, &found, &err) == 0)
			continue;
		if (err.kind == ERR_NOT_FOUND && flags.ignore_not_found)
			continue;
		if (err.kind == ERR_BAD_REQUEST && !queries[i].name)
			err_wrap(&err,
				 "Unable to find \"%s/%s, Resource=%s\" that match label selector \"%s\", "
				 "field selector \"%s\"",
				 queries[i].resource->group, queries[i].resource->version,
				 queries[i].resource->plural, flags.labels ? flags.labels : "",
				 flags.fields ? flags.fields : "");
		code = session_failed(&err);
	}
	bool nothing = count_rows(&found) == 0;
	if (!flags.watch_only && print_found(&found, &output, queries, n, &table, &err) < 0)
		code = session_failed(&err);
	if (nothing && !code && n > 0 && is_table(output.form) && !flags.watch && !flags.watch_only)
		tell_nothing_found(&queries[0]);
	fflush(stdout);
	if ((flags.watch || flags.watch_only) && !code &&
	    watch_changes(&queries[0], &output, &table, found.revision, &err) < 0)
		code = session_failed(&err);
	return code;
}

const struct command command_get = {
	.name = "get",
	.about = "Show objects",
	.usage = "get (TYPE[,TYPE] [NAME...] | TYPE/NAME... | -f FILE) [flags]",
	.help = "Examples:\n"
		"  kubectl-lite get pods -o wide\n"
		"  kubectl-lite get deploy,rs -l app=web\n"
		"  kubectl-lite get pod web-0 -o jsonpath='{.status.podIP}'\n"
		"  kubectl-lite get pods -A -w\n",
	.flags = get_flags,
	.run = run_get,
};
