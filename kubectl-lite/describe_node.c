#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/describe_text.h"
#include "kubectl-lite/session.h"
#include "lib/quantity.h"

enum { CPU, MEMORY, STORAGE, N_AMOUNTS };
static const char *const amount_names[] = { "cpu", "memory", "ephemeral-storage" };

struct pods_on_node {
	struct buf rows;
	const struct json_object *allocatable;
	struct quantity sums[2][N_AMOUNTS]; /* requests, limits */
	size_t n;
};

/* What CONTAINER asks for (KIND "requests") or may use ("limits"). */
static struct quantity amount_of(const struct json_object *container, const char *kind, const char *name)
{
	struct quantity q = quantity_of_value(0, QUANTITY_DECIMAL_SI);
	struct json_object *value = json_path(container, "resources", kind, name, NULL);

	if (value)
		quantity_parse(json_object_get_string(value), &q);
	return q;
}

static void add_to(struct quantity *sum, const struct quantity *q)
{
	if (sum->nano == 0)
		sum->format = q->format;
	sum->nano += q->nano;
}

/* Containers together, or the largest init container when that is more. Init containers that go on running
 * (restartPolicy Always) count with the others. */
static struct quantity pod_amount(const struct json_object *pod, const char *kind, const char *name)
{
	const struct json_object *spec = json_get(pod, "spec"), *containers = json_get(spec, "containers"),
				 *init = json_get(spec, "initContainers");
	struct quantity sum = quantity_of_value(0, QUANTITY_DECIMAL_SI), most = sum, sidecars = sum;

	for (size_t i = 0; i < json_len(containers); i++) {
		struct quantity q = amount_of(json_at(containers, i), kind, name);
		add_to(&sum, &q);
	}
	for (size_t i = 0; i < json_len(init); i++) {
		struct quantity q = amount_of(json_at(init, i), kind, name);
		if (strcmp(json_str_or_empty(json_at(init, i), "restartPolicy"), "Always") == 0) {
			add_to(&sum, &q);
			add_to(&sidecars, &q);
			q = sidecars;
		} else {
			add_to(&q, &sidecars);
		}
		if (quantity_cmp(&q, &most) > 0)
			most = q;
	}
	return quantity_cmp(&most, &sum) > 0 ? most : sum;
}

static long long percent(const struct quantity *q, const struct json_object *allocatable, const char *name)
{
	struct json_object *value = json_get(allocatable, name);
	struct quantity all;

	if (!value || !quantity_parse(json_object_get_string(value), &all) || quantity_milli(&all) == 0)
		return 0;
	return (long long)((double)quantity_milli(q) / (double)quantity_milli(&all) * 100);
}

static bool add_pod(struct json_object *pod, void *arg)
{
	static const char *const kinds[] = { "requests", "limits" };
	struct pods_on_node *p = arg;
	char text[QUANTITY_SIZE], age[32];

	buf_printf(&p->rows, "  %s\t%s\t", object_meta(pod, "namespace"), object_meta(pod, "name"));
	for (size_t a = 0; a < N_AMOUNTS; a++)
		for (size_t k = 0; k < 2; k++) {
			struct quantity q = pod_amount(pod, kinds[k], amount_names[a]);
			add_to(&p->sums[k][a], &q);
			if (a != STORAGE)
				buf_printf(&p->rows, "\t%s (%lld%%)", quantity_format(&q, text),
					   percent(&q, p->allocatable, amount_names[a]));
		}
	buf_printf(&p->rows, "\t%s\n",
		   describe_age(json_str(json_get(pod, "metadata"), "creationTimestamp"), age, sizeof(age)));
	p->n++;
	return true;
}

