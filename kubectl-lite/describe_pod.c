#include <stdio.h>
#include <string.h>

#include "kubectl-lite/describe_template.h"
#include "kubectl-lite/describe_text.h"

static void write_status(struct buf *b, const struct json_object *pod)
{
	const struct json_object *status = json_get(pod, "status");
	const char *deleted = json_str(json_get(pod, "metadata"), "deletionTimestamp");
	char age[32];

	if (deleted)
		buf_printf(b, "Status:\tTerminating (lasts %s)\nTermination Grace Period:\t%llds\n",
			   describe_age(deleted, age, sizeof(age)),
			   (long long)json_int(json_get(pod, "metadata"), "deletionGracePeriodSeconds", 0));
	else
		buf_printf(b, "Status:\t%s\n", json_str_or_empty(status, "phase"));
	if (*json_str_or_empty(status, "reason"))
		buf_printf(b, "Reason:\t%s\n", json_str(status, "reason"));
	if (*json_str_or_empty(status, "message"))
		buf_printf(b, "Message:\t%s\n", json_str(status, "message"));
}

static void write_addresses(struct buf *b, const struct json_object *pod)
{
	const struct json_object *ips = json_path(pod, "status", "podIPs", NULL);
	char owner[400];

	buf_printf(b, "IP:\t%s\n", json_str_or_empty(json_get(pod, "status"), "podIP"));
	buf_printf(b, "IPs:%s", json_len(ips) ? "\n" : "\t<none>\n");
	for (size_t i = 0; i < json_len(ips); i++)
		buf_printf(b, "  IP:\t%s\n", json_str_or_empty(json_at(ips, i), "ip"));
	if (describe_controller(pod, owner, sizeof(owner)))
		buf_printf(b, "Controlled By:\t%s\n", owner);
	if (*json_str_or_empty(json_get(pod, "status"), "nominatedNodeName"))
		buf_printf(b, "NominatedNodeName:\t%s\n",
			   json_str(json_get(pod, "status"), "nominatedNodeName"));
}

static void write_conditions(struct buf *b, const struct json_object *conditions)
{
	if (json_len(conditions))
		buf_str(b, "Conditions:\n  Type\tStatus\n");
	for (size_t i = 0; i < json_len(conditions); i++)
		buf_printf(b, "  %s \t%s \n", json_str_or_empty(json_at(conditions, i), "type"),
			   json_str_or_empty(json_at(conditions, i), "status"));
}

static void write_placement(struct buf *b, const struct json_object *pod)
{
	const struct json_object *spec = json_get(pod, "spec"), *status = json_get(pod, "status");
	const char *node = json_str_or_empty(spec, "nodeName"), *started = json_str(status, "startTime");
	const char *class = json_str_or_empty(spec, "priorityClassName"),
		   *runtime = json_str_or_empty(spec, "runtimeClassName");
	char time[64];

	if (json_get(spec, "priority"))
		buf_printf(b, "Priority:\t%lld\n", (long long)json_int(spec, "priority", 0));
	if (*class)
		buf_printf(b, "Priority Class Name:\t%s\n", class);
	if (*runtime)
		buf_printf(b, "Runtime Class Name:\t%s\n", runtime);
	buf_printf(b, "Service Account:\t%s\n", json_str_or_empty(spec, "serviceAccountName"));
	buf_printf(b, "Node:\t%s%s%s\n", *node ? node : "<none>", *node ? "/" : "",
		   *node ? json_str_or_empty(status, "hostIP") : "");
	if (started)
		buf_printf(b, "Start Time:\t%s\n", describe_time(started, time, sizeof(time)));
}

void describe_pod(struct buf *b, const struct object *object)
{
	const struct json_object *pod = object->value;
	const struct json_object *metadata = json_get(pod, "metadata"), *spec = json_get(pod, "spec"),
				 *status = json_get(pod, "status");

	buf_printf(b, "Name:\t%s\nNamespace:\t%s\n", object_meta(pod, "name"), object_meta(pod, "namespace"));
	write_placement(b, pod);
	describe_labels(b, "Labels", json_get(metadata, "labels"));
	describe_annotations(b, "Annotations", json_get(metadata, "annotations"));
	write_status(b, pod);
	write_addresses(b, pod);
	if (json_len(json_get(spec, "initContainers")))
		describe_containers(b, "Init Containers", json_get(spec, "initContainers"),
				    json_get(status, "initContainerStatuses"), pod, "");
	describe_containers(b, "Containers", json_get(spec, "containers"),
			    json_get(status, "containerStatuses"), pod, "");
	if (json_len(json_get(spec, "ephemeralContainers")))
		describe_containers(b, "Ephemeral Containers", json_get(spec, "ephemeralContainers"),
				    json_get(status, "ephemeralContainerStatuses"), pod, "");
	write_conditions(b, json_get(status, "conditions"));
	describe_volumes(b, json_get(spec, "volumes"), "");
	if (*json_str_or_empty(status, "qosClass"))
		buf_printf(b, "QoS Class:\t%s\n", json_str(status, "qosClass"));
	describe_labels(b, "Node-Selectors", json_get(spec, "nodeSelector"));
	describe_tolerations(b, "Tolerations", json_get(spec, "tolerations"));
	describe_events(b, object);
}
