#include "controller/garbage_edit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct edit {
	struct buf path;
	char *uid;
	char *finalizer; /* to drop, or NULL */
	char **owners;
	size_t n_owners;
	bool unblock;
};

static void edit_free(struct edit *edit)
{
	for (size_t i = 0; i < edit->n_owners; i++)
		free(edit->owners[i]);
	free(edit->owners);
	free(edit->finalizer);
	free(edit->uid);
	buf_close(&edit->path);
	free(edit);
}

static bool names(const struct edit *edit, const struct json_object *reference)
{
	for (size_t i = 0; i < edit->n_owners; i++)
		if (!strcmp(json_str_or_empty(reference, "uid"), edit->owners[i]))
			return true;
	return false;
}

/* True: ITEM of the list stays, changed perhaps. */
static bool stays(const struct edit *edit, struct json_object *item)
{
	if (edit->finalizer)
		return strcmp(json_object_get_string(item), edit->finalizer) != 0;
	if (!names(edit, item))
		return true;
	if (edit->unblock)
		json_set_bool(item, "blockOwnerDeletion", false);
	return edit->unblock;
}

static void apply(const struct edit *edit, struct json_object *metadata)
{
	const char *key = edit->finalizer ? "finalizers" : "ownerReferences";
	const struct json_object *old = json_get(metadata, key);
	struct json_object *left = json_object_new_array();

	for (size_t i = 0; i < json_len(old); i++)
		if (stays(edit, json_at(old, i)))
			json_object_array_add(left, json_object_get(json_at(old, i)));
	json_set(metadata, key, left);
}

static void put(struct key_run *run, const struct api_response *response, void *arg)
{
	key_run_check(run, response);
	edit_free(arg);
}

static void got(struct key_run *run, const struct api_response *response, void *arg)
{
	struct edit *edit = arg;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct json_object *metadata;

	if (!key_run_check(run, response) ||
	    json_parse(response->data, response->len, &obj, NULL, NULL) < 0) {
		edit_free(edit);
		return;
	}
	metadata = json_get(obj, "metadata");
	if (strcmp(json_str_or_empty(metadata, "uid"), edit->uid) != 0) {
		edit_free(edit); /* another one of that name */
		return;
	}
	apply(edit, metadata);
	json_write(&body, obj);
	key_run_call(run, "PUT", &edit->path, NULL, &body, put, edit);
}

static void begin(struct key_run *run, const struct meta *meta, struct edit *edit)
{
	edit->uid = mem_dup(meta->item.uid);
	meta_path(&edit->path, meta->resource, meta->namespace_, meta->name, NULL);
	key_run_call(run, "GET", &edit->path, NULL, NULL, got, edit);
}

void garbage_edit_drop_finalizer(struct key_run *run, const struct meta *meta, const char *finalizer)
{
	struct edit *edit = mem_zalloc(sizeof(*edit));

	edit->finalizer = mem_dup(finalizer);
	begin(run, meta, edit);
}

void garbage_edit_owners(struct key_run *run, const struct meta *meta, const char *const *uids, size_t n,
			 bool unblock)
{
	struct edit *edit = mem_zalloc(sizeof(*edit));

	edit->owners = mem_zalloc((n + 1) * sizeof(char *));
	for (; edit->n_owners < n; edit->n_owners++)
		edit->owners[edit->n_owners] = mem_dup(uids[edit->n_owners]);
	edit->unblock = unblock;
	begin(run, meta, edit);
}
