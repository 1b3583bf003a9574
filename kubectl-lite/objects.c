#include "kubectl-lite/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/manifest.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "kubectl-lite/watch.h"
#include "lib/list_page.h"

enum { PAGE = 500 };

const char *object_meta(const struct json_object *obj, const char *key)
{
	return json_str_or_empty(json_get(obj, "metadata"), key);
}

void object_drop_managed(struct json_object *obj)
{
	struct json_object *metadata = json_get(obj, "metadata");

	if (json_object_is_type(metadata, json_type_object))
		json_object_object_del(metadata, "managedFields");
}

int object_get(const struct resource *resource, const char *namespace_, const char *name,
	       struct json_object **ret, struct err *err)
{
	return object_get_part(resource, namespace_, name, NULL, ret, err);
}

int object_get_part(const struct resource *resource, const char *namespace_, const char *name,
		    const char *subresource, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	session_path(&path, resource, namespace_, name, subresource, NULL);
	if (session_get(path.data, ret, err) < 0)
		return -1;
	if (!json_object_is_type(*ret, json_type_object)) {
		json_putp(ret);
		return err_set(err, ERR_PARSE, "the server's answer is no object");
	}
	return 0;
}

int object_list(const struct resource *resource, const char *namespace_, const char *selectors,
		bool (*item)(struct json_object *obj, void *arg), void *arg, struct err *err)
{
	return object_list_at(resource, namespace_, selectors, item, arg, NULL, err);
}

int object_list_at(const struct resource *resource, const char *namespace_, const char *selectors,
		   bool (*item)(struct json_object *obj, void *arg), void *arg, uint64_t *ret_revision,
		   struct err *err)
{
	CLEANUP(mem_freep) char *more = NULL;

	do {
		CLEANUP(buf_close) struct buf path = BUF_INIT, query = BUF_INIT, text = BUF_INIT;
		CLEANUP(list_page_close) struct list_page page = { 0 };
		buf_printf(&query, "limit=%d", PAGE);
		if (selectors && *selectors)
			buf_printf(&query, "&%s", selectors);
		if (more) {
			buf_str(&query, "&continue=");
			buf_url_encode(&query, more);
		}
		session_path(&path, resource, namespace_, NULL, NULL, query.data);
		if (session_do("GET", path.data, NULL, NULL, NULL, &text, err) < 0 ||
		    list_page_walk(text.data ? text.data : "", text.len, NULL, NULL, item, arg, &page, err) <
			0)
			return -1;
		free(more);
		more = TAKE(page.continue_);
		if (ret_revision)
			*ret_revision = page.revision;
	} while (more && *more);
	return 0;
}

int object_send(const char *method, const struct resource *resource, const char *namespace_, const char *name,
		const char *subresource, const char *query, const char *content_type,
		const struct json_object *body, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, text = BUF_INIT, answer = BUF_INIT;

	json_write(&text, body);
	session_path(&path, resource, namespace_, name, subresource, query);
	if (session_do(method, path.data, NULL, content_type, &text, &answer, err) < 0)
		return -1;
	return ret ? json_parse(answer.data ? answer.data : "", answer.len, ret, NULL, err) : 0;
}

void object_write_query(struct buf *b, bool dry_run, const char *manager)
{
	buf_str(b, dry_run ? "dryRun=All&fieldManager=" : "fieldManager=");
	buf_url_encode(b, manager);
}

int object_patch(const struct resource *resource, const char *namespace_, const char *name,
		 const char *subresource, const char *query, const char *type,
		 const struct json_object *patch, struct json_object **ret, struct err *err)
{
	CLEANUP(mem_freep) char *content_type = mem_printf("application/%s-patch+json", type);

	return object_send("PATCH", resource, namespace_, name, subresource, query, content_type, patch, ret,
			   err);
}