static void write_pods(struct buf *b, const struct object *object)
{
	struct pods_on_node p = { .rows = BUF_INIT,
				  .allocatable = json_path(object->value, "status", "allocatable", NULL) };
	CLEANUP(mem_freep)
	char *selector =
	    mem_printf("spec.nodeName=%s,status.phase!=Failed,status.phase!=Succeeded", object->name);
	CLEANUP(buf_close) struct buf query = BUF_INIT;
	struct err err = ERR_INIT;
	char requests[QUANTITY_SIZE], limits[QUANTITY_SIZE];

	buf_str(&query, "fieldSelector=");
	buf_url_encode(&query, selector);
	if (object_list(resource_find("", "v1", "pods"), NULL, query.data, add_pod, &p, &err) < 0) {
		session_failed(&err);
		buf_close(&p.rows);
		return;
	}
	buf_printf(b,
		   "Non-terminated Pods:\t(%zu in total)\n"
		   "  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n"
		   "  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n%s",
		   p.n, p.rows.len ? p.rows.data : "");
	buf_str(b, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n"
		   "  Resource\tRequests\tLimits\n  --------\t--------\t------\n");
	for (size_t a = 0; a < N_AMOUNTS; a++)
		buf_printf(b, "  %s\t%s (%lld%%)\t%s (%lld%%)\n", amount_names[a],
			   quantity_format(&p.sums[0][a], requests),
			   percent(&p.sums[0][a], p.allocatable, amount_names[a]),
			   quantity_format(&p.sums[1][a], limits),
			   percent(&p.sums[1][a], p.allocatable, amount_names[a]));
	buf_close(&p.rows);
}

static int compare_texts(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void add_role(const char *key, struct json_object *value, void *arg)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	struct buf *roles = arg;

	if (strncmp(key, prefix, sizeof(prefix) - 1) == 0)
		buf_printf(roles, "%s%s", roles->len ? "," : "", key + sizeof(prefix) - 1);
	else if (strcmp(key, "kubernetes.io/role") == 0 && value)
		buf_printf(roles, "%s%s", roles->len ? "," : "", json_object_get_string(value));
}

static void write_taints(struct buf *b, const struct json_object *taints)
{
	size_t n = json_len(taints);
	CLEANUP(mem_freep) char **texts = mem_zalloc((n + 1) * sizeof(*texts));

	buf_printf(b, "Taints:\t%s", n ? "" : "<none>\n");
	for (size_t i = 0; i < n; i++) {
		const struct json_object *t = json_at(taints, i);
		const char *value = json_str_or_empty(t, "value");
		texts[i] = mem_printf("%s%s%s:%s", json_str_or_empty(t, "key"), *value ? "=" : "", value,
				      json_str_or_empty(t, "effect"));
	}
	if (n)
		qsort(texts, n, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s%s\n", i ? "\t" : "", texts[i]);
		free(texts[i]);
	}
}

static void write_lease(struct buf *b, const char *name)
{
	CLEANUP(json_putp) struct json_object *lease = NULL;
	struct err err = ERR_INIT;
	char acquired[64], renewed[64];

	if (object_get(resource_find("coordination.k8s.io", "v1", "leases"), "kube-node-lease", name, &lease,
		       &err) < 0) {
		buf_printf(b, "Lease:\tFailed to get lease: %s\n", err.msg);
		return;
	}
	const struct json_object *spec = json_get(lease, "spec");
	const char *holder = json_str(spec, "holderIdentity");
	buf_printf(b, "Lease:\n  HolderIdentity:\t%s\n  AcquireTime:\t%s\n  RenewTime:\t%s\n",
		   holder ? holder : "<unset>",
		   describe_time(json_str(spec, "acquireTime"), acquired, sizeof(acquired)),
		   describe_time(json_str(spec, "renewTime"), renewed, sizeof(renewed)));
}

