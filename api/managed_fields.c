#include "api/managed_fields.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json_skip.h"

#define ANCIENT "ancient-changes"
/* Bytes of an entry's text: room is made once for most of them. */
#define USUAL_ENTRY_SIZE 768

void managed_fields_close(struct managed_fields *fields)
{
	free(fields->entries);
	field_arena_close(&fields->arena);
	*fields = (struct managed_fields){ 0 };
}

static struct managed_entry *add_entry(struct managed_fields *fields)
{
	if (fields->n == fields->capacity) {
		fields->capacity = fields->capacity ? fields->capacity * 2 : 4;
		fields->entries =
		    mem_realloc_array(fields->entries, fields->capacity, sizeof(*fields->entries));
	}
	struct managed_entry *entry = &fields->entries[fields->n++];
	*entry = (struct managed_entry){ .manager = "", .api_version = "", .subresource = "" };
	return entry;
}

static const char *keep(struct managed_fields *fields, const char *text, size_t len)
{
	char *copy = field_alloc(&fields->arena, len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

/* --- reading --- */

/* The string TEXT with its quotes. */
static const char *read_string(struct managed_fields *fields, const char *text, size_t len)
{
	CLEANUP(json_putp) struct json_object *value = NULL;

	if (len >= 2 && text[0] == '"' && !memchr(text, '\\', len))
		return keep(fields, text + 1, len - 2);
	if (json_parse(text, len, &value, NULL, NULL) < 0 || !json_object_is_type(value, json_type_string))
		return NULL;
	return keep(fields, json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static int fault(struct err *err)
{
	return err_set(err, ERR_PARSE, "invalid managedFields");
}

struct entry_texts {
	const char *operation, *fields_type;
};

static int load(struct managed_fields *fields, struct managed_entry *entry, struct err *err)
{
	if (!entry->text || entry->set)
		return 0;
	int result = field_set_parse(&fields->arena, entry->text, entry->text_len, &entry->set, err);
	if (!entry->set)
		entry->text = NULL;
	return result;
}

static int read_member(struct managed_fields *fields, struct managed_entry *entry, struct entry_texts *texts,
		       const char *key, size_t key_len, const char *value, size_t len, struct err *err)
{
	const struct {
		const char *name;
		const char **at;
	} strings[] = {
		{ "manager", &entry->manager },        { "operation", &texts->operation },
		{ "apiVersion", &entry->api_version }, { "time", &entry->time },
		{ "fieldsType", &texts->fields_type }, { "subresource", &entry->subresource },
	};
	if (is_key(value, len, "null"))
		return 0;
	if (is_key(key, key_len, "fieldsV1")) {
		entry->text = value;
		entry->text_len = len;
		return fields->lazy ? 0 : load(fields, entry, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		if (!is_key(key, key_len, strings[i].name))
			continue;
		*strings[i].at = read_string(fields, value, len);
		return *strings[i].at ? 0 : fault(err);
	}
	return 0;
}

static int check_entry(struct managed_entry *entry, const struct entry_texts *texts, struct err *err)
{
	entry->applied = strcmp(texts->operation, "Apply") == 0;
	if (!entry->applied && strcmp(texts->operation, "Update") != 0)
		return err_set(err, ERR_PARSE, "operation must be `Apply` or `Update`");
	if (!*entry->api_version)
		return err_set(err, ERR_PARSE, "apiVersion must not be empty");
	if (strcmp(texts->fields_type, "FieldsV1") != 0)
		return err_set(err, ERR_PARSE, "invalid fieldsType");
	return 0;
}

static int read_entry(struct managed_fields *fields, struct json_cursor *at, struct err *err)
{
	struct managed_entry *entry = add_entry(fields);
	struct entry_texts texts = { "", "" };

	if (!json_skip_char(at, '{'))
		return fault(err);
	while (!json_skip_char(at, '}')) {
		const char *key, *value;
		json_skip_char(at, ',');
		if (!json_skip_char(at, '"'))
			return fault(err);
		key = at->p;
		if (!json_skip_string(at))
			return fault(err);
		size_t key_len = (size_t)(at->p - key) - 1;
		if (!json_skip_char(at, ':'))
			return fault(err);
		json_skip_space(at);
		value = at->p;
		if (!json_skip_value(at) ||
		    read_member(fields, entry, &texts, key, key_len, value, (size_t)(at->p - value), err) < 0)
			return fault(err);
	}
	return check_entry(entry, &texts, err);
}

static int parse(const char *text, size_t len, bool lazy, struct managed_fields *ret, struct err *err)
{
	struct json_cursor at = { text, text + len };

	*ret = (struct managed_fields){ .lazy = lazy };
	if (!len)
		return 0;
	if (!json_skip_char(&at, '['))
		return fault(err);
	while (!json_skip_char(&at, ']')) {
		json_skip_char(&at, ',');
		if (read_entry(ret, &at, err) < 0) {
			managed_fields_close(ret);
			return -1;
		}
	}
	return 0;
}

int managed_fields_parse(const char *text, size_t len, struct managed_fields *ret, struct err *err)
{
	return parse(text, len, false, ret, err);
}

int managed_fields_open(const char *text, size_t len, struct managed_fields *ret, struct err *err)
{
	return parse(text, len, true, ret, err);
}

void managed_entry_load(struct managed_fields *fields, struct managed_entry *entry)
{
	load(fields, entry, NULL);
}

/* --- writing --- */

/* Times of one form, to the second: text is order. */
static int compare_times(const struct managed_entry *a, const struct managed_entry *b)
{
	return strcmp(a->time ? a->time : "", b->time ? b->time : "");
}

static int compare_entries(const void *a, const void *b)
{
	const struct managed_entry *x = a, *y = b;

	if (x->applied != y->applied)
		return x->applied ? -1 : 1;
	int order = compare_times(x, y);
	if (!order)
		order = strcmp(x->manager, y->manager);
	if (!order)
		order = strcmp(x->api_version, y->api_version);
	return order ? order : strcmp(x->subresource, y->subresource);
}

static void write_member(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_str(b, name);
	buf_json_string(b, value);
}

void managed_fields_write(struct buf *b, struct managed_fields *fields)
{
	if (!fields->n)
		return;
	qsort(fields->entries, fields->n, sizeof(*fields->entries), compare_entries);
	buf_reserve(b, fields->n * USUAL_ENTRY_SIZE);
	for (size_t i = 0; i < fields->n; i++) {
		const struct managed_entry *entry = &fields->entries[i];
		buf_str(b, i ? ",{" : "[{");
		buf_str(b, "\"manager\":");
		buf_json_string(b, entry->manager);
		buf_str(b, entry->applied ? ",\"operation\":\"Apply\"" : ",\"operation\":\"Update\"");
		write_member(b, ",\"apiVersion\":", entry->api_version);
		write_member(b, ",\"time\":", entry->time);
		buf_str(b, ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":");
		if (entry->text)
			buf_add(b, entry->text, entry->text_len);
		else
			field_set_write(b, entry->set);
		write_member(b, ",\"subresource\":", entry->subresource);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* --- entries --- */

static bool same_who(const struct managed_entry *a, const struct managed_entry *b)
{
	/* Who applies is one manager in all versions. */
	return a->applied == b->applied && strcmp(a->manager, b->manager) == 0 &&
	       strcmp(a->subresource, b->subresource) == 0 &&
	       (a->applied || strcmp(a->api_version, b->api_version) == 0);
}

static struct managed_entry of_writer(const struct managed_writer *writer, bool applied)
{
	return (struct managed_entry){ .manager = *writer->manager ? writer->manager : "unknown",
				       .api_version = writer->api_version,
				       .subresource = writer->subresource,
				       .applied = applied };
}

static struct managed_entry *find(struct managed_fields *fields, const struct managed_entry *who)
{
	for (size_t i = fields->n; i--;)
		if (same_who(&fields->entries[i], who))
			return &fields->entries[i];
	return NULL;
}

struct managed_entry *managed_fields_find(struct managed_fields *fields, const struct managed_writer *writer,
					  bool applied)
{
	struct managed_entry who = of_writer(writer, applied);
	return find(fields, &who);
}

struct managed_entry *managed_fields_ensure(struct managed_fields *fields,
					    const struct managed_writer *writer, bool applied)
{
	struct managed_entry who = of_writer(writer, applied), *entry = find(fields, &who);

	if (!entry) {
		entry = add_entry(fields);
		*entry = who;
	}
	return entry;
}

void managed_entry_set(struct managed_entry *entry, const struct field_set *set)
{
	if (entry->set == set && set)
		return;
	entry->set = set;
	entry->text = NULL;
}

void managed_fields_drop_empty(struct managed_fields *fields)
{
	size_t kept = 0;

	for (size_t i = 0; i < fields->n; i++)
		if (fields->entries[i].set || fields->entries[i].text)
			fields->entries[kept++] = fields->entries[i];
	fields->n = kept;
}

bool managed_fields_same_but_times(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct managed_fields x, y;
	bool same = true;

	if (a_len == b_len && (!a_len || memcmp(a, b, a_len) == 0))
		return true;
	if (!a_len || !b_len || managed_fields_parse(a, a_len, &x, NULL) < 0)
		return false;
	if (managed_fields_parse(b, b_len, &y, NULL) < 0) {
		managed_fields_close(&x);
		return false;
	}
	same = x.n == y.n;
	for (size_t i = 0; i < x.n && same; i++) {
		const struct managed_entry *other = find(&y, &x.entries[i]);
		same = other && field_set_equal(x.entries[i].set, other->set);
	}
	managed_fields_close(&x);
	managed_fields_close(&y);
	return same;
}

/* --- what a write does --- */

static bool is_one_of(const struct field_element *element, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (element->kind == FIELD_ELEMENT_NAME && is_key(element->text, element->len, names[i]))
			return true;
	return false;
}

/* SET without the members that are called by one of the N NAMES. */
static const struct field_set *without_names(struct field_arena *arena, const struct field_set *set,
					     const char *const *names, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; set && i < set->n; i++)
		found += set->nodes[i].member && is_one_of(&set->nodes[i].element, names, n);
	if (!found)
		return set;
	struct field_set *kept = field_alloc(arena, sizeof(*kept) + set->n * sizeof(set->nodes[0]));
	kept->n = 0;
	for (size_t i = 0; i < set->n; i++) {
		struct field_node node = set->nodes[i];
		if (is_one_of(&node.element, names, n))
			node.member = false;
		if (node.member || node.children)
			kept->nodes[kept->n++] = node;
	}
	return kept->n ? kept : NULL;
}

const struct field_set *managed_fields_strip(struct field_arena *arena, const struct field_set *set)
{
	static const char *const top[] = { "apiVersion", "kind", "metadata" };
	static const char *const in_metadata[] = {
		"clusterName",     "creationTimestamp", "generation", "managedFields", "name", "namespace",
		"resourceVersion", "selfLink",          "uid"
	};
	static const struct field_element metadata = { "metadata", 8, FIELD_ELEMENT_NAME };

	set = without_names(arena, set, top, ARRAY_SIZE(top));
	const struct field_set *below = field_set_below(set, &metadata);
	const struct field_set *kept = without_names(arena, below, in_metadata, ARRAY_SIZE(in_metadata));
	if (kept == below)
		return set;
	struct field_set *stripped = field_alloc(arena, sizeof(*stripped) + set->n * sizeof(set->nodes[0]));
	stripped->n = 0;
	for (size_t i = 0; i < set->n; i++) {
		struct field_node node = set->nodes[i];
		if (node.children == below)
			node.children = kept;
		if (node.member || node.children)
			stripped->nodes[stripped->n++] = node;
	}
	return stripped->n ? stripped : NULL;
}

const struct field_set *managed_fields_path(struct field_arena *arena, const char *path)
{
	size_t len = strcspn(path, ".");
	struct field_element name = { path, (uint32_t)len, FIELD_ELEMENT_NAME };
	struct field_builder builder = { .arena = arena };

	field_builder_add(&builder, &name, !path[len],
			  path[len] ? managed_fields_path(arena, path + len + 1) : NULL);
	const struct field_set *set = field_builder_end(&builder, 0);
	field_builder_close(&builder);
	return set;
}

const struct field_set *managed_fields_without_reset(struct field_arena *arena, const struct field_set *set,
						     const struct managed_writer *writer)
{
	for (const char *const *path = writer->reset; path && *path && set; path++)
		set = field_set_difference_deep(arena, set, managed_fields_path(arena, *path));
	return set;
}

static int compare_ages(const void *a, const void *b)
{
	const struct managed_entry *const *x = a, *const *y = b;
	int order = compare_times(*x, *y);
	return order ? order : compare_entries(*x, *y);
}

/* Joins the oldest updates, of each version by themselves, until there are no more than are kept. */
static void join_ancient(struct managed_fields *fields)
{
	size_t n = 0;
	struct managed_entry **updates =
	    field_alloc(&fields->arena, (fields->n + 1) * sizeof(struct managed_entry *));

	for (size_t i = 0; i < fields->n; i++)
		if (!fields->entries[i].applied)
			updates[n++] = &fields->entries[i];
	if (n <= MANAGED_UPDATES_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		load(fields, updates[i], NULL);
	qsort(updates, n, sizeof(struct managed_entry *), compare_ages);
	for (size_t i = 1, left = n; i < n && left > MANAGED_UPDATES_MAX; i++) {
		struct managed_entry bucket = { .manager = ANCIENT,
						.api_version = updates[i]->api_version,
						.subresource = "" };
		struct managed_entry *first = find(fields, &bucket);
		if (first == updates[i])
			first = NULL;
		for (size_t k = 0; k < i && !first; k++)
			if (updates[k]->set && strcmp(updates[k]->api_version, updates[i]->api_version) == 0)
				first = updates[k];
		if (!first)
			continue;
		first->manager = ANCIENT;
		first->subresource = "";
		first->time = updates[i]->time;
		managed_entry_set(first, field_set_union(&fields->arena, first->set, updates[i]->set));
		managed_entry_set(updates[i], NULL);
		left--;
	}
	managed_fields_drop_empty(fields);
}

bool managed_entry_may_have(const struct managed_entry *entry, const struct field_set *set)
{
	if (!entry->text)
		return true;
	for (size_t i = 0; set && i < set->n; i++)
		if (memmem(entry->text, entry->text_len, set->nodes[i].element.text,
			   set->nodes[i].element.len))
			return true;
	return false;
}

void managed_fields_update(struct managed_fields *fields, struct typed_difference difference,
			   const struct managed_writer *writer)
{
	struct field_arena *arena = &fields->arena;
	difference.changed = managed_fields_without_reset(arena, difference.changed, writer);
	const struct field_set *changed = managed_fields_strip(arena, difference.changed);

	for (size_t i = 0; i < fields->n; i++) {
		struct managed_entry *entry = &fields->entries[i];
		if (!managed_entry_may_have(entry, difference.changed) &&
		    !managed_entry_may_have(entry, difference.removed))
			continue;
		load(fields, entry, NULL);
		const struct field_set *left = field_set_difference(arena, entry->set, difference.changed);
		managed_entry_set(entry, field_set_difference(arena, left, difference.removed));
	}
	if (changed) {
		struct managed_entry *own = managed_fields_ensure(fields, writer, false);
		load(fields, own, NULL);
		managed_entry_set(own, field_set_union(arena, own->set, changed));
		own->time = writer->now;
	}
	managed_fields_drop_empty(fields);
	join_ancient(fields);
}

void managed_fields_take(struct managed_fields *fields, const char *path, const struct managed_writer *writer)
{
	const struct field_set *set = managed_fields_path(&fields->arena, path);

	for (size_t i = 0; i < fields->n; i++)
		managed_entry_set(&fields->entries[i],
				  field_set_difference(&fields->arena, fields->entries[i].set, set));
	struct managed_entry *own = managed_fields_ensure(fields, writer, false);
	managed_entry_set(own, set);
	own->time = NULL;
	managed_fields_drop_empty(fields);
	join_ancient(fields);
}

/* What the client sent: [{}] is a wish to forget. */
static bool is_reset(const struct json_object *sent)
{
	return json_len(sent) == 1 && json_object_is_type(json_at(sent, 0), json_type_object) &&
	       json_object_object_length(json_at(sent, 0)) == 0;
}

static void write_update(const struct schema_def *def, const struct json_object *old, const char *text,
			 size_t len, const struct json_object *new_, const char *only,
			 const struct managed_writer *writer, struct buf *ret)
{
	struct managed_fields fields = { 0 };
	struct typed_difference difference;

	/* What nobody can read any more is forgotten. */
	managed_fields_open(text, len, &fields, NULL);
	if (old && !fields.n)
		return;
	difference = typed_compare(&fields.arena, typed_struct(def), old, new_, only);
	if (!old || difference.changed || difference.removed) {
		managed_fields_update(&fields, difference, writer);
		managed_fields_write(ret, &fields);
	} else {
		buf_add(ret, text, len);
	}
	managed_fields_close(&fields);
}

void managed_fields_after_write(const struct schema_def *def, const struct json_object *old, const char *text,
				size_t len, struct json_object *new_, const char *only,
				const struct managed_writer *writer, struct buf *ret)
{
	struct json_object *metadata = json_get(new_, "metadata");
	CLEANUP(json_putp) struct json_object *sent = json_object_get(json_get(metadata, "managedFields"));
	CLEANUP(buf_close) struct buf given = BUF_INIT;
	struct managed_fields check = { 0 };

	if (sent)
		json_object_object_del(metadata, "managedFields");
	if (is_reset(sent) && !*writer->subresource) {
		text = "";
		len = 0;
	} else if (json_len(sent) && !*writer->subresource) {
		json_write(&given, sent);
		/* Mostly it is what the client got. */
		if ((given.len != len || memcmp(given.data, text, len) != 0) &&
		    managed_fields_parse(given.data, given.len, &check, NULL) == 0) {
			managed_fields_close(&check);
			text = given.data;
			len = given.len;
		}
	}
	write_update(def, old, text, len, new_, only, writer, ret);
}