int object_watch(const struct resource *resource, const char *namespace_, const char *name,
		 const char *revision, bool (*event)(const char *type, struct json_object *obj, void *arg),
		 void *arg, int64_t timeout_us, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, query = BUF_INIT;

	buf_str(&query, "fieldSelector=metadata.name%3D");
	buf_url_encode(&query, name);
	buf_str(&query, "&resourceVersion=");
	buf_url_encode(&query, revision);
	session_path(&path, resource, namespace_, NULL, NULL, query.data);
	return watch_run(path.data, NULL, event, arg, timeout_us, err);
}

/* --- finding --- */

struct finding {
	struct objects *objects;
	const struct resource *resource;
};

static void add(struct objects *objects, const struct resource *resource, const char *namespace_,
		const char *name, struct json_object *value_taken)
{
	objects->items = mem_realloc_array(objects->items, objects->n + 1, sizeof(*objects->items));
	objects->items[objects->n++] =
	    (struct object){ resource, mem_dup(namespace_), mem_dup(name), value_taken };
}

static bool add_listed(struct json_object *obj, void *arg)
{
	struct finding *f = arg;

	if (!json_object_is_type(obj, json_type_object))
		return true;
	/* Items of a list do not say what they are. */
	json_set_str(obj, "apiVersion", f->resource->group_version);
	json_set_str(obj, "kind", f->resource->kind_name);
	add(f->objects, f->resource, json_str(json_get(obj, "metadata"), "namespace"),
	    object_meta(obj, "name"), json_object_get(obj));
	return true;
}

static void add_named(struct objects *objects, const struct objects_query *query,
		      const struct resource *resource, const char *namespace_, const char *name)
{
	struct json_object *value = NULL;
	struct err err = ERR_INIT;

	if (query->fetch &&
	    object_get_part(resource, namespace_, name, query->subresource, &value, &err) < 0) {
		if (err.kind == ERR_NOT_FOUND && query->ignore_not_found)
			return;
		session_failed(&err);
		objects->bad++;
		return;
	}
	add(objects, resource, namespace_, name, value);
}

static int find_in_files(const struct objects_query *query, struct objects *ret, struct err *err)
{
	struct manifest *manifests = NULL;
	size_t n = 0;

	if (manifests_load(query->files, query->recursive, &manifests, &n, &ret->bad, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (manifests[i].name)
			add_named(ret, query, manifests[i].resource, manifests[i].namespace_,
				  manifests[i].name);
	manifests_free(manifests, n);
	return 0;
}

static void add_selector(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(b, "%s%s=", b->len ? "&" : "", name);
	buf_url_encode(b, value);
}

int objects_find(const struct objects_query *query, struct objects *ret, struct err *err)
{
	CLEANUP(mem_freep) struct target *targets = NULL;
	CLEANUP(buf_close) struct buf selectors = BUF_INIT;
	struct objects objects = { 0 };
	size_t n = 0;

	if (query->files && query->files->n) {
		if (find_in_files(query, &objects, err) < 0)
			return -1;
		*ret = objects;
		return 0;
	}
	add_selector(&selectors, "labelSelector", query->labels);
	add_selector(&selectors, "fieldSelector", query->fields);
	if (targets_parse(query->args, query->n_args, &targets, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct resource *resource = targets[i].resource;
		const char *namespace_ =
		    !resource->namespaced || query->all_namespaces ? NULL : session_namespace();
		struct finding finding = { &objects, resource };
		if (targets[i].name && (query->labels || query->fields)) {
			objects_close(&objects);
			return err_set(err, ERR_PARSE,
				       "name cannot be provided when a selector is specified");
		}
		if (targets[i].name) {
			add_named(&objects, query, resource, namespace_, targets[i].name);
		} else if (object_list(resource, namespace_, selectors.data, add_listed, &finding, err) < 0) {
			objects_close(&objects);
			return -1;
		}
	}
	*ret = objects;
	return 0;
}

void objects_close(struct objects *objects)
{
	for (size_t i = 0; i < objects->n; i++) {
		free(objects->items[i].namespace_);
		free(objects->items[i].name);
		json_object_put(objects->items[i].value);
	}
	free(objects->items);
	*objects = (struct objects){ 0 };
}
