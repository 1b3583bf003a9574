#include "apiserver/authn/impersonate.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/authz/authorize.h"
#include "apiserver/edge/query.h"

#define EXTRA_PREFIX   "Impersonate-Extra-"
#define ACCOUNT_PREFIX "system:serviceaccount:"

/* What the headers ask for. Texts are the request's, but for the keys of extras. */
struct wanted {
	const char *user, *uid;
	const char *groups[IDENTITY_GROUPS_MAX];
	size_t n_groups;
	struct {
		char *key;
		const char *value;
	} extra[IDENTITY_GROUPS_MAX];
	size_t n_extra;
	bool too_many;
};

static void wanted_free(struct wanted **wanted)
{
	if (!*wanted)
		return;
	for (size_t i = 0; i < (*wanted)->n_extra; i++)
		free((*wanted)->extra[i].key);
	free(*wanted);
}

static void add_extra(struct wanted *wanted, const char *key, const char *value)
{
	if (wanted->n_extra == ARRAY_SIZE(wanted->extra)) {
		wanted->too_many = true;
		return;
	}
	char *plain = mem_dup(key);
	/* Header names have no case: keys are taken as small letters, and escaped where they must be. */
	for (char *c = plain; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	query_decode(plain, false);
	wanted->extra[wanted->n_extra].key = plain;
	wanted->extra[wanted->n_extra++].value = value;
}

static void take_header(const char *name, const char *value, void *arg)
{
	struct wanted **slot = arg, *wanted = *slot;
	if (strncasecmp(name, "Impersonate-", strlen("Impersonate-")) != 0)
		return;
	if (!wanted)
		wanted = *slot = mem_zalloc(sizeof(*wanted));
	if (strcasecmp(name, "Impersonate-User") == 0 && !wanted->user && *value)
		wanted->user = value;
	else if (strcasecmp(name, "Impersonate-Uid") == 0 && !wanted->uid && *value)
		wanted->uid = value;
	else if (strcasecmp(name, "Impersonate-Group") == 0 && wanted->n_groups < IDENTITY_GROUPS_MAX)
		wanted->groups[wanted->n_groups++] = value;
	else if (strncasecmp(name, EXTRA_PREFIX, strlen(EXTRA_PREFIX)) == 0)
		add_extra(wanted, name + strlen(EXTRA_PREFIX), value);
	wanted->too_many |= wanted->n_groups == IDENTITY_GROUPS_MAX;
}

/* One thing that whoever asks must be allowed to be. */
struct claim {
	const char *group, *resource, *subresource, *namespace_, *name;
};

static enum step_result check(struct request *r, const struct claim *claim)
{
	struct authz_attributes a = { .identity = r->identity,
				      .is_resource = true,
				      .group = claim->group,
				      .version = "v1",
				      .resource = claim->resource,
				      .subresource = claim->subresource,
				      .namespace_ = claim->namespace_,
				      .name = claim->name };
	attributes_set_verb(&a, "impersonate");
	return authorize_attributes(r, &a);
}

/* "system:serviceaccount:NS:NAME" cut into *NS and *NAME, which the caller frees. */
static bool split_account(const char *user, char **ret_namespace, char **ret_name)
{
	if (strncmp(user, ACCOUNT_PREFIX, strlen(ACCOUNT_PREFIX)) != 0)
		return false;
	const char *namespace_ = user + strlen(ACCOUNT_PREFIX), *colon = strchr(namespace_, ':');
	if (!colon || colon == namespace_ || !colon[1] || strchr(colon + 1, ':'))
		return false;
	*ret_namespace = mem_dupn(namespace_, (size_t)(colon - namespace_));
	*ret_name = mem_dup(colon + 1);
	return true;
}

static enum step_result check_all(struct request *r, const struct wanted *wanted, const char *namespace_,
				  const char *account)
{
	struct claim claim = { "", account ? "serviceaccounts" : "users", "", account ? namespace_ : "",
			       account ? account : wanted->user };
	if (check(r, &claim) == STEP_FAIL)
		return STEP_FAIL;
	for (size_t i = 0; i < wanted->n_groups; i++) {
		claim = (struct claim){ "", "groups", "", "", wanted->groups[i] };
		if (check(r, &claim) == STEP_FAIL)
			return STEP_FAIL;
	}
	for (size_t i = 0; i < wanted->n_extra; i++) {
		claim = (struct claim){ "authentication.k8s.io", "userextras", wanted->extra[i].key, "",
					wanted->extra[i].value };
		if (check(r, &claim) == STEP_FAIL)
			return STEP_FAIL;
	}
	claim = (struct claim){ "authentication.k8s.io", "uids", "", "", wanted->uid };
	return wanted->uid ? check(r, &claim) : STEP_NEXT;
}

static struct identity *become(const struct wanted *wanted, const char *namespace_)
{
	struct identity *identity = identity_new(wanted->user, wanted->uid ? wanted->uid : "");
	for (size_t i = 0; i < wanted->n_groups; i++)
		identity_add_group(identity, wanted->groups[i], strlen(wanted->groups[i]));
	if (namespace_ && !wanted->n_groups) {
		CLEANUP(mem_freep) char *group = mem_printf("system:serviceaccounts:%s", namespace_);
		identity_add_group(identity, "system:serviceaccounts", strlen("system:serviceaccounts"));
		identity_add_group(identity, group, strlen(group));
	}
	for (size_t i = 0; i < wanted->n_extra; i++)
		identity_add_extra(identity, wanted->extra[i].key, wanted->extra[i].value);
	if (!identity_in_group(identity, GROUP_AUTHENTICATED) &&
	    !identity_in_group(identity, GROUP_UNAUTHENTICATED)) {
		const char *group =
		    strcmp(wanted->user, USER_ANONYMOUS) == 0 ? GROUP_UNAUTHENTICATED : GROUP_AUTHENTICATED;
		identity_add_group(identity, group, strlen(group));
	}
	return identity;
}

enum step_result impersonate(struct request *r)
{
	CLEANUP(wanted_free) struct wanted *wanted = NULL;
	CLEANUP(mem_freep) char *namespace_ = NULL, *account = NULL;
	request_each_header(r, take_header, &wanted);
	if (!wanted)
		return STEP_NEXT;
	if (wanted->too_many)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "more than %d Impersonate headers of a kind", IDENTITY_GROUPS_MAX);
	if (!wanted->user && (wanted->n_groups || wanted->n_extra || wanted->uid))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "requested groups, uid or extra fields without impersonating a user");
	if (!wanted->user)
		return STEP_NEXT;
	split_account(wanted->user, &namespace_, &account);
	if (check_all(r, wanted, namespace_, account) == STEP_FAIL)
		return STEP_FAIL;
	r->impersonator = r->identity;
	r->identity = become(wanted, namespace_);
	return STEP_NEXT;
}
