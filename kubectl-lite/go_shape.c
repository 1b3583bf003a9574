#include "kubectl-lite/go_shape.h"

#include <stdlib.h>
#include <string.h>

#include "lib/quantity.h"

/* Structs are in the order of their fields' numbers in protobuf, for both grew together; but for these, which
 * stand right behind another field (NULL: first). STEP orders those behind the same one. */
static const struct {
	const char *def, *field, *after;
	unsigned step;
} moved[] = {
	{ "apps.v1.DeploymentCondition", "lastUpdateTime", "status", 1 },
	{ "apps.v1.DeploymentCondition", "lastTransitionTime", "status", 2 },
	{ "authentication.v1.TokenRequestSpec", "expirationSeconds", "audiences", 1 },
	{ "batch.v1.CronJobSpec", "timeZone", "schedule", 1 },
	{ "batch.v1.JobSpec", "podFailurePolicy", "activeDeadlineSeconds", 1 },
	{ "batch.v1.JobSpec", "successPolicy", "activeDeadlineSeconds", 2 },
	{ "batch.v1.JobSpec", "backoffLimit", "activeDeadlineSeconds", 3 },
	{ "core.v1.ConfigMap", "immutable", "metadata", 1 },
	{ "core.v1.Container", "envFrom", "ports", 1 },
	{ "core.v1.Container", "resizePolicy", "resources", 1 },
	{ "core.v1.Container", "restartPolicy", "resources", 2 },
	{ "core.v1.Container", "volumeDevices", "volumeMounts", 1 },
	{ "core.v1.Container", "startupProbe", "readinessProbe", 1 },
	{ "core.v1.Container", "terminationMessagePolicy", "terminationMessagePath", 1 },
	{ "core.v1.PodSpec", "initContainers", "volumes", 1 },
	{ "core.v1.PodSpec", "ephemeralContainers", "containers", 1 },
	{ "core.v1.PodSpec", "automountServiceAccountToken", "serviceAccount", 1 },
	{ "core.v1.PodSpec", "shareProcessNamespace", "hostIPC", 1 },
	{ "core.v1.Secret", "immutable", "metadata", 1 },
	{ "core.v1.Secret", "stringData", "data", 1 },
	{ "core.v1.SecurityContext", "windowsOptions", "seLinuxOptions", 1 },
	{ "core.v1.SecurityContext", "runAsGroup", "runAsUser", 1 },
	{ "core.v1.ServicePort", "appProtocol", "protocol", 1 },
	{ "core.v1.ServiceSpec", "clusterIPs", "clusterIP", 1 },
	{ "core.v1.ServiceSpec", "ipFamilies", "sessionAffinityConfig", 1 },
	{ "meta.v1.OwnerReference", "apiVersion", NULL, 0 },
	{ "networking.v1.HTTPIngressPath", "pathType", "path", 1 },
	{ "networking.v1.IngressBackend", "service", NULL, 0 },
	{ "networking.v1.IngressSpec", "ingressClassName", NULL, 0 },
};

/* Structs that are no pointers show even when they are empty. */
static const struct {
	const char *def, *field, *value;
} always[] = {
	{ "apps.v1.DaemonSet", "status",
	  "{\"currentNumberScheduled\":0,\"numberMisscheduled\":0,\"desiredNumberScheduled\":0,"
	  "\"numberReady\":0}" },
	{ "apps.v1.DaemonSetSpec", "updateStrategy", "{}" },
	{ "apps.v1.Deployment", "status", "{}" },
	{ "apps.v1.DeploymentSpec", "strategy", "{}" },
	{ "apps.v1.ReplicaSet", "status", "{\"replicas\":0}" },
	{ "apps.v1.StatefulSet", "status", "{\"replicas\":0,\"availableReplicas\":0}" },
	{ "apps.v1.StatefulSetSpec", "updateStrategy", "{}" },
	{ "autoscaling.v1.HorizontalPodAutoscaler", "status",
	  "{\"currentReplicas\":0,\"desiredReplicas\":0}" },
	{ "batch.v1.CronJob", "status", "{}" },
	{ "batch.v1.Job", "status", "{}" },
	{ "core.v1.Container", "resources", "{}" },
	{ "core.v1.Namespace", "spec", "{}" },
	{ "core.v1.Namespace", "status", "{}" },
	{ "core.v1.Pod", "status", "{}" },
	{ "core.v1.ReplicationController", "status", "{\"replicas\":0}" },
	{ "core.v1.ResourceQuota", "status", "{}" },
	{ "core.v1.ServicePort", "targetPort", "0" },
	{ "core.v1.Service", "status", "{\"loadBalancer\":{}}" },
	{ "meta.v1.ObjectMeta", "creationTimestamp", "null" },
	{ "networking.v1.Ingress", "status", "{\"loadBalancer\":{}}" },
	{ "policy.v1.PodDisruptionBudget", "status",
	  "{\"disruptionsAllowed\":0,\"currentHealthy\":0,\"desiredHealthy\":0,\"expectedPods\":0}" },
};

