/* What this machine is: capacity, addresses, versions; the parts of a Node's status that do not depend on
 * pods.
 */
#pragma once

#include <stdint.h>

#include "lib/json.h"

struct node_info_opts {
	const char *node_name, *node_ip, *data_dir;
	const char *runtime_version; /* "runc://1.1.5" */
	int64_t max_pods;
	uint16_t port;                      /* of the kubelet-style API */
	const struct json_object *images;   /* image_store_list's, or NULL */
	const struct json_object *previous; /* status sent last: transition times; or NULL */
	bool ready;
	const char *not_ready_message; /* when it is not */
	int64_t now_us;
};

/* The whole NodeStatus. Caller puts it. */
struct json_object *node_info_status(const struct node_info_opts *opts);
/* Allocatable cpu and memory. */
int64_t node_info_millicpu(void);
int64_t node_info_memory_bytes(void);
/* "amd64", "arm64": as Go names this architecture. */
const char *node_info_architecture(void);
