#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/found.h"
#include "kubectl-lite/manifest.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/types.h"
#include "kubectl-lite/watch.h"

#define ACCEPT_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

static struct {
	bool all_namespaces, watch, watch_only, watch_events, no_headers, show_labels, show_kind,
	    server_print;
	bool ignore_not_found, managed, recursive;
	const char *output, *labels, *fields, *sort_by, *subresource, *raw;
	struct string_list label_columns, files;
	int64_t chunk_size;
} flags = { .chunk_size = 500 };

static const struct flag get_flags[] = {
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM",
	  "wide, yaml, json, name, jsonpath=TEMPLATE, jsonpath-file=FILE, jsonpath-as-json=TEMPLATE, "
	  "custom-columns=HEADER:PATH,... or custom-columns-file=FILE",
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
	{ "show-kind", 0, FLAG_BOOL, &flags.show_kind, NULL, "names with their type: pod/web-0", NULL, NULL },
	{ "output-watch-events", 0, FLAG_BOOL, &flags.watch_events, NULL,
	  "with --watch: what happened (ADDED, MODIFIED, DELETED) as well", NULL, NULL },
	{ "subresource", 0, FLAG_STRING, &flags.subresource, "NAME", "status or scale instead of the object",
	  NULL, NULL },
	{ "raw", 0, FLAG_STRING, &flags.raw, "PATH", "what the server answers at this path, as it is", NULL,
	  NULL },
	{ "server-print", 0, FLAG_BOOL, &flags.server_print, NULL,
	  "accepted as kubectl does; tables are always the server's", NULL, NULL },
	{ "chunk-size", 0, FLAG_INT, &flags.chunk_size, "N",
	  "objects asked for at once (default 500; 0: all)", NULL, NULL },
	{ 0 },
};

/* What the rows of a Table bring beside their cells: no more than is looked at, for an object's metadata is
 * many times a row. */
static const char *row_objects(void)
{
	if (flags.sort_by)
		return "Object"; /* by any field */
	bool metadata = flags.all_namespaces || flags.show_labels || flags.label_columns.n > 0;
	return metadata ? "Metadata" : "None";
}

/* OBJECTS: as row_objects(), or NULL: as the server does by itself. */
static void write_path(struct buf *b, const struct query *q, const char *continue_, const char *revision,
		       const char *objects)
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
		/* What is sorted must be there as a whole. */
		if (flags.chunk_size > 0 && !revision && !flags.sort_by)
			buf_printf(&query, "%slimit=%lld", query.len ? "&" : "", (long long)flags.chunk_size);
		if (continue_)
			ADD("continue", continue_);
	} else if (revision) {
		CLEANUP(mem_freep) char *selector = mem_printf("metadata.name=%s", q->name);
		ADD("fieldSelector", selector);
	}
	if (revision)
		ADD("resourceVersion", revision);
	if (objects)
		ADD("includeObject", objects);
#undef ADD
	session_path(b, q->resource, q->namespace_, revision ? NULL : q->name, flags.subresource, query.data);
}

static bool is_table(enum output_form form)
{
	return form == OUTPUT_TABLE || form == OUTPUT_WIDE;
}

/* Fetches all pages of Q. */
static int fetch(const struct query *q, enum output_form form, struct found *f, struct err *err)
{
	CLEANUP(mem_freep) char *continue_ = NULL;

	do {
		CLEANUP(buf_close) struct buf path = BUF_INIT, text = BUF_INIT;
		struct json_object *answer = NULL;
		write_path(&path, q, continue_, NULL, is_table(form) ? row_objects() : NULL);
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
			/* Some answers, a scale, are never made a Table. */
			if (strcmp(json_str_or_empty(answer, "kind"), "Table") != 0)
				answer = table_of_object(answer);
			found_add(f, answer, NULL, q);
		} else if (q->name) {
			found_add(f, NULL, answer, q);
		} else {
			found_add_items(f, answer, q);
			json_object_put(answer);
		}
	} while (continue_ && *continue_);
	return 0;
}

