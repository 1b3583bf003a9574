#include "apiserver/service/port_range.h"

#include <stdlib.h>

#include "apiserver/service/bits.h"
#include "lib/mem.h"

#define BAND_MIN  16
#define BAND_MAX  128
#define BAND_STEP 32

void port_range_init(struct port_range *range, uint16_t first, uint16_t last)
{
	uint32_t size = (uint32_t)last - first + 1, band = size / BAND_STEP;

	*range = (struct port_range){ .first = first, .size = size };
	if (size > BAND_MIN)
		range->band = band < BAND_MIN ? BAND_MIN : band > BAND_MAX ? BAND_MAX : band;
	range->uses = mem_zalloc(size * sizeof(*range->uses));
	range->taken = mem_zalloc(bits_bytes(size));
	range->held = mem_zalloc(bits_bytes(size));
}

void port_range_close(struct port_range *range)
{
	free(range->uses);
	free(range->taken);
	free(range->held);
	*range = (struct port_range){ 0 };
}

bool port_range_has(const struct port_range *range, int64_t port)
{
	return port >= range->first && port < (int64_t)range->first + range->size;
}

bool port_range_free(const struct port_range *range, uint32_t port)
{
	return !bits_get(range->taken, port - range->first);
}

static void update(struct port_range *range, uint32_t at)
{
	bits_set(range->taken, at, range->uses[at] > 0 || bits_get(range->held, at));
}

void port_range_use(struct port_range *range, int64_t port, bool used)
{
	if (!port_range_has(range, port))
		return;
	uint32_t at = (uint32_t)port - range->first;
	range->uses[at] = used ? range->uses[at] + 1 : range->uses[at] - 1;
	update(range, at);
}

void port_range_hold(struct port_range *range, uint32_t port, bool held)
{
	bits_set(range->held, port - range->first, held);
	update(range, port - range->first);
}

uint32_t port_range_pick(const struct port_range *range, uint64_t chance)
{
	uint32_t at;

	if (!bits_find_clear(range->taken, range->band, range->size, chance, &at) &&
	    !bits_find_clear(range->taken, 0, range->band, chance, &at))
		return 0;
	return range->first + at;
}
