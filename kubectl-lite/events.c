/* events: what happened, the newest last. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/event_list.h"
#include "kubectl-lite/print.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/table.h"
#include "kubectl-lite/types.h"
#include "kubectl-lite/watch.h"

static struct {
	bool all_namespaces, watch, no_headers, managed;
	const char *for_, *output;
	struct string_list types;
	int64_t chunk_size;
} flags;

static const struct flag events_flags[] = {
	{ "all-namespaces", 'A', FLAG_BOOL, &flags.all_namespaces, NULL, "of all namespaces", NULL, NULL },
	{ "for", 0, FLAG_STRING, &flags.for_, "TYPE/NAME", "only those of this object", NULL, NULL },
	{ "types", 0, FLAG_LIST, &flags.types, "TYPES", "only Normal or Warning ones", NULL, NULL },
	{ "watch", 'w', FLAG_BOOL, &flags.watch, NULL, "go on with those that come", NULL, NULL },
	{ "output", 'o', FLAG_STRING, &flags.output, "FORM", "yaml, json, name or jsonpath=TEMPLATE", NULL,
	  NULL },
	{ "no-headers", 0, FLAG_BOOL, &flags.no_headers, NULL, "leave the header line out", NULL, NULL },
	{ "show-managed-fields", 0, FLAG_BOOL, &flags.managed, NULL, "keep managedFields in yaml and json",
	  NULL, NULL },
	{ "chunk-size", 0, FLAG_INT, &flags.chunk_size, "N", "accepted as kubectl does; pages are of 500",
	  NULL, NULL },
	{ 0 },
};

struct showing {
	const struct output *output;
	struct table table;
	struct err err;
};

static bool is_wanted(const struct json_object *event)
{
	for (size_t i = 0; i < flags.types.n; i++)
		if (strcasecmp(json_str_or_empty(event, "type"), flags.types.items[i]) == 0)
			return true;
	return !flags.types.n;
}

static void add_row(struct table *t, const struct json_object *event)
{
	static const char *const header[] = {
		"NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"
	};
	const struct json_object *involved = json_get(event, "involvedObject");
	CLEANUP(buf_close) struct buf age = BUF_INIT;
	CLEANUP(mem_freep)
	char *object =
	    mem_printf("%s/%s", json_str_or_empty(involved, "kind"), json_str_or_empty(involved, "name"));
	CLEANUP(mem_freep) char *message = event_message(event);
	size_t first = flags.all_namespaces ? 0 : 1;

	event_write_age(&age, event);
	const char *cells[] = {
		object_meta(event, "namespace"),    age.data, json_str_or_empty(event, "type"),
		json_str_or_empty(event, "reason"), object,   message
	};
	if (!t->columns) {
		table_init(t, ARRAY_SIZE(cells) - first);
		table_row(t, header + first);
	}
	table_row(t, cells + first);
}

/* An EventList of those that are wanted, for the forms that show objects. */
static struct json_object *wanted_list(const struct event_list *events)
{
	struct json_object *list = json_object_new_object();
	struct json_object *items = json_ensure_array(list, "items");

	json_set_str(list, "kind", "EventList");
	json_set_str(list, "apiVersion", "v1");
	json_ensure_object(list, "metadata");
	for (size_t i = 0; i < events->n; i++) {
		struct json_object *event = events->items[i];
		if (!is_wanted(event))
			continue;
		json_set_str(event, "kind", "Event");
		json_set_str(event, "apiVersion", "v1");
		if (!flags.managed)
			object_drop_managed(event);
		json_object_array_add(items, json_object_get(event));
	}
	return list;
}

static int show_list(struct showing *s, const struct event_list *events, struct err *err)
{
	const struct resource *resource = resource_find("", "v1", "events");
	CLEANUP(json_putp) struct json_object *list = wanted_list(events);
	const struct json_object *items = json_get(list, "items");

	if (!json_len(items)) {
		if (!flags.watch && flags.all_namespaces)
			fputs("No events found.\n", stderr);
		else if (!flags.watch)
			fprintf(stderr, "No events found in %s namespace.\n", session_namespace());
		return 0;
	}
	if (s->output->form != OUTPUT_TABLE && s->output->form != OUTPUT_NAME)
		return output_object(s->output, resource, list, true, err);
	for (size_t i = 0; i < json_len(items); i++)
		if (s->output->form == OUTPUT_TABLE)
			add_row(&s->table, json_at(items, i));
		else if (output_object(s->output, resource, json_at(items, i), true, err) < 0)
			return -1;
	if (s->output->form == OUTPUT_TABLE)
		table_print(&s->table, stdout, flags.no_headers);
	return 0;
}

