/* A Deployment: made until all its replicas are available, and rolled to a new version until none of the old
 * one is left, both as `kubectl rollout status` judges. */
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "lib/informer.h"
#include "lib/timefmt.h"

struct deployment {
	struct informer_item item;
	int64_t complete; /* the generation that is rolled out, or 0 */
};

struct rollout {
	struct loop *loop;
	struct api_client *client;
	struct informer_type type;
	struct informer *informer;
	char *key;
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct deployment *deployment = item;
	const struct json_object *status = json_get(obj, "status");
	int64_t generation = json_int(json_get(obj, "metadata"), "generation", 0);
	int64_t replicas = json_int(json_get(obj, "spec"), "replicas", 1);

	(void)arg;
	if (json_int(status, "observedGeneration", 0) == generation &&
	    json_int(status, "updatedReplicas", 0) == replicas &&
	    json_int(status, "replicas", 0) == replicas &&
	    json_int(status, "availableReplicas", 0) == replicas)
		deployment->complete = generation;
	return true;
}

static void rollout_open(struct rollout *r, const char *kubeconfig, const char *name)
{
	r->loop = loop_new(NULL);
	r->client = client_new(r->loop, kubeconfig);
	r->key = mem_printf("default/%s", name);
	r->type = (struct informer_type){ .path = OBJECTS_DEPLOYMENTS,
					  .item_size = sizeof(struct deployment),
					  .decode = decode };
	r->informer = informer_new(r->loop, r->client, &r->type, r);
	while (!informer_synced(r->informer))
		loop_turn(r->loop, -1);
}

static void rollout_close(struct rollout *r)
{
	informer_free(r->informer);
	api_client_free(r->client);
	loop_free(r->loop);
	mem_freep(&r->key);
}

/* Sends the change and waits until it is rolled out; milliseconds. */
static double rollout_change(struct rollout *r, const char *method, const char *path,
			     const char *content_type, const char *body)
{
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const struct deployment *deployment;
	int64_t began_us = time_mono_us();

	client_do(r->client, method, path, content_type, body, &answer);
	if (json_parse(answer.data, answer.len, &obj, NULL, NULL) < 0)
		bench_die("%s %s: the answer is no JSON", method, path);
	int64_t generation = json_int(json_get(obj, "metadata"), "generation", 0);
	while (!(deployment = informer_get(r->informer, r->key)) || deployment->complete < generation)
		loop_turn(r->loop, -1);
	return (double)(time_mono_us() - began_us) / 1000;
}

int bench_deploy(int argc, char **argv)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	struct rollout r;

	(void)argc;
	object_deployment(&body, argv[1], bench_count(argv[2]));
	rollout_open(&r, argv[0], argv[1]);
	bench_figure("deploy-ms", rollout_change(&r, "POST", OBJECTS_DEPLOYMENTS, NULL, body.data));
	rollout_close(&r);
	return 0;
}

int bench_roll(int argc, char **argv)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", OBJECTS_DEPLOYMENTS, argv[1]);
	struct rollout r;

	(void)argc;
	rollout_open(&r, argv[0], argv[1]);
	bench_figure("roll-ms",
		     rollout_change(&r, "PATCH", path, "application/strategic-merge-patch+json",
				    "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\","
				    "\"image\":\"market-data:v2\"}]}}}}"));
	rollout_close(&r);
	return 0;
}
