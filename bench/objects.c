#include "bench/objects.h"

#include <string.h>

#define RESOURCES "\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"64Mi\"}}"
/* Served with its names, uid and times, a ConfigMap then has 1 KiB. */
enum { CONFIG_MAP_FILLER_BYTES = 765 };

void object_node(struct buf *b, const char *prefix, size_t i)
{
	/* Beyond what the cluster hands out itself; nothing is ever sent there. */
	size_t range = i % 65536;

	buf_printf(b,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s-%zu\",\"labels\":{"
		   "\"kubernetes.io/hostname\":\"%s-%zu\",\"kubernetes.io/os\":\"linux\"}},",
		   prefix, i, prefix, i);
	buf_printf(b, "\"spec\":{\"podCIDR\":\"11.%zu.%zu.0/24\",\"podCIDRs\":[\"11.%zu.%zu.0/24\"]},",
		   range / 256, range % 256, range / 256, range % 256);
	buf_str(b, "\"status\":{\"capacity\":{\"cpu\":\"16\",\"memory\":\"64Gi\",\"pods\":\"110\"},"
		   "\"allocatable\":{\"cpu\":\"16\",\"memory\":\"64Gi\",\"pods\":\"110\"},"
		   "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\","
		   "\"message\":\"fake\"}]}}");
}

void object_pod(struct buf *b, const char *prefix, size_t i, bool real)
{
	buf_printf(b,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s-%zu\",\"labels\":{"
		   "\"app\":\"bench\"}},\"spec\":{",
		   prefix, i);
	if (real)
		buf_str(b, "\"terminationGracePeriodSeconds\":2,\"containers\":[{\"name\":\"c\","
			   "\"image\":\"market-data:v1\",\"imagePullPolicy\":\"IfNotPresent\","
			   "\"readinessProbe\":{\"httpGet\":{\"path\":\"/ping\",\"port\":8080},"
			   "\"periodSeconds\":1}}]}}");
	else
		buf_str(b, "\"containers\":[{\"name\":\"c\",\"image\":\"market-data:v1\"," RESOURCES "}]}}");
}

void object_config_map(struct buf *b, const char *prefix, size_t i, size_t value)
{
	char filler[CONFIG_MAP_FILLER_BYTES + 1];

	memset(filler, 'x', CONFIG_MAP_FILLER_BYTES);
	filler[CONFIG_MAP_FILLER_BYTES] = '\0';
	buf_printf(b,
		   "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s-%zu\","
		   "\"labels\":{\"app\":\"bench\"}},\"data\":{\"tick\":\"%zu\",\"filler\":\"%s\"}}",
		   prefix, i, value, filler);
}

void object_deployment(struct buf *b, const char *name, size_t replicas)
{
	buf_printf(
	    b,
	    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\"},"
	    "\"spec\":{\"replicas\":%zu,\"selector\":{\"matchLabels\":{\"app\":\"bench\",\"of\":\"%s\"}},"
	    "\"template\":{\"metadata\":{\"labels\":{\"app\":\"bench\",\"of\":\"%s\"}},\"spec\":{",
	    name, replicas, name, name);
	buf_str(b, "\"tolerations\":[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\","
		   "\"effect\":\"NoExecute\",\"tolerationSeconds\":0},"
		   "{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\","
		   "\"effect\":\"NoExecute\",\"tolerationSeconds\":0}],"
		   "\"containers\":[{\"name\":\"c\",\"image\":\"market-data:v1\"," RESOURCES "}]}}}}");
}
