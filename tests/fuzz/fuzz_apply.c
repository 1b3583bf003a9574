/* Server-side apply: a story of managers, a line each, on one object. The first letter of a line says who
 * does what with the JSON behind it: a b c apply, A B C apply by force, 1 2 3 update. After each line:
 *
 *   what is owned is there                    managedFields survive being read and written
 *   inputs are as they were                   applying the same again changes nothing
 *   a failure has a reason, and force meets no conflict
 */
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINES = 12 };

struct story {
	const struct schema_def *def;
	struct json_object *object; /* NULL: none yet */
	struct buf managed;
};

static bool same_text(const struct json_object *value, const struct buf *text)
{
	struct buf now CLEANUP(buf_close) = BUF_INIT;

	json_write(&now, value);
	return now.len == text->len && memcmp(now.data, text->data, now.len) == 0;
}

static void check_round_trip(const struct buf *managed)
{
	struct buf again CLEANUP(buf_close) = BUF_INIT;
	struct managed_fields fields;
	struct buf set CLEANUP(buf_close) = BUF_INIT;

	if (!managed->len)
		return;
	if (managed_fields_parse(managed->data, managed->len, &fields, NULL) < 0)
		abort();
	for (size_t i = 0; i < fields.n; i++) {
		buf_reset(&set);
		field_set_write(&set, fields.entries[i].set);
		if (set.len != fields.entries[i].text_len ||
		    memcmp(set.data, fields.entries[i].text, set.len) != 0)
			abort();
	}
	managed_fields_write(&again, &fields);
	if (again.len != managed->len || memcmp(again.data, managed->data, again.len) != 0)
		abort();
	managed_fields_close(&fields);
}

/* True when SET has nothing but maps and lists that can be empty: one that lost all it had is dropped, and
 * who had it for itself still has it. Of a value without a schema nobody knows. */
static bool can_be_empty(struct typed type, const struct field_set *set)
{
	for (size_t i = 0; set && i < set->n; i++) {
		const struct field_node *node = &set->nodes[i];
		bool declared;
		struct typed inner =
		    node->element.kind == FIELD_ELEMENT_NAME
			? typed_member(type, node->element.text, node->element.len, &declared)
			: typed_item(type);
		struct typed_atom atom = typed_atom(inner, NULL);
		if (node->member && !atom.deduced && (atom.shape == TYPED_SCALAR || atom.atomic))
			return false;
		if (!can_be_empty(inner, node->children))
			return false;
	}
	return true;
}

/* Whoever owns a field, the object has it. */
static void check_owned_is_there(const struct story *story)
{
	struct managed_fields fields;
	struct typed type = typed_struct(story->def);

	if (managed_fields_parse(story->managed.data, story->managed.len, &fields, NULL) < 0)
		abort();
	const struct field_set *there =
	    typed_with_parents(&fields.arena, type, typed_fields(&fields.arena, type, story->object));
	for (size_t i = 0; i < fields.n; i++)
		if (!can_be_empty(type, field_set_difference(&fields.arena, fields.entries[i].set, there)))
			abort();
	managed_fields_close(&fields);
}

static struct managed_writer writer_of(char who)
{
	static const char *const names[] = { "a", "b", "c" };
	static const char *const times[] = { "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z",
					     "2026-01-01T00:00:02Z" };
	int i = who >= 'a' ? who - 'a' : who >= 'A' ? who - 'A' : who - '1';
	return (struct managed_writer){ names[i], "apps/v1", "", times[i], NULL };
}

/* As the server takes what an apply made. */
static bool decode(const struct story *story, struct json_object *obj)
{
	return decode_value(story->def, NULL, "v1", obj, FIELD_VALIDATION_IGNORE, NULL, NULL) == 0;
}

static int apply(const struct story *story, const struct json_object *config, char who,
		 struct json_object **ret, struct buf *ret_managed)
{
	struct field_errors conflicts = FIELD_ERRORS_INIT;
	struct err err = ERR_INIT;
	struct buf before CLEANUP(buf_close) = BUF_INIT;
	struct apply apply = { .def = story->def,
			       .live = story->object,
			       .managed = story->managed.data,
			       .managed_len = story->managed.len,
			       .config = config,
			       .writer = writer_of(who),
			       .force = who < 'a' };

	json_write(&before, config);
	int result = apply_object(&apply, ret, ret_managed, &conflicts, &err);
	if (!same_text(config, &before) || (result < 0) != (err.kind != ERR_NONE) ||
	    (result < 0 && !err.msg[0]) || (conflicts.n && (result == 0 || apply.force)))
		abort();
	field_errors_close(&conflicts);
	return result;
}

/* Null is there for who applies it, and not stored: nothing can be said then. */
static bool has_null(const struct json_object *value)
{
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	json_write(&text, value);
	return memmem(text.data, text.len, "null", 4) != NULL;
}

static void take(struct story *story, struct json_object *object, struct buf *managed)
{
	if (object) {
		json_object_put(story->object);
		story->object = object;
	}
	buf_close(&story->managed);
	story->managed = *managed;
	*managed = BUF_INIT;
}

static void play_apply(struct story *story, const struct json_object *config, char who)
{
	struct json_object *object = NULL, *again = NULL;
	struct buf managed CLEANUP(buf_close) = BUF_INIT, managed_again CLEANUP(buf_close) = BUF_INIT;

	if (apply(story, config, who, &object, &managed) < 0)
		return;
	if (object && !decode(story, object)) {
		json_object_put(object);
		return;
	}
	take(story, object, &managed);
	if (apply(story, config, who, &again, &managed_again) < 0 ||
	    !managed_fields_same_but_times(story->managed.data, story->managed.len, managed_again.data,
					   managed_again.len))
		abort();
	if (again && decode(story, again) && !json_equal(again, story->object))
		abort();
	json_object_put(again);
}

static void play_update(struct story *story, struct json_object *object, char who)
{
	struct managed_writer writer = writer_of(who);
	struct buf managed CLEANUP(buf_close) = BUF_INIT;

	/* Items that are there twice have one path. */
	if (typed_validate(typed_struct(story->def), object, NULL) < 0 || !decode(story, object))
		return;
	managed_fields_after_write(story->def, story->object, story->managed.data, story->managed.len, object,
				   NULL, &writer, &managed);
	take(story, json_object_get(object), &managed);
}

static void play(struct story *story, const char *line, size_t len)
{
	struct json_object *value CLEANUP(json_putp) = NULL;

	if (len < 2 || !strchr("abcABC123", line[0]) || !line[0] ||
	    json_parse(line + 1, len - 1, &value, NULL, NULL) < 0 ||
	    !json_object_is_type(value, json_type_object) || has_null(value))
		return;
	/* These are the server's. */
	if (json_path(value, "metadata", "managedFields", NULL))
		json_object_object_del(json_get(value, "metadata"), "managedFields");
	if (line[0] >= 'A')
		play_apply(story, value, line[0]);
	else
		play_update(story, value, line[0]);
	check_round_trip(&story->managed);
	if (story->object && story->managed.len)
		check_owned_is_there(story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const defs[] = { "apps.v1.Deployment", "apps.v1.ControllerRevision",
					    "core.v1.Service" };
	const char *text = (const char *)data, *end = text + size;
	struct story story = { 0 };

	if (!size)
		return 0;
	story.def = schema_def_find(defs[data[0] % ARRAY_SIZE(defs)]);
	text++;
	for (int i = 0; i < MAX_LINES && text < end; i++) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		play(&story, text, (size_t)(line_end - text));
		text = line_end + (line_end < end);
	}
	json_object_put(story.object);
	buf_close(&story.managed);
	return 0;
}
