#include "nodeagent/masquerade.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"

#define MAX_BATCH_BYTES 8192

/* A transaction being written: messages one after the other. */
struct batch {
	struct buf b;
	size_t message; /* where the open message begins */
	uint32_t sequence;
};

static void pad(struct buf *b)
{
	static const char zeros[4];
	buf_add(b, zeros, (4 - b->len % 4) % 4);
}

static void begin(struct batch *batch, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	batch->message = batch->b.len;
	const struct nlmsghdr header = { .nlmsg_type = type,
					 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
					 .nlmsg_seq = batch->sequence++ };
	const struct nfgenmsg nf = { .nfgen_family = family,
				     .version = NFNETLINK_V0,
				     .res_id = htons(resource) };
	buf_add(&batch->b, &header, sizeof(header));
	buf_add(&batch->b, &nf, sizeof(nf));
}

static void end(struct batch *batch)
{
	uint32_t len = (uint32_t)(batch->b.len - batch->message);
	memcpy(batch->b.data + batch->message + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

static void add(struct batch *batch, uint16_t type, const void *data, size_t len)
{
	const struct nlattr header = { .nla_len = (uint16_t)(sizeof(header) + len), .nla_type = type };
	buf_add(&batch->b, &header, sizeof(header));
	buf_add(&batch->b, data, len);
	pad(&batch->b);
}

static void add_string(struct batch *batch, uint16_t type, const char *s)
{
	add(batch, type, s, strlen(s) + 1);
}

static void add_number(struct batch *batch, uint16_t type, uint32_t value)
{
	value = htonl(value);
	add(batch, type, &value, sizeof(value));
}

/* Opens an attribute that holds others; gives back where, for close_nest. */
static size_t open_nest(struct batch *batch, uint16_t type)
{
	size_t at = batch->b.len;
	add(batch, type | NLA_F_NESTED, NULL, 0);
	return at;
}

static void close_nest(struct batch *batch, size_t at)
{
	uint16_t len = (uint16_t)(batch->b.len - at);
	memcpy(batch->b.data + at + offsetof(struct nlattr, nla_len), &len, sizeof(len));
}

static void add_value(struct batch *batch, uint16_t type, const void *data, size_t len)
{
	size_t nest = open_nest(batch, type);
	add(batch, NFTA_DATA_VALUE, data, len);
	close_nest(batch, nest);
}

/* An expression of a rule: element, name, data. */
struct expression {
	size_t element, data;
};

static struct expression open_expression(struct batch *batch, const char *name)
{
	struct expression e = { .element = open_nest(batch, NFTA_LIST_ELEM) };
	add_string(batch, NFTA_EXPR_NAME, name);
	e.data = open_nest(batch, NFTA_EXPR_DATA);
	return e;
}

static void close_expression(struct batch *batch, struct expression e)
{
	close_nest(batch, e.data);
	close_nest(batch, e.element);
}

static void add_compare(struct batch *batch, uint32_t op, const void *data, size_t len)
{
	struct expression e = open_expression(batch, "cmp");
	add_number(batch, NFTA_CMP_SREG, NFT_REG_1);
	add_number(batch, NFTA_CMP_OP, op);
	add_value(batch, NFTA_CMP_DATA, data, len);
	close_expression(batch, e);
}

/* The address at OFFSET of the IP header, masked, against NET. */
static void match_address(struct batch *batch, uint32_t offset, struct in_addr net, struct in_addr mask,
			  uint32_t op)
{
	const struct in_addr zero = { 0 };
	struct expression e = open_expression(batch, "payload");
	add_number(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
	add_number(batch, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	add_number(batch, NFTA_PAYLOAD_OFFSET, offset);
	add_number(batch, NFTA_PAYLOAD_LEN, sizeof(net));
	close_expression(batch, e);
	e = open_expression(batch, "bitwise");
	add_number(batch, NFTA_BITWISE_SREG, NFT_REG_1);
	add_number(batch, NFTA_BITWISE_DREG, NFT_REG_1);
	add_number(batch, NFTA_BITWISE_LEN, sizeof(net));
	add_value(batch, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	add_value(batch, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	close_expression(batch, e);
	add_compare(batch, op, &net, sizeof(net));
}

static void match_other_interface(struct batch *batch, const char *name)
{
	char padded[IFNAMSIZ] = "";
	struct expression e = open_expression(batch, "meta");
	add_number(batch, NFTA_META_DREG, NFT_REG_1);
	add_number(batch, NFTA_META_KEY, NFT_META_OIFNAME);
	close_expression(batch, e);
	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	add_compare(batch, NFT_CMP_NEQ, padded, sizeof(padded));
}

static void add_table_message(struct batch *batch, uint16_t type, uint16_t flags, const char *name)
{
	begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_IPV4, 0);
	add_string(batch, NFTA_TABLE_NAME, name);
	end(batch);
}

static void add_chain(struct batch *batch, const char *table)
{
	begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_IPV4, 0);
	add_string(batch, NFTA_CHAIN_TABLE, table);
	add_string(batch, NFTA_CHAIN_NAME, "postrouting");
	size_t hook = open_nest(batch, NFTA_CHAIN_HOOK);
	add_number(batch, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	add_number(batch, NFTA_HOOK_PRIORITY, 100);
	close_nest(batch, hook);
	add_string(batch, NFTA_CHAIN_TYPE, "nat");
	end(batch);
}

static void add_rule(struct batch *batch, const struct masquerade *opts)
{
	begin(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
	      NFPROTO_IPV4, 0);
	add_string(batch, NFTA_RULE_TABLE, opts->bridge);
	add_string(batch, NFTA_RULE_CHAIN, "postrouting");
	size_t list = open_nest(batch, NFTA_RULE_EXPRESSIONS);
	match_address(batch, 12, opts->pods, opts->pods_mask, NFT_CMP_EQ);
	match_address(batch, 16, opts->cluster, opts->cluster_mask, NFT_CMP_NEQ);
	match_other_interface(batch, opts->bridge);
	close_expression(batch, open_expression(batch, "masq"));
	close_nest(batch, list);
	end(batch);
}

/* The kernel's answer: the first error, or the acknowledgement of the last message. */
static int receive(int fd, struct err *err)
{
	char answer[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	for (;;) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, errno, "receive from nftables");
		unsigned left = (unsigned)n;
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			const struct nlmsgerr *e = NLMSG_DATA(h);
			return e->error ? err_set_errno(err, -e->error, "nftables") : 0;
		}
	}
}

static int commit(struct batch *batch, struct err *err)
{
	if (batch->b.failed)
		return err_set(err, ERR_LIMIT, "nftables transaction too large");
	CLEANUP(mem_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval timeout = { .tv_sec = 5 };
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    sendto(fd, batch->b.data, batch->b.len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_set_errno(err, errno, "send to nftables");
	return receive(fd, err);
}

static struct batch open_batch(void)
{
	struct batch batch = { .b = BUF_INIT_MAX(MAX_BATCH_BYTES) };
	begin(&batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end(&batch);
	return batch;
}

static void close_batch(struct batch *batch)
{
	begin(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end(batch);
}

int masquerade_set(const struct masquerade *opts, struct err *err)
{
	struct batch batch = open_batch();
	/* Made, removed, made again: whatever table there was, the transaction ends with exactly ours. */
	add_table_message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, opts->bridge);
	add_table_message(&batch, NFT_MSG_DELTABLE, 0, opts->bridge);
	add_table_message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, opts->bridge);
	add_chain(&batch, opts->bridge);
	add_rule(&batch, opts);
	close_batch(&batch);
	int rc = commit(&batch, err);
	buf_close(&batch.b);
	return rc;
}

int masquerade_remove(const char *bridge, struct err *err)
{
	struct batch batch = open_batch();
	add_table_message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, bridge);
	add_table_message(&batch, NFT_MSG_DELTABLE, NLM_F_ACK, bridge);
	close_batch(&batch);
	int rc = commit(&batch, err);
	buf_close(&batch.b);
	return rc;
}
