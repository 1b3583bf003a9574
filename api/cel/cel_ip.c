/* IP addresses and networks.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cel/cel_functions.h"

struct address {
	uint8_t bytes[16];
	bool v6;
	unsigned prefix; /* of a network */
};

static bool parse(const char *text, size_t len, struct address *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	char room[INET6_ADDRSTRLEN];

	*ret = (struct address){ .v6 = memchr(text, ':', len) != NULL };
	if (len >= sizeof(room) || memchr(text, '\0', len))
		return false;
	*(char *)mempcpy(room, text, len) = '\0';
	if (inet_pton(ret->v6 ? AF_INET6 : AF_INET, room, ret->bytes) != 1)
		return false;
	return !ret->v6 || memcmp(ret->bytes, mapped, sizeof(mapped)) != 0;
}

static bool parse_network(const char *text, size_t len, struct address *ret)
{
	const char *slash = memchr(text, '/', len);
	size_t digits;
	char room[4] = "";

	if (!slash || !parse(text, (size_t)(slash - text), ret))
		return false;
	digits = len - (size_t)(slash - text) - 1;
	if (!digits || digits > 3 || strspn(slash + 1, "0123456789") < digits ||
	    (digits > 1 && slash[1] == '0'))
		return false;
	memcpy(room, slash + 1, digits);
	ret->prefix = (unsigned)strtoul(room, NULL, 10);
	return ret->prefix <= (ret->v6 ? 128 : 32);
}

static struct cel_value made(struct cel_eval *e, enum cel_kind kind, const struct address *address)
{
	struct address *kept = cel_alloc(&e->arena, sizeof(*kept));

	*kept = *address;
	return (struct cel_value){ .kind = (uint8_t)kind, .data = kept };
}

static const char *text_of(const struct address *address, char *room)
{
	return inet_ntop(address->v6 ? AF_INET6 : AF_INET, address->bytes, room, INET6_ADDRSTRLEN);
}

/* The first BITS of A and B are the same. */
static bool same_bits(const struct address *a, const struct address *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xFF << (8 - rest));

	return a->v6 == b->v6 && !memcmp(a->bytes, b->bytes, bytes) &&
	       (!rest || ((a->bytes[bytes] ^ b->bytes[bytes]) & mask) == 0);
}

bool cel_ip_same(const struct cel_value *a, const struct cel_value *b)
{
	const struct address *x = a->data, *y = b->data;

	return same_bits(x, y, x->v6 ? 128 : 32) && x->prefix == y->prefix;
}

/* --- addresses --- */

CEL_FUNCTION(cel_ip)
{
	struct address address;

	(void)node, (void)n;
	if (!parse(args[0].text, args[0].len, &address))
		return cel_errorf(e, "IP Address \"%.*s\" parse error during conversion from string",
				  (int)(args[0].len < 100 ? args[0].len : 100), args[0].text);
	return made(e, CEL_IP, &address);
}

CEL_FUNCTION(cel_is_ip)
{
	struct address ignored;

	(void)e, (void)node, (void)n;
	return cel_bool(parse(args[0].text, args[0].len, &ignored));
}

CEL_FUNCTION(cel_ip_is_canonical)
{
	struct address address;
	char room[INET6_ADDRSTRLEN];

	(void)node, (void)n;
	if (!parse(args[0].text, args[0].len, &address))
		return cel_errorf(e, "IP Address \"%.*s\" parse error during conversion from string",
				  (int)(args[0].len < 100 ? args[0].len : 100), args[0].text);
	text_of(&address, room);
	return cel_bool(strlen(room) == args[0].len && !memcmp(room, args[0].text, args[0].len));
}

CEL_FUNCTION(cel_ip_string)
{
	char room[INET6_ADDRSTRLEN];

	(void)node, (void)n;
	text_of(args[0].data, room);
	return cel_new_text(e, room, strlen(room));
}

CEL_FUNCTION(cel_ip_family)
{
	(void)e, (void)node, (void)n;
	return cel_int(((const struct address *)args[0].data)->v6 ? 6 : 4);
}

enum class { UNSPECIFIED, LOOPBACK, LINK_LOCAL_MULTICAST, LINK_LOCAL_UNICAST, MULTICAST, BROADCAST };

