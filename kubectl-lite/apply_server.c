#include "kubectl-lite/apply_server.h"

#include <string.h>

#include "api/managed_fields.h"
#include "kubectl-lite/last_applied.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/session.h"

#define CLIENT_MANAGER "kubectl-client-side-apply"

static int patch(const struct manifest *manifest, const char *query, const char *type, const struct buf *body,
		 struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, answer = BUF_INIT;

	session_path(&path, manifest->resource, manifest->namespace_, manifest->name, NULL, query);
	if (session_do("PATCH", path.data, NULL, type, body, &answer, err) < 0)
		return -1;
	return json_parse(answer.data, answer.len, ret, NULL, err);
}

static int apply(const struct manifest *manifest, const struct json_object *config, const char *manager,
		 bool force, enum dry_run dry_run, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf query = BUF_INIT, body = BUF_INIT;
	CLEANUP(json_putp) struct json_object *whole = json_clone(config);

	/* The server keeps the text that client-side apply goes by up to date: with the namespace, as that
	 * has it.
	 */
	if (manifest->namespace_)
		json_set_str(json_ensure_object(whole, "metadata"), "namespace", manifest->namespace_);
	object_write_query(&query, dry_run == DRY_RUN_SERVER, manager);
	buf_str(&query, force ? "&force=true&fieldValidation=Strict" : "&force=false&fieldValidation=Strict");
	json_write(&body, whole);
	return patch(manifest, query.data, "application/apply-patch+yaml", &body, ret, err);
}

/* The object's managedFields with client-side apply's entry joined to MANAGER's, in RET; false when it has
 * none.
 */
static bool hand_over(const struct json_object *obj, const char *manager, struct buf *ret)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct managed_fields fields;
	struct managed_writer client = { CLIENT_MANAGER, json_str_or_empty(obj, "apiVersion"), "", NULL,
					 NULL };
	struct managed_writer own = client;
	struct managed_entry *entry;

	own.manager = manager;
	json_write(&text, json_path(obj, "metadata", "managedFields", NULL));
	if (managed_fields_parse(text.data, text.len, &fields, NULL) < 0)
		return false;
	entry = managed_fields_find(&fields, &client, false);
	if (entry) {
		const struct field_set *set = entry->set;
		managed_entry_set(entry, NULL);
		entry = managed_fields_ensure(&fields, &own, true);
		managed_entry_set(entry, field_set_union(&fields.arena, entry->set, set));
		managed_fields_drop_empty(&fields);
		managed_fields_write(ret, &fields);
	}
	managed_fields_close(&fields);
	return ret->len > 0;
}

/* The annotation of client-side apply stays, whoever owns it: another client may go on with it. */
static int keep_annotation(const struct manifest *manifest, const struct json_object *obj, struct err *err)
{
	const char *last = last_applied_text(obj);
	CLEANUP(json_putp) struct json_object *config = json_object_new_object(), *result = NULL;

	if (!last)
		return 0;
	json_set_str(config, "apiVersion", json_str(obj, "apiVersion"));
	json_set_str(config, "kind", json_str(obj, "kind"));
	struct json_object *metadata = json_ensure_object(config, "metadata");
	json_set_str(metadata, "name", manifest->name);
	json_set_str(metadata, "namespace", manifest->namespace_);
	json_set_str(json_ensure_object(metadata, "annotations"), LAST_APPLIED, last);
	return apply(manifest, config, "kubectl-last-applied", true, DRY_RUN_NONE, &result, err);
}

/* Fields that were applied from here go over to MANAGER, or they would stay when the file no longer has them.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply
 */
static int migrate(const struct manifest *manifest, const char *manager, bool force, struct json_object **obj,
		   struct err *err)
{
	CLEANUP(buf_close) struct buf managed = BUF_INIT, body = BUF_INIT;
	CLEANUP(json_putp) struct json_object *patched = NULL;
	struct json_object *again = NULL;

	if (!hand_over(*obj, manager, &managed))
		return 0;
	if (keep_annotation(manifest, *obj, err) < 0)
		return -1;
	/* The annotation has another owner by now. */
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	CLEANUP(json_putp) struct json_object *current = NULL;
	session_path(&path, manifest->resource, manifest->namespace_, manifest->name, NULL, NULL);
	if (session_get(path.data, &current, err) < 0)
		return -1;
	buf_reset(&managed);
	if (!hand_over(current, manager, &managed))
		return 0;
	buf_printf(&body,
		   "[{\"op\":\"replace\",\"path\":\"/metadata/managedFields\",\"value\":%s},"
		   "{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"%s\"}]",
		   managed.data, json_str_or_empty(json_get(current, "metadata"), "resourceVersion"));
	if (patch(manifest, NULL, "application/json-patch+json", &body, &patched, err) < 0 ||
	    apply(manifest, manifest->object, manager, force, DRY_RUN_NONE, &again, err) < 0)
		return -1;
	json_object_put(*obj);
	*obj = again;
	return 0;
}

int apply_server(const struct manifest *manifest, const char *manager, bool force, enum dry_run dry_run,
		 struct json_object **ret, struct err *err)
{
	struct json_object *obj = NULL;

	if (apply(manifest, manifest->object, manager, force, dry_run, &obj, err) < 0)
		return -1;
	if (dry_run == DRY_RUN_NONE && migrate(manifest, manager, force, &obj, err) < 0) {
		json_object_put(obj);
		return err_wrap(err, "the object is applied, but what was applied before is not taken over");
	}
	*ret = obj;
	return 0;
}

int apply_server_failed(const struct err *err)
{
	if (err->kind != ERR_CONFLICT || strncmp(err->msg, "Apply failed", strlen("Apply failed")) != 0)
		return session_failed(err);
	return command_error(
	    "%s\n"
	    "Please review the fields above--they currently have other managers. Here\n"
	    "are the ways you can resolve this warning:\n"
	    "* If you intend to manage all of these fields, please re-run the apply\n"
	    "  command with the `--force-conflicts` flag.\n"
	    "* If you do not intend to manage all of the fields, please edit your\n"
	    "  manifest to remove references to the fields that should keep their\n"
	    "  current managers.\n"
	    "* You may co-own fields by updating your manifest to match the existing\n"
	    "  value; in this case, you'll become the manager if the other manager(s)\n"
	    "  stop managing the field (remove it from their configuration).\n"
	    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
	    err->msg);
}
