/* The objects that a command's arguments mean: by name, by type and labels, or from files; found one after
 * the other so that what is wrong with one does not keep the command from the others.
 */
#pragma once

#include "api/resource.h"
#include "kubectl-lite/command.h"
#include "lib/err.h"
#include "lib/json.h"

struct object {
	const struct resource *resource;
	char *namespace_; /* NULL for cluster scope */
	char *name;
	struct json_object *value; /* NULL when it was named and not to be fetched */
};

struct objects {
	struct object *items;
	size_t n;
	size_t bad; /* told on stderr: not found, unreadable */
};

struct objects_query {
	char **args;
	size_t n_args;
	const struct string_list *files; /* or NULL */
	bool recursive;
	const char *labels, *fields; /* selectors or NULL */
	bool all_namespaces;
	bool fetch;              /* GET what is named; else its value stays NULL */
	const char *subresource; /* fetched instead of the object itself, or NULL */
	bool ignore_not_found;
};

/* Fails when the arguments cannot be understood or a list cannot be had. Close in any case of success. */
int objects_find(const struct objects_query *query, struct objects *ret, struct err *err);
void objects_close(struct objects *objects);

/* GETs one object; its apiVersion and kind are set. */
int object_get(const struct resource *resource, const char *namespace_, const char *name,
	       struct json_object **ret, struct err *err);
/* GETs a subresource of it, "status" or "scale"; NULL: the object. */
int object_get_part(const struct resource *resource, const char *namespace_, const char *name,
		    const char *subresource, struct json_object **ret, struct err *err);
/* Lists, all pages; calls ITEM with each (borrowed; false ends). SELECTORS: query parts like
 * "labelSelector=app%3Dweb", or NULL. */
int object_list(const struct resource *resource, const char *namespace_, const char *selectors,
		bool (*item)(struct json_object *obj, void *arg), void *arg, struct err *err);
/* The same; *ret_revision is the list's resourceVersion: a watch goes on from there. */
int object_list_at(const struct resource *resource, const char *namespace_, const char *selectors,
		   bool (*item)(struct json_object *obj, void *arg), void *arg, uint64_t *ret_revision,
		   struct err *err);
/* Sends BODY by METHOD; content_type NULL: JSON. NAME NULL: to the collection, as a POST is. *ret is the
 * answer; ret may be NULL. */
int object_send(const char *method, const struct resource *resource, const char *namespace_, const char *name,
		const char *subresource, const char *query, const char *content_type,
		const struct json_object *body, struct json_object **ret, struct err *err);
/* "dryRun=All&fieldManager=MANAGER": the query of a write. */
void object_write_query(struct buf *b, bool dry_run, const char *manager);
/* PATCHes; TYPE is "merge", "strategic-merge" or "json". *ret may be NULL. */
int object_patch(const struct resource *resource, const char *namespace_, const char *name,
		 const char *subresource, const char *query, const char *type,
		 const struct json_object *patch, struct json_object **ret, struct err *err);
/* Watches the one object from REVISION ("0": what there is now, as ADDED). See watch_run. */
int object_watch(const struct resource *resource, const char *namespace_, const char *name,
		 const char *revision, bool (*event)(const char *type, struct json_object *obj, void *arg),
		 void *arg, int64_t timeout_us, struct err *err);

/* metadata.X as text, "" when absent. */
const char *object_meta(const struct json_object *obj, const char *key);
/* Takes metadata.managedFields out. */
void object_drop_managed(struct json_object *obj);
