/* Configuration files of the server: one YAML or JSON document that names its kind, as Kubernetes' own.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

/* The document at PATH; ERR_BAD_REQUEST when it is not of KIND and API_VERSION, or repeats a key. */
int config_file_read(const char *path, const char *api_version, const char *kind, struct json_object **ret,
		     struct err *err);
