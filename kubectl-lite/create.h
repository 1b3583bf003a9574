/* What the generators of `create` share: each makes an object from its flags, and hands it over.
 */
#pragma once

#include "kubectl-lite/command.h"
#include "kubectl-lite/write.h"

extern const struct command create_clusterrole, create_clusterrolebinding, create_configmap, create_cronjob,
    create_deployment, create_ingress, create_job, create_namespace, create_poddisruptionbudget,
    create_priorityclass, create_quota, create_role, create_rolebinding, create_secret, create_service,
    create_serviceaccount, create_token;

/* The one NAME that ARGS must be, before any "--"; NULL: told, of the command at PATH. */
const char *create_name(const char *path, char **args, size_t n_args);
/* Creates OBJ in the session's namespace as the flags say, and tells. FAILED_TO stands before the server's
 * refusal ("failed to create job:"); NULL: the refusal alone. Returns the exit code. */
int create_finish(struct json_object *obj_taken, const char *failed_to);
