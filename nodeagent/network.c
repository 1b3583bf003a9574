#include "nodeagent/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/map.h"
#include "nodeagent/masquerade.h"
#include "nodeagent/network_links.h"
#include "nodeagent/tree.h"

#define MIN_PREFIX   16 /* 65,534 addresses are more pods than a node runs */
#define MAX_PREFIX   30
#define POD_UID_SIZE 64

struct lease {
	char pod_uid[POD_UID_SIZE];
	uint32_t host; /* number within the range */
};

struct network {
	char *state_dir;
	char bridge[IFNAMSIZ];
	uint32_t base; /* host byte order */
	unsigned prefix, mtu;
	char gateway[INET_ADDRSTRLEN], node_address[INET_ADDRSTRLEN];
	struct map leases;   /* pod UID -> struct lease */
	uint32_t n_hosts;    /* size of the range */
	uint32_t next;       /* where the search begins: a freed address rests as long as possible */
	unsigned char *used; /* a bit per host */
};

/* --- what the machine has --- */

/* Name of the default route's device; false when there is none. */
static bool default_device(char *ret_name)
{
	CLEANUP(mem_fclosep) FILE *f = fopen("/proc/net/route", "re");
	char line[256], name[IFNAMSIZ];
	unsigned destination, mask;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &destination, &mask) == 3 &&
		    !destination && !mask) {
			strcpy(ret_name, name);
			return true;
		}
	}
	return false;
}

static unsigned device_mtu(const char *name)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	CLEANUP(mem_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || ioctl(fd, SIOCGIFMTU, &request) ? 1500 : (unsigned)request.ifr_mtu;
}

/* The IPv4 address of DEVICE, or, with DEVICE NULL, of the first one that is not ours or the loopback's. */
static void node_address(const char *device, const char *bridge, char *ret)
{
	struct ifaddrs *list = NULL;
	strcpy(ret, "127.0.0.1");
	if (getifaddrs(&list))
		return;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP))
			continue;
		bool wanted = device ? !strcmp(i->ifa_name, device)
				     : !(i->ifa_flags & IFF_LOOPBACK) && strcmp(i->ifa_name, bridge) != 0;
		if (!wanted)
			continue;
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, ret,
			  INET_ADDRSTRLEN);
		break;
	}
	freeifaddrs(list);
}

static int enable_forwarding(struct err *err)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	CLEANUP(mem_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char now = 0;
	if (fd < 0 || read(fd, &now, 1) != 1 || (now != '1' && pwrite(fd, "1", 1, 0) != 1))
		return err_set_errno(err, errno, "write %s", path);
	return 0;
}

/* --- addresses --- */

static int parse_cidr(const char *s, uint32_t *ret_base, unsigned *ret_prefix, struct err *err)
{
	char text[INET_ADDRSTRLEN];
	const char *slash = strchr(s, '/');
	struct in_addr address;
	char *end = NULL;
	unsigned long prefix = slash ? strtoul(slash + 1, &end, 10) : 33;
	if (!slash || slash == s || (size_t)(slash - s) >= sizeof(text) || !end || *end || end == slash + 1 ||
	    prefix > 32)
		return err_set(err, ERR_INVALID, "\"%s\" is no IPv4 range like 10.244.0.0/24", s);
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (inet_pton(AF_INET, text, &address) != 1)
		return err_set(err, ERR_INVALID, "\"%s\" is no IPv4 range like 10.244.0.0/24", s);
	uint32_t mask = prefix ? ~UINT32_C(0) << (32 - prefix) : 0;
	*ret_base = ntohl(address.s_addr) & mask;
	*ret_prefix = (unsigned)prefix;
	return 0;
}

static struct in_addr host_address(const struct network *n, uint32_t host)
{
	return (struct in_addr){ .s_addr = htonl(n->base + host) };
}

static void mark(struct network *n, uint32_t host, bool used)
{
	if (used)
		n->used[host / 8] |= (unsigned char)(1u << host % 8);
	else
		n->used[host / 8] &= (unsigned char)~(1u << host % 8);
}

static bool is_used(const struct network *n, uint32_t host)
{
	return n->used[host / 8] >> host % 8 & 1;
}

