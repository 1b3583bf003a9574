#include "nodeagent/network_links.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(struct err *err, int rc, const char *what, const char *name)
{
	return err_set(err, ERR_SYSTEM, "%s %s: %s", what, name, nl_geterror(rc));
}

static void free_socket(struct nl_sock **sk)
{
	nl_socket_free(*sk);
}

static void put_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

static struct nl_sock *open_socket(struct err *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;
	if (!rc)
		return sk;
	nl_socket_free(sk);
	fail(err, rc, "open", "netlink");
	return NULL;
}

static int up(struct nl_sock *sk, struct rtnl_link *link, struct err *err)
{
	if (rtnl_link_get_flags(link) & IFF_UP)
		return 0;
	CLEANUP(put_link) struct rtnl_link *change = rtnl_link_alloc();
	rtnl_link_set_flags(change, IFF_UP);
	int rc = rtnl_link_change(sk, link, change, 0);
	return rc ? fail(err, rc, "set up", rtnl_link_get_name(link)) : 0;
}

static int add_address(struct nl_sock *sk, struct rtnl_link *link, struct in_addr address, unsigned prefix,
		       struct err *err)
{
	struct rtnl_addr *obj = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(AF_INET, &address, sizeof(address));
	nl_addr_set_prefixlen(local, (int)prefix);
	rtnl_addr_set_ifindex(obj, rtnl_link_get_ifindex(link));
	int rc = rtnl_addr_set_local(obj, local);
	if (!rc)
		rc = rtnl_addr_add(sk, obj, 0);
	nl_addr_put(local);
	rtnl_addr_put(obj);
	return rc && rc != -NLE_EXIST ? fail(err, rc, "set address of", rtnl_link_get_name(link)) : 0;
}

static int add_default_route(struct nl_sock *sk, struct rtnl_link *link, struct in_addr gateway,
			     struct err *err)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	const struct in_addr any = { 0 };
	struct nl_addr *dst = nl_addr_build(AF_INET, &any, sizeof(any)),
		       *via = nl_addr_build(AF_INET, &gateway, sizeof(gateway));
	nl_addr_set_prefixlen(dst, 0);
	rtnl_route_set_family(route, AF_INET);
	int rc = rtnl_route_set_dst(route, dst);
	rtnl_route_nh_set_ifindex(hop, rtnl_link_get_ifindex(link));
	rtnl_route_nh_set_gateway(hop, via);
	rtnl_route_add_nexthop(route, hop); /* now the route's */
	if (!rc)
		rc = rtnl_route_add(sk, route, NLM_F_CREATE);
	nl_addr_put(dst);
	nl_addr_put(via);
	rtnl_route_put(route);
	return rc && rc != -NLE_EXIST ? fail(err, rc, "set route of", rtnl_link_get_name(link)) : 0;
}

/* A fixed hardware address: a bridge without one takes the lowest of its ports', and changes it with them. */
static void set_bridge_hardware_address(struct rtnl_link *bridge, const char *name)
{
	unsigned char mac[6] = { 0x02 };
	uint64_t hash = 14695981039346656037U; /* FNV-1a */
	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211U;
	memcpy(mac + 1, &hash, 5);
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, sizeof(mac));
	rtnl_link_set_addr(bridge, addr);
	nl_addr_put(addr);
}

static int make_bridge(struct nl_sock *sk, const char *name, unsigned mtu, struct err *err)
{
	CLEANUP(put_link) struct rtnl_link *bridge = rtnl_link_bridge_alloc();
	rtnl_link_set_name(bridge, name);
	rtnl_link_set_mtu(bridge, mtu);
	set_bridge_hardware_address(bridge, name);
	int rc = rtnl_link_add(sk, bridge, NLM_F_CREATE | NLM_F_EXCL);
	return rc && rc != -NLE_EXIST ? fail(err, rc, "make bridge", name) : 0;
}

int network_links_bridge(const char *name, struct in_addr address, unsigned prefix, unsigned mtu,
			 struct err *err)
{
	CLEANUP(free_socket) struct nl_sock *sk = open_socket(err);
	CLEANUP(put_link) struct rtnl_link *bridge = NULL;
	if (!sk || make_bridge(sk, name, mtu, err))
		return -1;
	int rc = rtnl_link_get_kernel(sk, 0, name, &bridge);
	if (rc)
		return fail(err, rc, "find bridge", name);
	if (!rtnl_link_is_bridge(bridge))
		return err_set(err, ERR_CONFLICT, "network device %s is there and is no bridge", name);
	return add_address(sk, bridge, address, prefix, err) || up(sk, bridge, err) ? -1 : 0;
}

int network_links_delete(const char *name, struct err *err)
{
	CLEANUP(free_socket) struct nl_sock *sk = open_socket(err);
	CLEANUP(put_link) struct rtnl_link *link = rtnl_link_alloc();
	if (!sk)
		return -1;
	rtnl_link_set_name(link, name);
	int rc = rtnl_link_delete(sk, link);
	/* Gone or going with its namespace: both are what is wanted. */
	return rc && rc != -NLE_OBJ_NOTFOUND && rc != -NLE_NODEV ? fail(err, rc, "delete link", name) : 0;
}