static bool is_of(const struct address *address, enum class class)
{
	static const struct {
		enum class class;
		const char *network;
	} rows[] = {
		{ UNSPECIFIED, "0.0.0.0/32" },
		{ UNSPECIFIED, "::/128" },
		{ LOOPBACK, "127.0.0.0/8" },
		{ LOOPBACK, "::1/128" },
		{ LINK_LOCAL_MULTICAST, "224.0.0.0/24" },
		{ LINK_LOCAL_MULTICAST, "ff02::/16" },
		{ LINK_LOCAL_UNICAST, "169.254.0.0/16" },
		{ LINK_LOCAL_UNICAST, "fe80::/10" },
		{ MULTICAST, "224.0.0.0/4" },
		{ MULTICAST, "ff00::/8" },
		{ BROADCAST, "255.255.255.255/32" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address network;

		if (rows[i].class == class &&
		    parse_network(rows[i].network, strlen(rows[i].network), &network) &&
		    same_bits(&network, address, network.prefix))
			return true;
	}
	return false;
}

CEL_FUNCTION(cel_ip_is)
{
	static const char *const names[] = {
		[UNSPECIFIED] = "isUnspecified",
		[LOOPBACK] = "isLoopback",
		[LINK_LOCAL_MULTICAST] = "isLinkLocalMulticast",
		[LINK_LOCAL_UNICAST] = "isLinkLocalUnicast",
	};
	const struct address *address = args[0].data;

	(void)e, (void)n;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], node->name) == 0)
			return cel_bool(is_of(address, (enum class)i));
	return cel_bool(!is_of(address, UNSPECIFIED) && !is_of(address, LOOPBACK) &&
			!is_of(address, MULTICAST) && !is_of(address, LINK_LOCAL_UNICAST) &&
			!is_of(address, BROADCAST));
}

/* --- networks --- */

CEL_FUNCTION(cel_cidr)
{
	struct address network;

	(void)node, (void)n;
	if (!parse_network(args[0].text, args[0].len, &network))
		return cel_errorf(e, "network address parse error during conversion from string: \"%.*s\"",
				  (int)(args[0].len < 100 ? args[0].len : 100), args[0].text);
	return made(e, CEL_CIDR, &network);
}

CEL_FUNCTION(cel_is_cidr)
{
	struct address ignored;

	(void)e, (void)node, (void)n;
	return cel_bool(parse_network(args[0].text, args[0].len, &ignored));
}

CEL_FUNCTION(cel_cidr_ip)
{
	struct address address = *(const struct address *)args[0].data;

	(void)node, (void)n;
	address.prefix = 0;
	return made(e, CEL_IP, &address);
}

CEL_FUNCTION(cel_cidr_string)
{
	const struct address *network = args[0].data;
	char room[INET6_ADDRSTRLEN + 8], address[INET6_ADDRSTRLEN];
	int len = snprintf(room, sizeof(room), "%s/%u", text_of(network, address), network->prefix);

	(void)node, (void)n;
	return cel_new_text(e, room, (size_t)len);
}

CEL_FUNCTION(cel_cidr_prefix_length)
{
	(void)e, (void)node, (void)n;
	return cel_int(((const struct address *)args[0].data)->prefix);
}

CEL_FUNCTION(cel_cidr_masked)
{
	struct address network = *(const struct address *)args[0].data;

	(void)node, (void)n;
	for (unsigned i = network.prefix; i < 128; i++)
		network.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return made(e, CEL_CIDR, &network);
}

CEL_FUNCTION(cel_cidr_contains_ip)
{
	const struct address *network = args[0].data;
	struct cel_value address = args[1];

	if (address.kind == CEL_STRING)
		address = cel_ip(e, node, &args[1], n);
	if (address.kind == CEL_ERROR)
		return address;
	return cel_bool(same_bits(network, address.data, network->prefix));
}

CEL_FUNCTION(cel_cidr_contains_cidr)
{
	const struct address *network = args[0].data, *other;
	struct cel_value value = args[1];

	if (value.kind == CEL_STRING)
		value = cel_cidr(e, node, &args[1], n);
	if (value.kind == CEL_ERROR)
		return value;
	other = value.data;
	return cel_bool(other->prefix >= network->prefix && same_bits(network, other, network->prefix));
}
