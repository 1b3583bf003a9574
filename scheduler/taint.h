/* Taints and tolerations.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"

enum taint_effect { TAINT_NO_SCHEDULE, TAINT_PREFER_NO_SCHEDULE, TAINT_NO_EXECUTE };

struct taint {
	char *key, *value; /* value "" when there is none */
	enum taint_effect effect;
};

struct toleration {
	char *key; /* NULL: every key */
	char *value;
	bool exists; /* operator Exists: any value */
	bool any_effect;
	enum taint_effect effect;
};

/* spec.taints and spec.tolerations; the arrays are the caller's: taints_free, tolerations_free. */
struct taint *taints_parse(const struct json_object *taints, size_t *ret_n);
void taints_free(struct taint *taints, size_t n);
struct toleration *tolerations_parse(const struct json_object *tolerations, size_t *ret_n);
void tolerations_free(struct toleration *tolerations, size_t n);
bool taint_tolerated(const struct taint *taint, const struct toleration *tolerations, size_t n);
