/* What the API shows of a pod: a pure function from how its worker stands to the JSON of PodStatus.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

enum container_kind {
	CONTAINER_INIT,    /* runs to its end before the next one */
	CONTAINER_SIDECAR, /* an init container with restartPolicy Always: must have started, runs on */
	CONTAINER_APP,
	CONTAINER_EPHEMERAL, /* of `kubectl debug`: begins once, counts for nothing */
};

enum container_shown { SHOWN_WAITING, SHOWN_RUNNING, SHOWN_TERMINATED };

/* How a container ended. Strings are owned: pod_status_termination_close. */
struct termination {
	bool set;
	int exit_code;
	int64_t started_us,
	    finished_us;    /* wall clock; 0: never, shown as the epoch like Kubernetes does for StartError */
	char *reason;       /* "Error", "Completed", "OOMKilled", "StartError" */
	char *message;      /* or NULL */
	char *container_id; /* with its scheme, or NULL */
};
void pod_status_termination_close(struct termination *t);

/* One container; everything borrowed. */
struct container_view {
	const struct json_object *spec; /* Container */
	enum container_kind kind;
	enum container_shown shown;
	const char *waiting_reason;      /* SHOWN_WAITING; NULL: ContainerCreating or PodInitializing */
	const char *waiting_message;     /* or NULL */
	int64_t started_us;              /* SHOWN_RUNNING */
	const struct termination *ended; /* SHOWN_TERMINATED */
	const struct termination *last;  /* lastState; may be NULL or not set */
	bool ready;                      /* readiness probe's verdict while it runs */
	bool started;                    /* startup probe's verdict while it runs */
	int64_t restart_count;
	const char *image;        /* NULL: as the spec names it */
	const char *image_id;     /* NULL: none yet */
	const char *container_id; /* with its scheme; NULL: none yet */
};

struct pod_view {
	const struct json_object *pod;      /* metadata, spec, and the status with conditions set by others */
	const struct json_object *previous; /* status shown before: transition times, held phase; or NULL */
	const struct container_view
	    *containers; /* init containers first, then the others as in the spec, ephemeral ones last */
	size_t n_containers;
	bool sandbox_ready;
	bool ending; /* will not be restarted: deleted, past its deadline, or all over */
	bool ended;  /* nothing of it runs any more: only then a final phase is shown */
	const char
	    *reason; /* why the agent failed it ("DeadlineExceeded"), or NULL; shown once it has ended */
	const char *message;
	const char *address; /* pod address, or NULL */
	const char *host_address;
	int64_t start_us, now_us;
};

/* The whole PodStatus. Caller puts it. */
struct json_object *pod_status_build(const struct pod_view *view);
bool pod_status_phase_is_final(const char *phase);
/* "Guaranteed", "Burstable" or "BestEffort" by the containers' requests and limits. */
const char *pod_status_qos_class(const struct json_object *spec);
/* JSON of {"terminated": ...}'s value and back; for the file that survives a restart. */
struct json_object *pod_status_termination_json(const struct termination *t);
void pod_status_termination_parse(const struct json_object *json, struct termination *ret);
