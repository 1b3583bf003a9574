#include "api/apply.h"

#include <stdlib.h>
#include <string.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
/* What all annotations together may have. */
#define ANNOTATIONS_MAX (256 * 1024)

struct work {
	const struct apply *apply;
	struct typed type;
	struct managed_fields fields;
	struct field_arena *arena;
	struct json_object *merged; /* what is to be; shares values with live and config */
	bool same;                  /* it is what is there already */
};

/* --- conflicts --- */

/* "kubectl" using apps/v1 */
static void print_owner(struct buf *b, const struct managed_entry *owner)
{
	buf_json_string(b, owner->manager);
	if (*owner->subresource)
		buf_printf(b, " with subresource \"%s\"", owner->subresource);
	if (!owner->applied)
		buf_printf(b, " using %s", owner->api_version);
}

static int conflict(struct err *err, const struct field_errors *conflicts)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	field_errors_write_conflicts(&text, conflicts);
	return err_set(err, ERR_CONFLICT, "%s", text.data);
}

struct conflict_call {
	struct field_errors *conflicts;
	const struct managed_entry *owner;
};

static void add_conflict(const char *path, void *arg)
{
	const struct conflict_call *call = arg;
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	print_owner(&text, call->owner);
	field_error_add_conflict(call->conflicts, path, text.data);
}

static int compare_owners(const void *a, const void *b)
{
	const struct managed_entry *const *x = a, *const *y = b;
	return strcmp((*x)->manager, (*y)->manager);
}

/* --- client-side apply before --- */

static const char *last_applied(const struct json_object *obj)
{
	return json_str_or_empty(json_path(obj, "metadata", "annotations", NULL), LAST_APPLIED);
}

/* What `kubectl apply` set when it was not the server that applied: those fields are kubectl's to change. */
static const struct field_set *owned_by_annotation(struct work *work)
{
	const char *text = last_applied(work->apply->live);
	CLEANUP(json_putp) struct json_object *last = NULL;

	if (!*text || json_parse(text, strlen(text), &last, NULL, NULL) < 0 ||
	    !json_object_is_type(last, json_type_object) ||
	    strcmp(json_str_or_empty(last, "apiVersion"), work->apply->writer.api_version) != 0 ||
	    typed_validate(work->type, last, NULL) < 0)
		return NULL;
	const struct field_set *set = typed_fields(work->arena, work->type, last);
	struct typed_difference difference =
	    typed_compare(work->arena, work->type, last, work->apply->live, NULL);
	set = field_set_difference(work->arena, set, difference.changed);
	set = field_set_difference(work->arena, set, difference.removed);
	/* The set's names lie in LAST. */
	CLEANUP(buf_close) struct buf copy = BUF_INIT;
	field_set_write(&copy, set);
	char *kept = field_alloc(work->arena, copy.len + 1);
	memcpy(kept, copy.data, copy.len + 1);
	return field_set_parse(work->arena, kept, copy.len, &set, NULL) < 0 ? NULL : set;
}

/* The annotation that client-side apply goes by stays true: kubectl may do either. */
static void renew_annotation(struct work *work, struct json_object *obj)
{
	CLEANUP(json_putp) struct json_object *config = json_copy(work->apply->config);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct json_object *annotations =
	    json_ensure_object(json_ensure_object(config, "metadata"), "annotations");

	json_object_object_del(annotations, LAST_APPLIED);
	json_write_sorted(&text, config);
	buf_char(&text, '\n');
	json_set_str(json_path(obj, "metadata", "annotations", NULL), LAST_APPLIED,
		     text.len > ANNOTATIONS_MAX ? NULL : text.data);
}

/* --- taking out --- */

static const struct field_set *all_owned(struct work *work)
{
	const struct field_set *set = NULL;

	for (size_t i = 0; i < work->fields.n; i++) {
		managed_entry_load(&work->fields, &work->fields.entries[i]);
		set = field_set_union(work->arena, set, work->fields.entries[i].set);
	}
	return set;
}