static int delete_ports(struct nl_sock *sk, int bridge, struct err *err)
{
	struct nl_cache *links = NULL;
	int rc = rtnl_link_alloc_cache(sk, AF_UNSPEC, &links);
	if (rc)
		return fail(err, rc, "list", "links");
	for (struct nl_object *o = nl_cache_get_first(links); o && !rc; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;
		if (rtnl_link_get_master(link) == bridge)
			rc = rtnl_link_delete(sk, link);
		if (rc == -NLE_OBJ_NOTFOUND || rc == -NLE_NODEV)
			rc = 0;
	}
	nl_cache_free(links);
	return rc ? fail(err, rc, "delete ports of", "the bridge") : 0;
}

int network_links_delete_bridge(const char *name, struct err *err)
{
	CLEANUP(free_socket) struct nl_sock *sk = open_socket(err);
	int index = (int)if_nametoindex(name);
	if (!sk || (index && delete_ports(sk, index, err)))
		return -1;
	return index ? network_links_delete(name, err) : 0;
}

/* A netlink socket of the namespace at NS_FD: a socket belongs to the namespace it was made in. */
static struct nl_sock *open_socket_in(int ns_fd, struct err *err)
{
	CLEANUP(mem_closep) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(ns_fd, CLONE_NEWNET)) {
		err_set_errno(err, errno, "enter network namespace");
		return NULL;
	}
	struct nl_sock *sk = open_socket(err);
	if (setns(own, CLONE_NEWNET)) {
		/* Going on in the pod's namespace would be worse than any crash. */
		perror("leave network namespace");
		_exit(1);
	}
	return sk;
}

/* The pod's hardware address follows from its IP address: when that is used again, neighbours' caches are
 * right. */
static void set_pod_hardware_address(struct rtnl_link *link, struct in_addr address)
{
	unsigned char mac[6] = { 0x0a, 0x58 };
	memcpy(mac + 2, &address, sizeof(address));
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, sizeof(mac));
	rtnl_link_set_addr(link, addr);
	nl_addr_put(addr);
}

static int add_pair(struct nl_sock *sk, const struct network_link_pair *pair, int bridge, struct err *err)
{
	CLEANUP(put_link) struct rtnl_link *link = rtnl_link_veth_alloc();
	CLEANUP(put_link) struct rtnl_link *peer = rtnl_link_veth_get_peer(link);
	rtnl_link_set_name(link, pair->name);
	rtnl_link_set_mtu(link, pair->mtu);
	rtnl_link_set_master(link, bridge);
	rtnl_link_set_flags(link, IFF_UP);
	rtnl_link_set_name(peer, "eth0");
	rtnl_link_set_mtu(peer, pair->mtu);
	rtnl_link_set_ns_fd(peer, pair->ns_fd);
	set_pod_hardware_address(peer, pair->address);
	int rc = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	return rc ? fail(err, rc, "make link", pair->name) : 0;
}

/* A pod may reach itself by its Service's address: the bridge sends back through the port it came from. */
static int set_hairpin(const struct network_link_pair *pair, struct err *err)
{
	char path[64 + IFNAMSIZ];
	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/hairpin_mode", pair->name);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) != 1 ? err_set_errno(err, errno, "write %s", path) : 0;
}

static int configure_inside(struct nl_sock *sk, const struct network_link_pair *pair, struct rtnl_link *eth0,
			    struct err *err)
{
	CLEANUP(put_link) struct rtnl_link *lo = NULL;
	int rc = rtnl_link_get_kernel(sk, 1, NULL, &lo);
	if (rc)
		return fail(err, rc, "find", "lo");
	return up(sk, lo, err) || add_address(sk, eth0, pair->address, pair->prefix, err) ||
		       up(sk, eth0, err) || add_default_route(sk, eth0, pair->gateway, err)
		   ? -1
		   : 0;
}

int network_links_attach(const struct network_link_pair *pair, struct err *err)
{
	CLEANUP(free_socket) struct nl_sock *outside = open_socket(err);
	CLEANUP(free_socket) struct nl_sock *inside = outside ? open_socket_in(pair->ns_fd, err) : NULL;
	CLEANUP(put_link) struct rtnl_link *eth0 = NULL;
	int bridge = (int)if_nametoindex(pair->bridge);
	if (!inside)
		return -1;
	if (!bridge)
		return err_set(err, ERR_NOT_FOUND, "bridge %s is gone", pair->bridge);
	if (rtnl_link_get_kernel(inside, 0, "eth0", &eth0)) {
		/* A pair of that name whose other end is elsewhere is left from a namespace before. */
		if (network_links_delete(pair->name, err) || add_pair(outside, pair, bridge, err))
			return -1;
		int rc = rtnl_link_get_kernel(inside, 0, "eth0", &eth0);
		if (rc)
			return fail(err, rc, "find", "eth0");
	}
	return set_hairpin(pair, err) || configure_inside(inside, pair, eth0, err) ? -1 : 0;
}
