/* Addresses of a network that Services get: which are free, and one of them by chance. Pure.
 *
 *     network │ 1 ........ band │ band + 1 ................. last │ broadcast (IPv4)
 *             │ who asks for it │ who does not care, from        │
 *             │                 │ a place by chance on           │
 *
 * Addresses that nobody asks for come from the upper part while it has any, so that those who name one in the
 * lower part rarely find it taken (KEP-3070). Of a very large network the first IP_RANGE_MAX addresses are
 * given out by chance; any may be asked for.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define IP_RANGE_MAX (1U << 20)

struct ip_address {
	bool v6;
	unsigned __int128 value;
};

/* False: TEXT is no address. */
bool ip_address_parse(const char *text, struct ip_address *ret);
/* As inet_ntop(3) writes it; gives back TEXT. */
char *ip_address_text(const struct ip_address *address, char text[static INET6_ADDRSTRLEN]);

struct ip_range {
	bool v6;
	unsigned __int128 network, last; /* of what may be given out: from network + 1 on */
	uint32_t size, band;             /* of the part that is given out by chance; in it */
	uint64_t *taken;                 /* a bit for each address of it, from network + 1 on */
};

/* "10.96.0.0/16". False: it is none. */
bool ip_range_init(struct ip_range *range, const char *cidr);
void ip_range_close(struct ip_range *range);
/* Neither the network's own address nor the one for broadcasts. */
bool ip_range_has(const struct ip_range *range, const struct ip_address *address);
/* Of another network: nothing happens. */
void ip_range_mark(struct ip_range *range, const struct ip_address *address, bool taken);
/* A free address; CHANCE is any number. False: there is none. Takes time for a bit each of the range at most.
 */
bool ip_range_pick(const struct ip_range *range, uint64_t chance, struct ip_address *ret);
