#include "controller/interned.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void *interned_get(struct interned_kind *kind, struct json_span text)
{
	if (!text.p)
		return NULL;
	CLEANUP(mem_freep) char *key = mem_dupn(text.p, text.len);
	struct interned *value = map_get(&kind->by_text, key);

	if (value) {
		value->refs++;
		return value;
	}
	value = mem_zalloc(kind->size);
	*value = (struct interned){ kind, TAKE(key), 1 };
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
	if (interned->kind->close)
		interned->kind->close(value);
	free(interned->text);
	free(value);
}
