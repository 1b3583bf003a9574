/* Who is asking: a user with groups, as authentication found it, shared by reference count.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"

#define IDENTITY_GROUPS_MAX 256

#define GROUP_AUTHENTICATED   "system:authenticated"
#define GROUP_UNAUTHENTICATED "system:unauthenticated"
#define GROUP_MASTERS         "system:masters"
#define USER_ANONYMOUS        "system:anonymous"

#define EXTRA_CREDENTIAL_ID "authentication.kubernetes.io/credential-id"

struct identity_extra {
	char *key;
	char **values;
	size_t n_values;
};

struct identity {
	_Atomic unsigned refs;
	char *user;
	char *uid;     /* "" when there is none */
	char **groups; /* with system:authenticated or system:unauthenticated */
	size_t n_groups;
	struct identity_extra *extra; /* by key */
	size_t n_extra;
};

/* Reference count 1, no groups; to be filled before it is shared. */
struct identity *identity_new(const char *user, const char *uid);
struct identity *identity_ref(struct identity *identity);
void identity_unref(struct identity *identity); /* NULL is fine */
void identity_unrefp(struct identity **identity);

/* LEN bytes of GROUP; empty ones and those past IDENTITY_GROUPS_MAX are dropped. */
void identity_add_group(struct identity *identity, const char *group, size_t len);
/* One more value of extra KEY. */
void identity_add_extra(struct identity *identity, const char *key, const char *value);

/* Whether GROUP is among its groups, to the letter. */
bool identity_in_group(const struct identity *identity, const char *group);
/* authentication.k8s.io/v1 UserInfo: as text, and as a value. */
void identity_write(struct buf *b, const struct identity *identity);
struct json_object *identity_user_info(const struct identity *identity);
