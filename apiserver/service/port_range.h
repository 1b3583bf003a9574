/* The ports of all nodes that Services get: which are free, and one of them by chance. Pure.
 *
 * A port is free when no Service has it (uses, counted, since Services of an older store may share one) and
 * no request is about to give it to one (held). Ports that nobody asks for come from the upper part of the
 * range while it has any (KEP-3668).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct port_range {
	uint32_t first, size, band;
	uint32_t *uses;
	uint64_t *taken; /* a bit for each: used or held */
	uint64_t *held;
};

/* Ports FIRST to LAST. */
void port_range_init(struct port_range *range, uint16_t first, uint16_t last);
void port_range_close(struct port_range *range);
bool port_range_has(const struct port_range *range, int64_t port);
/* PORT is in the range. */
bool port_range_free(const struct port_range *range, uint32_t port);
/* One Service more, or less, has PORT; of another range: nothing happens. */
void port_range_use(struct port_range *range, int64_t port, bool used);
/* PORT is in the range, and free or held. */
void port_range_hold(struct port_range *range, uint32_t port, bool held);
/* A free port; CHANCE is any number. 0: there is none. */
uint32_t port_range_pick(const struct port_range *range, uint64_t chance);
