#include "apiserver/service/networks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/service/ip_range.h"
#include "lib/mem.h"

#define V6_BITS_MIN 64

/* Kubernetes' limit: a shorter prefix is more than anything follows. */
static int check_cidr(const char *cidr, bool *ret_v6, struct err *err)
{
	struct ip_range range;

	if (!ip_range_init(&range, cidr))
		return err_set(err, ERR_BAD_REQUEST, "\"%.64s\" is no network such as 10.96.0.0/16", cidr);
	*ret_v6 = range.v6;
	uint32_t size = range.size;
	ip_range_close(&range);
	if (size < 8)
		return err_set(err, ERR_BAD_REQUEST, "%.64s has fewer than 8 addresses", cidr);
	if (*ret_v6 && strtol(strchr(cidr, '/') + 1, NULL, 10) < V6_BITS_MIN)
		return err_set(err, ERR_BAD_REQUEST, "%.64s is larger than a /%d", cidr, V6_BITS_MIN);
	return 0;
}

int service_networks_parse_cidrs(struct service_networks *networks, const char *text, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(text);
	char *rest = copy;
	bool v6[2] = { false, false };

	networks->n_cidrs = 0;
	for (char *item; (item = strsep(&rest, ","));) {
		if (networks->n_cidrs == 2)
			return err_set(err, ERR_BAD_REQUEST, "\"%.200s\" has more than two networks", text);
		if (check_cidr(item, &v6[networks->n_cidrs], err) < 0)
			return -1;
		snprintf(networks->cidrs[networks->n_cidrs++], sizeof(networks->cidrs[0]), "%s", item);
	}
	if (networks->n_cidrs == 2 && v6[0] == v6[1])
		return err_set(err, ERR_BAD_REQUEST, "\"%.200s\" has two networks of one family", text);
	return 0;
}

int service_networks_parse_ports(struct service_networks *networks, const char *text, struct err *err)
{
	char *end = NULL;
	unsigned long first = strtoul(text, &end, 10), last = 0;
	char sign = *end;

	if (end != text && (sign == '-' || sign == '+')) {
		const char *second = end + 1;
		last = strtoul(second, &end, 10);
		if (end == second)
			end = (char *)(uintptr_t)text;
		if (sign == '+')
			last = last < UINT16_MAX ? first + last : UINT16_MAX + 1UL;
	}
	if (*end || first < 1 || last < first || last > UINT16_MAX)
		return err_set(err, ERR_BAD_REQUEST, "\"%.64s\" is no range of ports such as 30000-32767",
			       text);
	networks->node_ports[0] = (uint16_t)first;
	networks->node_ports[1] = (uint16_t)last;
	return 0;
}
