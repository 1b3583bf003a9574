#include "controller/interned.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void *interned_get(struct interned_kind *kind, struct json_span text)
{
	struct interned *value = kind->last;

	if (!text.p)
		return NULL;
	if (value && value->len == text.len && memcmp(value->text, text.p, text.len) == 0) {
		value->refs++;
		return value;
	}
	CLEANUP(mem_freep) char *key = mem_dupn(text.p, text.len);
	value = kind->last = map_get(&kind->by_text, key);
	if (value) {
		value->refs++;
		return value;
	}
	value = kind->last = mem_zalloc(kind->size);
	*value = (struct interned){ kind, TAKE(key), text.len, 1 };
	kind->make(value, text);
	map_put(&kind->by_text, value->text, value);
	return value;
}

void interned_put(void *value)
{
	struct interned *interned = value;

	if (!interned || --interned->refs > 0)
		return;
	map_remove(&interned->kind->by_text, interned->text);
	if (interned->kind->last == interned)
		interned->kind->last = NULL;
	if (interned->kind->close)
		interned->kind->close(value);
	free(interned->text);
	free(value);
}
