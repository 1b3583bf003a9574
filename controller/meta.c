#include "controller/meta.h"

#include <stdlib.h>
#include <string.h>

#include "controller/interned.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

int64_t meta_time(struct json_span span)
{
	struct json_span text = json_span_plain(span);
	char copy[TIMEFMT_SIZE];
	int64_t us = 0;

	if (!text.p || text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	return time_parse(copy, &us) ? us : 0;
}

static char *dup_or_empty(struct json_span span)
{
	char *copy = json_span_dup(span);

	return copy ? copy : mem_dup("");
}

static bool lists(struct json_span array, const char *string)
{
	struct json_cursor c = json_span_begin(array);
	struct json_span value;

	while (json_span_element(&c, &value))
		if (json_span_is(value, string))
			return true;
	return false;
}

static size_t count(struct json_span array)
{
	struct json_cursor c = json_span_begin(array);
	struct json_span value;
	size_t n = 0;

	while (json_span_element(&c, &value))
		n++;
	return n;
}

struct owners {
	struct interned interned;
	struct owner_ref *refs;
	size_t n;
};

static void make_owner(struct owner_ref *owner, struct json_span text)
{
	enum { API_VERSION, KIND, NAME, UID, CONTROLLER, BLOCK, N };
	struct json_span members[N] = { 0 }, key, value;
	static const char *const names[N] = { "apiVersion", "kind",       "name",
					      "uid",        "controller", "blockOwnerDeletion" };
	struct json_cursor c = json_span_begin(text);

	while (json_span_member(&c, &key, &value))
		for (size_t i = 0; i < N; i++)
			if (json_key_is(key, names[i]))
				members[i] = value;
	*owner = (struct owner_ref){
		.api_version = dup_or_empty(members[API_VERSION]),
		.kind = dup_or_empty(members[KIND]),
		.name = dup_or_empty(members[NAME]),
		.uid = dup_or_empty(members[UID]),
		.controller = json_span_true(members[CONTROLLER]),
		.block_deletion = json_span_true(members[BLOCK]),
	};
}

static void make_owners(void *object, struct json_span text)
{
	struct owners *owners = object;
	struct json_cursor c = json_span_begin(text);
	struct json_span value;

	owners->refs = mem_zalloc((count(text) + 1) * sizeof(*owners->refs));
	while (json_span_element(&c, &value))
		make_owner(&owners->refs[owners->n++], value);
}

static void close_owners(void *object)
{
	struct owners *owners = object;

	for (size_t i = 0; i < owners->n; i++) {
		free(owners->refs[i].api_version);
		free(owners->refs[i].kind);
		free(owners->refs[i].name);
		free(owners->refs[i].uid);
	}
	free(owners->refs);
}

static struct interned_kind owners_kind = { .size = sizeof(struct owners),
					    .make = make_owners,
					    .close = close_owners };

void meta_decode(struct meta *meta, const struct json_span *found)
{
	const char *slash = strchr(meta->item.key, '/');
	struct owners *owners = interned_get(&owners_kind, found[META_OWNERS]);

	meta->namespace_ = slash ? mem_dupn(meta->item.key, (size_t)(slash - meta->item.key)) : mem_dup("");
	meta->name = slash ? slash + 1 : meta->item.key;
	meta->labels = labels_intern_text(found[META_LABELS]);
	meta->created_us = meta_time(found[META_CREATED]);
	meta->generation = json_span_int(found[META_GENERATION], 0);
	meta->deleting = found[META_DELETED].p != NULL;
	meta->finalizer_foreground = lists(found[META_FINALIZERS], "foregroundDeletion");
	meta->finalizer_orphan = lists(found[META_FINALIZERS], "orphan");
	meta->shared_owners = owners;
	meta->n_owners = owners ? owners->n : 0;
	meta->owners = owners ? owners->refs : NULL;
}

void meta_close(struct meta *meta)
{
	interned_put(meta->shared_owners);
	labels_unref(meta->labels);
	free(meta->namespace_);
}