static void write_conditions(struct buf *b, const struct json_object *conditions)
{
	char beat[64], change[64];

	if (json_len(conditions))
		buf_str(
		    b, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n"
		       "  ----\t------\t-----------------\t------------------\t------\t-------\n");
	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		buf_printf(b, "  %s \t%s \t%s \t%s \t%s \t%s\n", json_str_or_empty(c, "type"),
			   json_str_or_empty(c, "status"),
			   describe_time(json_str(c, "lastHeartbeatTime"), beat, sizeof(beat)),
			   describe_time(json_str(c, "lastTransitionTime"), change, sizeof(change)),
			   json_str_or_empty(c, "reason"), json_str_or_empty(c, "message"));
	}
}

static void add_amount(const char *key, struct json_object *value, void *arg)
{
	buf_printf(arg, "  %s:\t%s\n", key, value ? json_object_get_string(value) : "");
}

static void write_system(struct buf *b, const struct json_object *obj)
{
	static const struct {
		const char *title, *key;
	} rows[] = {
		{ "Machine ID", "machineID" },
		{ "System UUID", "systemUUID" },
		{ "Boot ID", "bootID" },
		{ "Kernel Version", "kernelVersion" },
		{ "OS Image", "osImage" },
		{ "Operating System", "operatingSystem" },
		{ "Architecture", "architecture" },
		{ "Container Runtime Version", "containerRuntimeVersion" },
		{ "Kubelet Version", "kubeletVersion" },
		{ "Kube-Proxy Version", "kubeProxyVersion" },
	};
	const struct json_object *info = json_path(obj, "status", "nodeInfo", NULL),
				 *spec = json_get(obj, "spec");
	const struct json_object *cidrs = json_get(spec, "podCIDRs");

	buf_str(b, "System Info:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		buf_printf(b, "  %s:\t%s\n", rows[i].title, json_str_or_empty(info, rows[i].key));
	if (json_str(spec, "podCIDR"))
		buf_printf(b, "PodCIDR:\t%s\n", json_str(spec, "podCIDR"));
	for (size_t i = 0; i < json_len(cidrs); i++)
		buf_printf(b, "%s%s%s", i ? "," : "PodCIDRs:\t", json_object_get_string(json_at(cidrs, i)),
			   i + 1 == json_len(cidrs) ? "\n" : "");
	if (json_str(spec, "providerID"))
		buf_printf(b, "ProviderID:\t%s\n", json_str(spec, "providerID"));
}

void describe_node(struct buf *b, const struct object *object)
{
	const struct json_object *obj = object->value, *metadata = json_get(obj, "metadata");
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");
	const struct json_object *addresses = json_get(status, "addresses");
	CLEANUP(buf_close) struct buf roles = BUF_INIT;
	char time[64];

	describe_sorted(json_get(metadata, "labels"), add_role, &roles);
	buf_printf(b, "Name:\t%s\nRoles:\t%s\n", object->name, roles.len ? roles.data : "<none>");
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
	buf_printf(b, "CreationTimestamp:\t%s\n",
		   describe_time(json_str(metadata, "creationTimestamp"), time, sizeof(time)));
	write_taints(b, json_get(spec, "taints"));
	buf_printf(b, "Unschedulable:\t%s\n", json_boolean(spec, "unschedulable", false) ? "true" : "false");
	write_lease(b, object->name);
	write_conditions(b, json_get(status, "conditions"));
	buf_str(b, "Addresses:\n");
	for (size_t i = 0; i < json_len(addresses); i++)
		buf_printf(b, "  %s:\t%s\n", json_str_or_empty(json_at(addresses, i), "type"),
			   json_str_or_empty(json_at(addresses, i), "address"));
	if (json_get(status, "capacity")) {
		buf_str(b, "Capacity:\n");
		describe_sorted(json_get(status, "capacity"), add_amount, b);
	}
	if (json_get(status, "allocatable")) {
		buf_str(b, "Allocatable:\n");
		describe_sorted(json_get(status, "allocatable"), add_amount, b);
	}
	write_system(b, obj);
	write_pods(b, object);
	describe_events(b, object);
}