static const struct field_set *fields_of(struct work *work, const struct json_object *value)
{
	return typed_with_parents(work->arena, work->type, typed_fields(work->arena, work->type, value));
}

/* Of what the manager said LAST, and says no more, goes what no manager has; an item of a list goes with all
 * that is in it. What is in such an item and was nobody's, or somebody else's, keeps it there. */
static void prune(struct work *work, const struct field_set *last)
{
	struct field_arena *arena = work->arena;
	const struct field_set *merged_set = fields_of(work, work->merged);
	const struct field_set *owned = typed_with_parents(arena, work->type, all_owned(work));
	const struct field_set *gone;

	last = typed_with_parents(arena, work->type, last);
	struct json_object *pruned = typed_remove(arena, work->type, work->merged, last);
	gone =
	    field_set_difference(arena, merged_set, field_set_union(arena, fields_of(work, pruned), owned));
	json_object_put(pruned);
	pruned = typed_remove(arena, work->type, work->merged, gone);
	gone = field_set_intersection(arena, field_set_difference(arena, merged_set, fields_of(work, pruned)),
				      last);
	json_object_put(pruned);
	pruned = typed_remove(arena, work->type, work->merged, gone);
	json_object_put(work->merged);
	if (!pruned)
		pruned = json_object_new_object();
	/* A map that lost all it had is gone; not one that the configuration says is there, empty. */
	work->merged = typed_merge(arena, work->type, pruned, work->apply->config);
	json_object_put(pruned);
}

/* --- the whole --- */

/* Fields of others that change. Without force they are conflicts, but for what ALLOWED has of them when it
 * has them all: then, as with force, the others lose them. */
static int take_from_others(struct work *work, const struct field_set *changed,
			    struct field_errors *conflicts, struct err *err)
{
	const struct managed_writer *writer = &work->apply->writer;
	struct managed_entry *own = managed_fields_find(&work->fields, writer, true);
	struct managed_entry **owners =
	    field_alloc(work->arena, (work->fields.n + 1) * sizeof(struct managed_entry *));
	const struct field_set *allowed = NULL;
	bool looked = false;
	size_t n = 0;

	for (size_t i = 0; i < work->fields.n; i++) {
		struct managed_entry *entry = &work->fields.entries[i];
		if (entry == own || !managed_entry_may_have(entry, changed))
			continue;
		managed_entry_load(&work->fields, entry);
		if (field_set_intersection(work->arena, entry->set, changed))
			owners[n++] = entry;
	}
	qsort(owners, n, sizeof(struct managed_entry *), compare_owners);
	for (size_t i = 0; i < n && !work->apply->force; i++) {
		struct conflict_call call = { conflicts, owners[i] };
		const struct field_set *set = field_set_intersection(work->arena, owners[i]->set, changed);
		if (!looked && strcmp(writer->manager, "kubectl") == 0)
			allowed = owned_by_annotation(work);
		looked = true;
		field_set_each(field_set_difference(work->arena, set, allowed), add_conflict, &call);
	}
	if (conflicts->n)
		return conflict(err, conflicts);
	for (size_t i = 0; i < n; i++)
		managed_entry_set(owners[i], field_set_difference(work->arena, owners[i]->set, changed));
	return 0;
}

/* An object that nobody was seen to write is first given to somebody. */
static void track(struct work *work)
{
	struct managed_writer before = work->apply->writer;

	before.manager = "before-first-apply";
	before.reset = NULL;
	managed_fields_update(&work->fields,
			      typed_compare(work->arena, work->type, NULL, work->apply->live, NULL), &before);
}

