#include "tests/churn/wanted.h"

static void template(const char *name, int version, int millicpu, struct buf *ret)
{
	buf_printf(
	    ret,
	    "\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":"
	    "\"%s\"}},\"spec\":{" WANTED_POD_SPEC ",\"containers\":[{\"name\":\"c\",\"image\":\"played:%d\","
	    "\"resources\":{\"requests\":{\"cpu\":\"%dm\",\"memory\":\"64Mi\"}}}]}}",
	    name, name, version, millicpu);
}

void wanted_deployment_body(const struct wanted_deployment *d, struct buf *ret)
{
	buf_printf(
	    ret,
	    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
	    "\"replicas\":%d,\"paused\":%s,\"revisionHistoryLimit\":%d,\"strategy\":{",
	    d->name, d->replicas, d->paused ? "true" : "false", d->history);
	if (d->surge)
		buf_printf(
		    ret,
		    "\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":%s,\"maxUnavailable\":%s}},",
		    d->surge, d->unavailable);
	else
		buf_str(ret, "\"type\":\"Recreate\"},");
	template(d->name, d->version, d->millicpu, ret);
	buf_str(ret, "}}");
}

void wanted_set_body(const struct wanted_set *set, struct buf *ret)
{
	buf_printf(
	    ret,
	    "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
	    "\"replicas\":%d,",
	    set->name, set->replicas);
	template(set->name, 1, set->millicpu, ret);
	buf_str(ret, "}}");
}

void wanted_pod_body(const struct wanted_pod *pod, struct buf *ret)
{
	buf_printf(ret,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
		   "\"bare\":\"\"%s}},"
		   "\"spec\":{" WANTED_POD_SPEC
		   ",\"restartPolicy\":\"%s\",\"containers\":[{\"name\":\"c\",\"image\":"
		   "\"played:1\",\"resources\":{\"requests\":{\"cpu\":\"300m\",\"memory\":\"128Mi\"}}}]}}",
		   pod->name, pod->completes ? ",\"completes\":\"\"" : "",
		   pod->completes ? "Never" : "Always");
}
