/* Remains of pods that cannot be taken over: the record is unreadable, or the API has no such pod and no
 * worker ends it. (Pods with a readable record are taken over: pod_worker_restore.)
 */
#pragma once

#include "nodeagent/agent.h"

/* Ends the containers found under POD_DIR by their own files; their removal goes on from the loop. Numbers of
 * their attempts stay taken. */
void adopt_end_containers(struct agent *agent, const char *pod_dir);
/* Takes down the sandbox and mounts of pod UID and removes its folder. */
void adopt_remove(struct agent *agent, const char *pod_dir, const char *uid);