static int run(struct work *work, struct field_errors *conflicts, struct err *err)
{
	const struct apply *apply = work->apply;
	const struct managed_writer *writer = &apply->writer;
	CLEANUP(json_putp) struct json_object *nothing = json_object_new_object();

	if (typed_validate(work->type, apply->config, err) < 0)
		return -1;
	if (apply->live && !work->fields.n)
		track(work);
	work->merged =
	    typed_merge(work->arena, work->type, apply->live ? apply->live : nothing, apply->config);

	struct managed_entry *own = managed_fields_ensure(&work->fields, writer, true);
	managed_entry_load(&work->fields, own);
	const struct field_set *last = own->set;
	const struct field_set *set = managed_fields_without_reset(
	    work->arena, typed_fields(work->arena, work->type, apply->config), writer);
	if (!field_set_equal(managed_fields_strip(work->arena, set), last))
		managed_entry_set(own, set);
	own->api_version = writer->api_version;
	if (field_set_difference(work->arena, last, set))
		prune(work, last);

	struct typed_difference difference =
	    typed_compare(work->arena, work->type, apply->live, work->merged, NULL);
	difference.changed = managed_fields_without_reset(work->arena, difference.changed, writer);
	if (take_from_others(work, difference.changed, conflicts, err) < 0)
		return -1;
	own = managed_fields_find(&work->fields, writer, true);
	for (size_t i = 0; i < work->fields.n; i++) {
		struct managed_entry *entry = &work->fields.entries[i];
		if (entry == own || !managed_entry_may_have(entry, difference.removed))
			continue;
		managed_entry_load(&work->fields, entry);
		managed_entry_set(entry, field_set_difference(work->arena, entry->set, difference.removed));
	}
	managed_entry_set(own, managed_fields_strip(work->arena, own->set));
	work->same = apply->live && json_equal(apply->live, work->merged);
	if (!work->same)
		own->time = writer->now;
	managed_fields_drop_empty(&work->fields);
	return 0;
}

int apply_object(const struct apply *apply, struct json_object **ret, struct buf *ret_managed,
		 struct field_errors *conflicts, struct err *err)
{
	struct work work = { .apply = apply, .type = typed_struct(apply->def) };
	int result;

	/* What nobody can read any more is forgotten. */
	managed_fields_open(apply->managed, apply->managed_len, &work.fields, NULL);
	work.arena = &work.fields.arena;
	result = run(&work, conflicts, err);
	if (result == 0) {
		bool renew = strcmp(apply->writer.manager, "kubectl") == 0 && *last_applied(work.merged);
		*ret = work.same && !renew ? NULL : json_copy(work.merged);
		if (renew)
			renew_annotation(&work, *ret);
		managed_fields_write(ret_managed, &work.fields);
	}
	json_object_put(work.merged);
	managed_fields_close(&work.fields);
	return result;
}

/* --- views --- */

static int run_view(const struct apply_view *view, struct managed_fields *fields,
		    struct field_errors *conflicts, struct err *err)
{
	struct managed_entry *own = managed_fields_ensure(fields, &view->writer, true);
	const struct field_set *set = managed_fields_path(&fields->arena, view->path);

	for (size_t i = 0; i < fields->n && view->changes; i++) {
		struct managed_entry *entry = &fields->entries[i], shown = *entry;
		struct conflict_call call = { conflicts, &shown };
		shown.api_version = view->shown_version;
		if (entry == own || !field_set_intersection(&fields->arena, entry->set, set))
			continue;
		if (!view->force)
			add_conflict(view->shown_path, &call);
		managed_entry_set(entry, field_set_difference(&fields->arena, entry->set, set));
	}
	if (conflicts->n)
		return conflict(err, conflicts);
	managed_entry_set(own, view->says ? set : NULL);
	managed_fields_drop_empty(fields);
	return 0;
}

int apply_view(const struct apply_view *view, struct buf *ret_managed, struct field_errors *conflicts,
	       struct err *err)
{
	struct managed_fields fields;
	int result;

	if (managed_fields_parse(view->managed, view->managed_len, &fields, NULL) < 0)
		fields = (struct managed_fields){ 0 };
	result = run_view(view, &fields, conflicts, err);
	if (result == 0)
		managed_fields_write(ret_managed, &fields);
	managed_fields_close(&fields);
	return result;
}