static struct table_view make_view(const struct output *output, const char *prefix)
{
	return (struct table_view){ .wide = output->form == OUTPUT_WIDE,
				    .no_headers = flags.no_headers,
				    .with_namespace = flags.all_namespaces,
				    .show_labels = flags.show_labels,
				    .kind_prefix = prefix,
				    .event = flags.watch_events ? "ADDED" : NULL,
				    .label_columns = &flags.label_columns };
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
		if (printed && !t->columns && !flags.no_headers)
			putchar('\n');
		current = f->resources[i];
		target_text(current, "", prefix, sizeof(prefix));
		struct table_view view = make_view(output, several_kinds || flags.show_kind ? prefix : NULL);
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
	struct output output;
	struct table table;
	bool begun; /* something has been shown */
	struct err err;
};

static void show_row(struct watching *w, const char *type, struct json_object *table)
{
	char prefix[128];

	target_text(w->query->resource, "", prefix, sizeof(prefix));
	struct table_view view = make_view(&w->output, flags.show_kind ? prefix : NULL);
	view.event = flags.watch_events ? type : NULL;
	table_add_server(&w->table, table, &view);
	table_print(&w->table, stdout, flags.no_headers);
}

/* One object, what happened to it included when that is wanted. */
static int show_object(struct watching *w, const char *type, struct json_object *obj, struct err *err)
{
	const struct resource *resource = w->query->resource;

	if (w->begun && w->output.form == OUTPUT_YAML)
		puts("---");
	w->output.no_headers |= w->begun;
	w->begun = true;
	return flags.watch_events ? output_event(&w->output, resource, type, obj, flags.managed, err)
				  : output_object(&w->output, resource, obj, flags.managed, err);
}

static bool watch_event(const char *type, struct json_object *obj, void *arg)
{
	struct watching *w = arg;

	if (strcmp(type, "BOOKMARK") == 0)
		return true;
	if (is_table(w->output.form))
		show_row(w, type, obj);
	else if (show_object(w, type, obj, &w->err) < 0)
		return false;
	/* "get -w | head": the reader has had enough. */
	return fflush(stdout) == 0;
}

/* From where to watch the one object of Q: its own version may be too old for the server by now. Asked for
 * before the object is, so that no change is lost. */
static char *revision_of_list(const struct query *q)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, query = BUF_INIT;
	CLEANUP(json_putp) struct json_object *list = NULL;

	buf_str(&query, "limit=1&fieldSelector=metadata.name%3D");
	buf_url_encode(&query, q->name);
	session_path(&path, q->resource, q->namespace_, NULL, NULL, query.data);
	if (session_get(path.data, &list, NULL) < 0)
		return NULL;
	return mem_dup(json_str(json_get(list, "metadata"), "resourceVersion"));
}

/* W shows what FOUND has, unless that is not wanted, and then what changes. */
static int watch_changes(struct watching *w, const struct found *found, struct err *err)
{
	const char *from = found->revision ? found->revision : "0";

	for (size_t i = 0; i < found->n && !flags.watch_only && !is_table(w->output.form); i++)
		if (show_object(w, "ADDED", found->objects[i], err) < 0)
			return -1;
	fflush(stdout);
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	write_path(&path, w->query, NULL, from, NULL);
	/* The server ends it after a while; so do we, as kubectl does. */
	if (watch_run(path.data, is_table(w->output.form) ? ACCEPT_TABLE : NULL, watch_event, w, 0, err) < 0)
		return -1;
	if (w->err.kind != ERR_NONE) {
		*err = w->err;
		return -1;
	}
	return 0;
}

static int watch(const struct query *q, const struct output *output, struct table *table_taken,
		 const struct found *found, struct err *err)
{
	struct watching w = { .query = q, .output = *output, .table = *table_taken };

	*table_taken = (struct table){ 0 };
	int failed = watch_changes(&w, found, err);
	table_close(&w.table);
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
		if (targets[i].name && (flags.labels || flags.fields))
			return err_set(err, ERR_PARSE,
				       "name cannot be provided when a selector is specified");
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
	if (flags.sort_by && found_sort(f, flags.sort_by, err) < 0)
		return -1;
	if (is_table(output->form)) {
		print_tables(f, output, several_kinds(queries, n), t);
		return 0;
	}
	if (n == 1 && queries[0].name)
		return f->n ? output_object(output, f->resources[0], f->objects[0], flags.managed, err) : 0;
	return output_list(output, f->objects, f->resources, f->n, flags.managed, err);
}

