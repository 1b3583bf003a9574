/* Any object: all its fields, names in words. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"

struct walk {
	struct buf *b;
	unsigned level;
	bool in_metadata; /* of the object itself: what the head has told is left out */
};

/* "ownerReferences" as "Owner References", "apiVersion" as "API Version". */
static void write_label(struct buf *b, const char *key)
{
	static const char *const upper[] = { "API", "URL", "UID", "OSB", "GUID", "CIDR", "IP" };
	char word[64];
	size_t n = 0;

	for (const char *p = key; *p;) {
		n = 0;
		do
			word[n++] = *p++;
		while (*p && n + 1 < sizeof(word) &&
		       (!isupper((unsigned char)*p) || isupper((unsigned char)p[-1])));
		word[n] = '\0';
		word[0] = (char)toupper((unsigned char)word[0]);
		for (size_t i = 0; i < ARRAY_SIZE(upper); i++)
			if (strcasecmp(word, upper[i]) == 0)
				snprintf(word, sizeof(word), "%s", upper[i]);
		buf_printf(b, "%s%s", word, *p ? " " : "");
	}
}

static bool told_before(const char *key)
{
	static const char *const told[] = { "managedFields", "name", "namespace", "labels", "annotations" };

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(told[i], key) == 0)
			return true;
	return false;
}

static void write_member(const char *key, struct json_object *value, void *arg)
{
	struct walk *w = arg;
	struct walk below = { w->b, w->level + 1, w->level == 0 && strcmp(key, "metadata") == 0 };

	if (w->in_metadata && told_before(key))
		return;
	buf_printf(w->b, "%*s", (int)(2 * w->level), "");
	write_label(w->b, key);
	if (json_object_is_type(value, json_type_object)) {
		buf_str(w->b, ":\n");
		describe_sorted(value, write_member, &below);
		return;
	}
	if (!json_object_is_type(value, json_type_array)) {
		buf_printf(w->b, ":\t%s\n", value ? json_object_get_string(value) : "<nil>");
		return;
	}
	buf_str(w->b, ":\n");
	for (size_t i = 0; i < json_len(value); i++) {
		struct json_object *item = json_at(value, i);
		if (json_object_is_type(item, json_type_object))
			describe_sorted(item, write_member, &below);
		else
			buf_printf(w->b, "%*s%s\n", (int)(2 * below.level), "",
				   item ? json_object_get_string(item) : "<nil>");
	}
}

void describe_generic(struct buf *b, const struct object *object)
{
	struct walk w = { b, 0, false };

	const struct json_object *metadata = json_get(object->value, "metadata");

	/* Other than in describe_head the namespace has its line even when there is none. */
	buf_printf(b, "Name:\t%s\nNamespace:\t%s\n", json_str_or_empty(metadata, "name"),
		   json_str_or_empty(metadata, "namespace"));
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
	describe_sorted(object->value, write_member, &w);
	describe_events(b, object);
}