static char *lease_path(const struct network *n, uint32_t host)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address = host_address(n, host);
	inet_ntop(AF_INET, &address, text, sizeof(text));
	return mem_printf("%s/%s", n->state_dir, text);
}

static void remember(struct network *n, const char *pod_uid, uint32_t host)
{
	struct lease *lease = mem_zalloc(sizeof(*lease));
	strcpy(lease->pod_uid, pod_uid);
	lease->host = host;
	free(map_put(&n->leases, lease->pod_uid, lease));
	mark(n, host, true);
}

/* A lease is a symlink from the address to the pod's UID: made in one step, whole or not at all. */
static int load_leases(struct network *n, struct err *err)
{
	DIR *d = opendir(n->state_dir);
	if (!d)
		return err_set_errno(err, errno, "open %s", n->state_dir);
	for (struct dirent *entry; (entry = readdir(d));) {
		struct in_addr address;
		char uid[POD_UID_SIZE];
		if (inet_pton(AF_INET, entry->d_name, &address) != 1)
			continue;
		uint32_t host = ntohl(address.s_addr) - n->base;
		ssize_t len = readlinkat(dirfd(d), entry->d_name, uid, sizeof(uid) - 1);
		if (len <= 0 || host >= n->n_hosts)
			continue;
		uid[len] = '\0';
		remember(n, uid, host);
	}
	closedir(d);
	return 0;
}

int network_address_get(struct network *n, const char *pod_uid, char *buf, struct err *err)
{
	const struct lease *lease = map_get(&n->leases, pod_uid);
	if (strlen(pod_uid) >= POD_UID_SIZE)
		return err_set(err, ERR_INVALID, "pod UID \"%.80s\" is too long", pod_uid);
	for (uint32_t tried = 0; !lease && tried < n->n_hosts; tried++) {
		uint32_t host = n->next;
		n->next = host + 1 < n->n_hosts ? host + 1 : 0;
		if (is_used(n, host))
			continue;
		CLEANUP(mem_freep) char *path = lease_path(n, host);
		if (symlink(pod_uid, path))
			return err_set_errno(err, errno, "reserve address %s", path);
		remember(n, pod_uid, host);
		lease = map_get(&n->leases, pod_uid);
	}
	if (!lease)
		return err_set(err, ERR_LIMIT, "no free address in the node's range of %u", n->n_hosts - 3);
	struct in_addr address = host_address(n, lease->host);
	inet_ntop(AF_INET, &address, buf, INET_ADDRSTRLEN);
	return 0;
}

int network_address_put(struct network *n, const char *pod_uid, struct err *err)
{
	struct lease *lease = map_get(&n->leases, pod_uid);
	if (!lease)
		return 0;
	CLEANUP(mem_freep) char *path = lease_path(n, lease->host);
	if (unlink(path) && errno != ENOENT)
		return err_set_errno(err, errno, "free address %s", path);
	map_remove(&n->leases, pod_uid);
	mark(n, lease->host, false);
	free(lease);
	return 0;
}

/* --- the network as a whole --- */

static int set_masquerade(const struct network *n, const char *cluster_cidr, struct err *err)
{
	uint32_t base;
	unsigned prefix;
	if (parse_cidr(cluster_cidr, &base, &prefix, err))
		return -1;
	const struct masquerade opts = {
		.bridge = n->bridge,
		.pods = { htonl(n->base) },
		.pods_mask = { htonl(~UINT32_C(0) << (32 - n->prefix)) },
		.cluster = { htonl(base) },
		.cluster_mask = { htonl(prefix ? ~UINT32_C(0) << (32 - prefix) : 0) },
	};
	struct err e = ERR_INIT;
	/* A kernel without NAT costs the pods the way out of the node, not each other. */
	if (masquerade_set(&opts, &e))
		log_warn("pods cannot reach beyond this machine", "err", e.msg, NULL);
	return 0;
}