static bool show_next(const char *type, struct json_object *event, void *arg)
{
	struct showing *s = arg;

	if (strcmp(type, "BOOKMARK") == 0 || strcmp(type, "DELETED") == 0 || !is_wanted(event))
		return true;
	if (s->output->form == OUTPUT_TABLE) {
		add_row(&s->table, event);
		table_print(&s->table, stdout, flags.no_headers);
	} else if (output_object(s->output, resource_find("", "v1", "events"), event, flags.managed,
				 &s->err) < 0) {
		return false;
	}
	return fflush(stdout) == 0;
}

static int watch_more(struct showing *s, const char *namespace_, const char *fields, uint64_t revision,
		      struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, query = BUF_INIT;

	buf_printf(&query, "resourceVersion=%llu", (unsigned long long)revision);
	if (fields) {
		buf_str(&query, "&fieldSelector=");
		buf_url_encode(&query, fields);
	}
	session_path(&path, resource_find("", "v1", "events"), namespace_, NULL, NULL, query.data);
	if (watch_run(path.data, NULL, show_next, s, 0, err) < 0)
		return -1;
	if (s->err.kind == ERR_NONE)
		return 0;
	*err = s->err;
	return -1;
}

/* The field selector for --for TYPE/NAME, or NULL. */
static int parse_for(char **ret_fields, struct err *err)
{
	const char *slash = flags.for_ ? strchr(flags.for_, '/') : NULL;

	if (!slash)
		return 0;
	CLEANUP(mem_freep) char *type = mem_dupn(flags.for_, (size_t)(slash - flags.for_));
	const struct resource *resource = type_find(type, err);
	if (!resource)
		return -1;
	if (slash[1])
		*ret_fields =
		    mem_printf("involvedObject.kind=%s,involvedObject.apiVersion=%s,involvedObject.name=%s",
			       resource->kind_name, resource->group_version, slash + 1);
	return 0;
}

static int check_flags(struct err *err)
{
	const char *slash = flags.for_ ? strchr(flags.for_, '/') : NULL;

	if (flags.for_ && (!slash || strchr(slash + 1, '/')))
		return err_set(err, ERR_PARSE, "--for must be in resource/name form");
	for (size_t i = 0; i < flags.types.n; i++)
		if (strcasecmp(flags.types.items[i], "Normal") != 0 &&
		    strcasecmp(flags.types.items[i], "Warning") != 0)
			return err_set(err, ERR_PARSE, "valid --types are Normal or Warning");
	return 0;
}

static int run_events(char **args, size_t n_args)
{
	CLEANUP(output_close) struct output output = { 0 };
	CLEANUP(event_list_close) struct event_list events = { 0 };
	CLEANUP(mem_freep) char *fields = NULL;
	struct showing s = { .output = &output };
	struct err err = ERR_INIT;

	if (n_args)
		return command_usage_error("events", "unexpected arguments: [%s]", args[0]);
	if (check_flags(&err) < 0 || output_parse_objects(flags.output, &output, &err) < 0)
		return session_failed(&err);
	if (parse_for(&fields, &err) < 0) {
		if (err.kind != ERR_PARSE)
			return session_failed(&err);
		fprintf(stderr, "%s\n", err.msg); /* kubectl has no "error: " here */
		return 1;
	}
	const char *namespace_ = flags.all_namespaces ? NULL : session_namespace();
	int failed = event_list_get(namespace_, fields, &events, &err) < 0 ||
		     show_list(&s, &events, &err) < 0 || fflush(stdout) != 0 ||
		     (flags.watch && watch_more(&s, namespace_, fields, events.revision, &err) < 0);
	table_close(&s.table);
	return failed && err.kind != ERR_NONE ? session_failed(&err) : failed;
}

const struct command command_events = {
	.name = "events",
	.about = "Show what happened, the newest last",
	.usage = "events [--for TYPE/NAME] [--types=Normal,Warning] [--watch] [flags]",
	.help = "Examples:\n"
		"  kubectl-lite events -A\n"
		"  kubectl-lite events --for deployment/web --watch\n"
		"  kubectl-lite events --types=Warning\n",
	.flags = events_flags,
	.run = run_events,
};