/* kubectl's words around what the server says of a list. */
static void explain_failed_list(const struct query *q, struct err *err)
{
	const struct resource *r = q->resource;

	if (err->kind == ERR_BAD_REQUEST)
		err_wrap(
		    err,
		    "Unable to find \"%s/%s, Resource=%s\" that match label selector \"%s\", field selector "
		    "\"%s\"",
		    r->group, r->version, r->plural, flags.labels ? flags.labels : "",
		    flags.fields ? flags.fields : "");
	if (err->kind == ERR_NOT_FOUND && type_is_custom(r)) {
		/* Its definition is gone: the next one who asks is not told of it. */
		type_forget_all();
		err_set(
		    err, ERR_NOT_FOUND,
		    "Unable to list \"%s, Resource=%s\": the server could not find the requested resource "
		    "(get %s)",
		    r->group_version, r->plural, r->qualified);
	}
}

static int get_raw(size_t n_args)
{
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	struct err err = ERR_INIT;

	if (n_args || flags.files.n)
		return command_error("arguments may not be passed when --raw is specified");
	if (flags.output)
		return command_error("--raw and --output are mutually exclusive");
	if (session_do("GET", flags.raw, NULL, NULL, NULL, &answer, &err) < 0)
		return session_failed(&err);
	fwrite(answer.data ? answer.data : "", 1, answer.len, stdout);
	return 0;
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

	if (flags.raw)
		return get_raw(n_args);
	if (n_args == 0 && flags.files.n == 0) {
		fputs("You must specify the type of resource to get. Use \"kubectl-lite api-resources\" for "
		      "a complete list of supported resources.\n\n",
		      stderr);
		return command_usage_error("get",
					   "Required resource not specified.\nUse \"kubectl-lite explain "
					   "<resource>\" for a detailed description of that resource "
					   "(e.g. kubectl-lite explain pods).");
	}
	if (flags.watch_events && !flags.watch && !flags.watch_only)
		return command_error(
		    "--output-watch-events option can only be used with --watch or --watch-only");
	session_open(); /* what follows is done while the server answers our hello */
	if (output_parse(flags.output, &output, &err) < 0 ||
	    make_queries(args, n_args, &queries, &n, &bad, &err) < 0)
		return session_failed(&err);
	if ((flags.watch || flags.watch_only) && n > 1)
		return command_error("you may only specify a single resource type");
	for (size_t i = 0; flags.subresource && i < n; i++)
		if (!queries[i].name)
			return command_error("subresource cannot be used when bulk resources are specified");
	code = bad > 0;
	output.no_headers = flags.no_headers;
	bool watching = flags.watch || flags.watch_only;
	CLEANUP(mem_freep)
	char *revision = watching && n && queries[0].name ? revision_of_list(&queries[0]) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (fetch(&queries[i], output.form, &found, &err) == 0)
			continue;
		if (err.kind == ERR_NOT_FOUND && flags.ignore_not_found)
			continue;
		if (!queries[i].name)
			explain_failed_list(&queries[i], &err);
		code = session_failed(&err);
	}
	bool nothing = found_count(&found) == 0;
	if (revision) {
		free(found.revision);
		found.revision = TAKE(revision);
	}
	if (!flags.watch_only && !(watching && !is_table(output.form)) &&
	    print_found(&found, &output, queries, n, &table, &err) < 0)
		code = session_failed(&err);
	if (nothing && !code && n > 0 && is_table(output.form) && !watching)
		tell_nothing_found(&queries[0]);
	fflush(stdout);
	if (watching && !code && watch(&queries[0], &output, &table, &found, &err) < 0)
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
