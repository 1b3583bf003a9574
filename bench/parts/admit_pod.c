#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/decode.h"
#include "api/validate.h"
#include "bench/parts/parts.h"

#define ROUNDS 20000

/* A pod as people write them: one container with everything that one usually has. */
static const char pod[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-0\",\"namespace\":\"default\","
    "\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"pod-template-hash\":\"5d59d67564\"},"
    "\"annotations\":{\"prometheus.io/scrape\":\"true\",\"prometheus.io/port\":\"8000\"}},"
    "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"registry.example.com/store/web:1.27.3\","
    "\"args\":[\"--listen=:8000\",\"--verbose\"],"
    "\"ports\":[{\"name\":\"http\",\"containerPort\":8000,\"protocol\":\"TCP\"},{\"containerPort\":9000}],"
    "\"env\":[{\"name\":\"MODE\",\"value\":\"production\"},"
    "{\"name\":\"POD\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},"
    "{\"name\":\"TOKEN\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"web\",\"key\":\"token\"}}}],"
    "\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"64Mi\"},"
    "\"limits\":{\"cpu\":\"500m\",\"memory\":\"128Mi\"}},"
    "\"readinessProbe\":{\"httpGet\":{\"path\":\"/ping\",\"port\":\"http\"},\"periodSeconds\":5},"
    "\"livenessProbe\":{\"httpGet\":{\"path\":\"/ping\",\"port\":8000},\"initialDelaySeconds\":10},"
    "\"securityContext\":{\"allowPrivilegeEscalation\":false,\"runAsNonRoot\":true,"
    "\"capabilities\":{\"drop\":[\"ALL\"]}},"
    "\"volumeMounts\":[{\"name\":\"config\",\"mountPath\":\"/etc/web\",\"readOnly\":true},"
    "{\"name\":\"cache\",\"mountPath\":\"/var/cache\"}]}],"
    "\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"web\"}},{\"name\":\"cache\",\"emptyDir\":{}}"
    "],"
    "\"tolerations\":[{\"key\":\"dedicated\",\"operator\":\"Equal\",\"value\":\"web\",\"effect\":"
    "\"NoSchedule\"}],\"terminationGracePeriodSeconds\":10,\"serviceAccountName\":\"web\"}}";

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e6 * (double)t.tv_sec + (double)t.tv_nsec / 1e3;
}

static void ignore(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

static int admit(const struct resource *resource)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct field_errors errors = FIELD_ERRORS_INIT;
	CLEANUP(buf_close) struct buf warnings = BUF_INIT;
	struct err err = ERR_INIT;

	if (decode_object(resource, pod, sizeof(pod) - 1, false, FIELD_VALIDATION_STRICT, &warnings, &obj,
			  &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return -1;
	}
	resource->kind->set_defaults(obj);
	resource->kind->prepare_create(obj);
	validate_object(resource, obj, NULL, NULL, &errors);
	resource->kind->warnings(obj, NULL, ignore, NULL);
	int result = errors.n > 0 ? -1 : 0;
	if (errors.n > 0)
		fprintf(stderr, "error: %s: %s\n", errors.items[0].field, errors.items[0].message);
	field_errors_close(&errors);
	return result;
}

int parts_admit_pod(char **argv)
{
	const struct resource *resource = resource_find("", "v1", "pods");
	double began_us = 0;

	(void)argv;
	for (unsigned i = 0; i < ROUNDS + 1000; i++) {
		if (i == 1000)
			began_us = cpu_us();
		if (admit(resource) < 0)
			return 1;
	}
	printf("admit-pod-us %.3f\n", (cpu_us() - began_us) / ROUNDS);
	return 0;
}