enum { STEPS = 8, LAST = 1 << 16, MAX_ADDED = 2 };

static unsigned number_of(const struct schema_field *field)
{
	return STEPS * (1u + (field->wire_outer ? field->wire_outer : field->wire));
}

static unsigned position(const struct schema_def *def, const char *name)
{
	const struct schema_field *field = schema_field_find(def, name, strlen(name));

	if (!field)
		return LAST;
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		if (strcmp(moved[i].def, def->name) != 0 || strcmp(moved[i].field, name) != 0)
			continue;
		const char *after = moved[i].after;
		return after ? number_of(schema_field_find(def, after, strlen(after))) + moved[i].step : 0;
	}
	/* What an object is stands first, and has no number. */
	if (!field->wire)
		return strcmp(name, "kind") == 0 ? 0 : 1;
	return number_of(field);
}

struct member {
	const char *key;
	struct json_object *value; /* of the old object, or made anew */
	unsigned position;
};

static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return strcmp(x->key, y->key);
}

static struct json_object *shape_value(struct json_object *value, const struct schema_field *field);

/* The members of OBJ in order. DEF NULL: those of a map, whose values are of FIELD. */
static struct json_object *shape_object(struct json_object *obj, const struct schema_def *def,
					const struct schema_field *field)
{
	CLEANUP(mem_freep)
	struct member *members =
	    mem_zalloc(((size_t)json_object_object_length(obj) + MAX_ADDED) * sizeof(*members));
	struct json_object *shaped = json_object_new_object();
	size_t n = 0;

	json_object_object_foreach(obj, key, value)
	{
		const struct schema_field *f = def ? schema_field_find(def, key, strlen(key)) : field;
		members[n++] = (struct member){ key, f ? shape_value(value, f) : json_object_get(value),
						def ? position(def, key) : 0 };
	}
	for (size_t i = 0; def && i < ARRAY_SIZE(always); i++) {
		const char *field_name = always[i].field;
		if (strcmp(always[i].def, def->name) != 0 || json_object_object_get_ex(obj, field_name, NULL))
			continue;
		struct json_object *empty = NULL;
		json_parse(always[i].value, strlen(always[i].value), &empty, NULL, NULL);
		members[n++] = (struct member){ field_name, empty, position(def, field_name) };
	}
	qsort(members, n, sizeof(*members), compare);
	for (size_t i = 0; i < n; i++)
		json_object_object_add(shaped, members[i].key, members[i].value);
	return shaped;
}

/* Quantities are strings, in their shortest form. */
static struct json_object *shape_quantity(struct json_object *value)
{
	char text[QUANTITY_SIZE];
	struct quantity quantity;

	if (!value || !quantity_parse(json_object_get_string(value), &quantity))
		return json_object_get(value);
	return json_object_new_string(quantity_format(&quantity, text));
}

static struct json_object *shape_element(struct json_object *value, const struct schema_field *field)
{
	if (field->type == SCHEMA_QUANTITY)
		return shape_quantity(value);
	if (json_object_is_type(value, json_type_object) && field->def)
		return shape_object(value, field->def, NULL);
	return json_object_get(value);
}

/* A new reference: VALUE itself, or its likeness in order. */
static struct json_object *shape_value(struct json_object *value, const struct schema_field *field)
{
	struct schema_field element = *field;

	element.container = SCHEMA_SINGLE;
	if (field->container == SCHEMA_MAP && json_object_is_type(value, json_type_object))
		return shape_object(value, NULL, &element);
	if (field->container == SCHEMA_SINGLE)
		return shape_element(value, field);
	if (!json_object_is_type(value, json_type_array))
		return json_object_get(value);
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < json_len(value); i++)
		json_object_array_add(array, shape_element(json_at(value, i), field));
	return array;
}

struct json_object *go_shape(struct json_object *obj_taken, const struct schema_def *def)
{
	if (!def || !json_object_is_type(obj_taken, json_type_object))
		return obj_taken;
	struct json_object *shaped = shape_object(obj_taken, def, NULL);
	json_object_put(obj_taken);
	return shaped;
}
