#include "kubectl-lite/deletion.h"

#include <string.h>

#include "kubectl-lite/session.h"
#include "lib/timefmt.h"

static const struct {
	const char *flag, *policy;
} policies[] = { { "background", "Background" }, { "foreground", "Foreground" }, { "orphan", "Orphan" } };

int deletion_check_cascade(const char *cascade, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i].flag, cascade) == 0)
			return 0;
	return err_set(err, ERR_PARSE,
		       "invalid cascade value (%s). Must be \"background\", \"foreground\", or \"orphan\"",
		       cascade);
}

int deletion_send(const struct object *object, const struct deletion *how, char **ret_uid, struct err *err)
{
	CLEANUP(json_putp) struct json_object *options = json_object_new_object(), *answer = NULL;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT, text = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i].flag, how->cascade) == 0)
			json_set_str(options, "propagationPolicy", policies[i].policy);
	if (how->grace_s >= 0)
		json_set_int(options, "gracePeriodSeconds", how->grace_s);
	if (how->dry_run)
		json_object_array_add(json_ensure_array(options, "dryRun"), json_object_new_string("All"));
	json_write(&body, options);
	session_path(&path, object->resource, object->namespace_, object->name, NULL, NULL);
	if (session_do("DELETE", path.data, NULL, NULL, &body, &text, err) < 0)
		return -1;
	/* The object when it is still there, else a Status that names it. */
	if (json_parse(text.data ? text.data : "", text.len, &answer, NULL, err) < 0)
		return -1;
	const char *uid = json_str(json_get(answer, "metadata"), "uid");
	*ret_uid = mem_dup(uid ? uid : json_str(json_get(answer, "details"), "uid"));
	return 0;
}

struct waiting {
	const char *uid;
	bool gone;
};

static bool gone(const char *type, struct json_object *obj, void *arg)
{
	struct waiting *w = arg;

	/* Another uid: the name has been taken again, ours is gone. */
	w->gone = strcmp(type, "DELETED") == 0 ||
		  (strcmp(type, "BOOKMARK") != 0 && w->uid && strcmp(object_meta(obj, "uid"), w->uid) != 0);
	return !w->gone;
}

int deletion_wait(const struct object *object, const char *uid, int64_t deadline_us, struct err *err)
{
	struct waiting w = { .uid = uid };

	while (!w.gone) {
		CLEANUP(json_putp) struct json_object *now = NULL;
		int64_t left = deadline_us - time_mono_us();
		if (object_get(object->resource, object->namespace_, object->name, &now, err) < 0)
			return err->kind == ERR_NOT_FOUND ? 0 : -1;
		if (uid && strcmp(object_meta(now, "uid"), uid) != 0)
			return 0;
		if (left <= 0)
			err_set(err, ERR_TIMEOUT, "timed out waiting for the condition");
		if (left <= 0 || object_watch(object->resource, object->namespace_, object->name,
					      object_meta(now, "resourceVersion"), gone, &w, left, err) < 0) {
			if (err->kind == ERR_TIMEOUT)
				return err_set(err, ERR_PARSE, "timed out waiting for the condition on %s/%s",
					       object->resource->plural, object->name);
			return -1;
		}
	}
	return 0;
}
