/* Quantities: the canonical form of what is taken is taken too, is its own canonical form, and differs from
 * the original by nothing. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(mem_freep) char *text = mem_dupn((const char *)data, size);
	char once[QUANTITY_SIZE], twice[QUANTITY_SIZE];
	struct quantity q, again;

	if (!text || !quantity_parse(text, &q))
		return 0;
	quantity_format(&q, once);
	quantity_milli(&q);
	quantity_value(&q);
	if (!quantity_parse(once, &again) || strcmp(quantity_format(&again, twice), once) != 0)
		abort();
	if (quantity_cmp(&q, &again) != 0)
		abort();
	return 0;
}
