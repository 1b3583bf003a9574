/* The three files of /etc that a pod's containers share: hosts, hostname, resolv.conf; under POD_DIR/etc.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

struct hosts_files_opts {
	const char *pod_dir;
	const struct json_object *pod;
	const char *hostname;
	const char *address;          /* the pod's */
	const char *host_hosts;       /* "/etc/hosts" of the node: what hostNetwork pods see */
	const char *host_resolv_conf; /* "/etc/resolv.conf" of the node */
};

/* Writes all three, anew each time. */
int hosts_files_write(const struct hosts_files_opts *opts, struct err *err);
/* Name of POD inside: spec.hostname, else its own name cut at 63 bytes; the node's with hostNetwork. Caller
 * frees. */
char *hosts_files_hostname(const struct json_object *pod, const char *node_name);
