#include "nodeagent/capability.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"

static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

#define BIT(number) (UINT64_C(1) << (number))

const char *capability_name(unsigned number)
{
	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int capability_number(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcasecmp(names[i] + 4, name))
			return (int)i;
	}
	return -1;
}

uint64_t capability_machine(void)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (buf_read_file(&b, "/proc/self/status", 1 << 16, NULL) || !b.data)
		return 0;
	const char *line = strstr(b.data, "\nCapEff:");
	uint64_t known = BIT(ARRAY_SIZE(names)) - 1;
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) & known : 0;
}

uint64_t capability_default(void)
{
	return BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) | BIT(CAP_MKNOD) |
	       BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) |
	       BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
}

/* The bits of LIST; *ret_all says whether ALL is among them. */
static int parse_list(const struct json_object *list, uint64_t *ret, bool *ret_all, struct err *err)
{
	*ret = 0;
	*ret_all = false;
	for (size_t i = 0; i < json_len(list); i++) {
		const char *name = json_object_get_string(json_at(list, i));
		int number = name ? capability_number(name) : -1;
		if (name && !strcasecmp(name, "ALL"))
			*ret_all = true;
		else if (number < 0)
			return err_set(err, ERR_INVALID, "unknown capability \"%s\"", name ? name : "");
		else
			*ret |= BIT(number);
	}
	return 0;
}

int capability_apply(const struct json_object *capabilities, uint64_t machine, uint64_t *set, struct err *err)
{
	uint64_t add, drop;
	bool add_all, drop_all;
	if (parse_list(json_get(capabilities, "add"), &add, &add_all, err) ||
	    parse_list(json_get(capabilities, "drop"), &drop, &drop_all, err))
		return -1;
	/* ALL first, then what is named, so that "drop ALL, add X" leaves X and "add ALL, drop X" all but X.
	 */
	if (add_all)
		*set = machine;
	if (drop_all)
		*set = 0;
	*set = (*set | add) & ~drop;
	return 0;
}
