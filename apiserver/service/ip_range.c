#include "apiserver/service/ip_range.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ip.h"
#include "apiserver/service/bits.h"
#include "lib/mem.h"

#define BAND_MIN  16
#define BAND_MAX  256
#define BAND_STEP 16

bool ip_address_parse(const char *text, struct ip_address *ret)
{
	unsigned char bytes[16];
	bool v6 = strchr(text, ':') != NULL;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return false;
	*ret = (struct ip_address){ .v6 = v6 };
	for (size_t i = 0; i < (v6 ? 16U : 4U); i++)
		ret->value = ret->value << 8 | bytes[i];
	return true;
}

char *ip_address_text(const struct ip_address *address, char text[static INET6_ADDRSTRLEN])
{
	unsigned char bytes[16] = { 0 };
	size_t n = address->v6 ? 16 : 4;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(address->value >> 8 * (n - 1 - i));
	inet_ntop(address->v6 ? AF_INET6 : AF_INET, bytes, text, INET6_ADDRSTRLEN);
	return text;
}

static uint32_t band_of(unsigned host_bits)
{
	uint64_t addresses = host_bits < 63 ? UINT64_C(1) << host_bits : UINT64_MAX,
		 band = addresses / BAND_STEP;

	if (addresses <= BAND_MIN)
		return 0;
	return (uint32_t)(band < BAND_MIN ? BAND_MIN : band > BAND_MAX ? BAND_MAX : band);
}

bool ip_range_init(struct ip_range *range, const char *cidr)
{
	char text[INET6_ADDRSTRLEN];
	struct ip_address address;
	unsigned bits, host_bits;

	if (!ip_cidr_valid(cidr))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(cidr, "/"), cidr);
	if (!ip_address_parse(text, &address))
		return false;
	bits = (unsigned)strtoul(strchr(cidr, '/') + 1, NULL, 10);
	host_bits = (address.v6 ? 128 : 32) - bits;
	unsigned __int128 mask =
	    host_bits >= 128 ? ~(unsigned __int128)0 : ((unsigned __int128)1 << host_bits) - 1;
	*range = (struct ip_range){ .v6 = address.v6, .network = address.value & ~mask };
	range->last = (range->network | mask) - (address.v6 ? 0 : 1);
	/* A network of one or two IPv4 addresses has none to give. */
	if (range->last < range->network)
		range->last = range->network;
	unsigned __int128 usable = range->last - range->network;
	range->size = usable > IP_RANGE_MAX ? IP_RANGE_MAX : (uint32_t)usable;
	range->band = band_of(host_bits);
	if (range->band >= range->size)
		range->band = 0;
	range->taken = mem_zalloc(bits_bytes(range->size));
	return true;
}

void ip_range_close(struct ip_range *range)
{
	free(range->taken);
	*range = (struct ip_range){ 0 };
}

bool ip_range_has(const struct ip_range *range, const struct ip_address *address)
{
	return address->v6 == range->v6 && address->value > range->network && address->value <= range->last;
}

void ip_range_mark(struct ip_range *range, const struct ip_address *address, bool taken)
{
	if (ip_range_has(range, address) && address->value - range->network <= range->size)
		bits_set(range->taken, (uint32_t)(address->value - range->network - 1), taken);
}

bool ip_range_pick(const struct ip_range *range, uint64_t chance, struct ip_address *ret)
{
	uint32_t at;

	if (!bits_find_clear(range->taken, range->band, range->size, chance, &at) &&
	    !bits_find_clear(range->taken, 0, range->band, chance, &at))
		return false;
	*ret = (struct ip_address){ .v6 = range->v6, .value = range->network + 1 + at };
	return true;
}