static int open_range(struct network *n, const struct network_opts *opts, struct err *err)
{
	if (parse_cidr(opts->pod_cidr, &n->base, &n->prefix, err))
		return -1;
	if (n->prefix < MIN_PREFIX || n->prefix > MAX_PREFIX)
		return err_set(err, ERR_INVALID, "pod range %s is not between /%d and /%d", opts->pod_cidr,
			       MIN_PREFIX, MAX_PREFIX);
	if (!*opts->bridge || strlen(opts->bridge) >= sizeof(n->bridge))
		return err_set(err, ERR_INVALID, "bridge name \"%s\" is not of 1 to 15 bytes", opts->bridge);
	strcpy(n->bridge, opts->bridge);
	n->state_dir = mem_dup(opts->state_dir);
	n->n_hosts = UINT32_C(1) << (32 - n->prefix);
	n->used = mem_zalloc(n->n_hosts / 8 + 1);
	n->next = 2;
	mark(n, 0, true);              /* the network's */
	mark(n, 1, true);              /* the bridge's */
	mark(n, n->n_hosts - 1, true); /* broadcast */
	struct in_addr gateway = host_address(n, 1);
	inet_ntop(AF_INET, &gateway, n->gateway, sizeof(n->gateway));
	return tree_make(n->state_dir, 0755, err) || load_leases(n, err) ? -1 : 0;
}

struct network *network_open(const struct network_opts *opts, struct err *err)
{
	struct network *n = mem_zalloc(sizeof(*n));
	char device[IFNAMSIZ] = "";
	bool found = default_device(device);
	n->mtu = opts->mtu ? opts->mtu : found ? device_mtu(device) : 1500;
	node_address(found ? device : NULL, opts->bridge, n->node_address);
	if (opts->node_address)
		snprintf(n->node_address, sizeof(n->node_address), "%s", opts->node_address);
	if (!open_range(n, opts, err) &&
	    !network_links_bridge(n->bridge, host_address(n, 1), n->prefix, n->mtu, err) &&
	    !enable_forwarding(err) &&
	    !set_masquerade(n, opts->cluster_cidr ? opts->cluster_cidr : opts->pod_cidr, err))
		return n;
	err_wrap(err, "pod network");
	network_close(n);
	return NULL;
}

void network_close(struct network *n)
{
	if (!n)
		return;
	const char *uid;
	void *lease;
	for (size_t i = 0; map_next(&n->leases, &i, &uid, &lease);)
		free(lease);
	map_close(&n->leases);
	free(n->used);
	free(n->state_dir);
	free(n);
}

int network_purge(const char *bridge, struct err *err)
{
	struct err e = ERR_INIT;
	if (masquerade_remove(bridge, &e) && e.errnum != EOPNOTSUPP)
		log_warn("nftables table left behind", "table", bridge, "err", e.msg, NULL);
	return network_links_delete_bridge(bridge, err);
}

/* The node's end of a pod's pair: 15 bytes do not hold a UID, 44 bits of its hash do not collide on a node.
 */
static void link_name(const struct network *n, const char *pod_uid, char *ret)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a over bridge and UID: names of two clusters differ */
	for (const char *p = n->bridge; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211U;
	for (const char *p = pod_uid; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211U;
	hash ^= hash >> 32;
	snprintf(ret, IFNAMSIZ, "veth%011llx", (unsigned long long)(hash & 0xfffffffffffULL));
}

int network_attach(struct network *n, const char *ns_path, const char *pod_uid, const char *address,
		   struct err *err)
{
	char name[IFNAMSIZ];
	link_name(n, pod_uid, name);
	CLEANUP(mem_closep) int ns_fd = open(ns_path, O_RDONLY | O_CLOEXEC);
	if (ns_fd < 0)
		return err_set_errno(err, errno, "open %s", ns_path);
	struct network_link_pair pair = { .bridge = n->bridge,
					  .name = name,
					  .ns_fd = ns_fd,
					  .gateway = host_address(n, 1),
					  .prefix = n->prefix,
					  .mtu = n->mtu };
	if (inet_pton(AF_INET, address, &pair.address) != 1)
		return err_set(err, ERR_INVALID, "\"%s\" is no IPv4 address", address);
	return network_links_attach(&pair, err);
}

int network_detach(struct network *n, const char *pod_uid, struct err *err)
{
	char name[IFNAMSIZ];
	link_name(n, pod_uid, name);
	return network_links_delete(name, err);
}

const char *network_gateway(const struct network *n)
{
	return n->gateway;
}

const char *network_node_address(const struct network *n)
{
	return n->node_address;
}
