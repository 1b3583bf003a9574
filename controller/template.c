#include "controller/template.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

#define HASH_LABEL "pod-template-hash"

/* FNV-1a, 64 bits: stable across processes and machines, for it names objects. */
static uint64_t fnv(uint64_t hash, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * 1099511628211ULL;
	return hash;
}

uint64_t template_equal_hash(const struct json_object *template)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	const struct json_object *labels = json_path(template, "metadata", "labels", NULL);

	if (!json_str(labels, HASH_LABEL)) {
		json_write_sorted(&text, template);
	} else {
		CLEANUP(json_putp) struct json_object *copy = json_clone(template);
		struct json_object *metadata = json_get(copy, "metadata"),
				   *own = json_get(metadata, "labels");
		json_object_object_del(own, HASH_LABEL);
		if (json_object_object_length(own) == 0)
			json_object_object_del(metadata, "labels");
		json_write_sorted(&text, copy);
	}
	return fnv(14695981039346656037ULL, text.data ? text.data : "", text.len);
}

const char *template_hash_label(const struct json_object *template, int64_t collisions, char *buf)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	uint64_t hash = template_equal_hash(template);
	char digits[16];

	if (collisions >= 0)
		hash = fnv(hash, (const char *)&collisions, sizeof(collisions));
	/* Decimal digits, each replaced by a letter that makes no words (as generated names in Kubernetes).
	 */
	int n = snprintf(digits, sizeof(digits), "%u", (uint32_t)(hash ^ hash >> 32));
	for (int i = 0; i < n; i++)
		buf[i] = alphabet[(unsigned char)digits[i] % (sizeof(alphabet) - 1)];
	buf[n] = '\0';
	return buf;
}
