#include "apiserver/authz/rbac.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/core/follow.h"
#include "lib/map.h"

#define GROUP "rbac.authorization.k8s.io"

/* What a role may be and a binding may be of. */
struct role {
	char *key;         /* "namespace/name" of a Role, "/name" of a ClusterRole */
	size_t n_bindings; /* places in subjects' lists */
	bool exists;
	struct authz_rules rules;
};

struct grant {
	struct role *role;
	const struct object *binding; /* borrowed from the follower */
};

/* Somebody who is named in bindings: "U" or "G", namespace ("": everywhere), "/", name. */
struct subject {
	char *key;
	struct grant *grants;
	size_t n;
};

/* What a binding put into the index, to take it out again. */
struct binding {
	struct role *role;
	const struct object *object;
	struct subject **subjects;
	size_t n;
};

struct rbac {
	const struct resource *roles, *cluster_roles;
	struct follow *follow;
	struct map by_role;    /* struct role */
	struct map by_subject; /* struct subject */
	struct map bindings;   /* struct binding, by key of its object */
};

#define KEY_SIZE 640

/* A key in BUF, or, when it is too long, in *ret_long. */
static const char *subject_key(char kind, const char *namespace_, const char *name, char *buf,
			       char **ret_long)
{
	size_t space = strlen(namespace_), len = strlen(name);
	char *key = buf, *end;

	if (space + len + 3 > KEY_SIZE)
		key = *ret_long = mem_alloc(space + len + 3);
	key[0] = kind;
	end = stpcpy(key + 1, namespace_);
	*end++ = '/';
	memcpy(end, name, len + 1);
	return key;
}

/* --- the index --- */

static struct role *role_of(struct rbac *rbac, const char *namespace_, const char *name)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s/%s", namespace_, name);
	struct role *role = map_get(&rbac->by_role, key);

	if (role)
		return role;
	role = mem_zalloc(sizeof(*role));
	role->key = TAKE(key);
	map_put(&rbac->by_role, role->key, role);
	return role;
}

static void role_release(struct rbac *rbac, struct role *role)
{
	if (role->exists || role->n_bindings)
		return;
	map_remove(&rbac->by_role, role->key);
	rules_close(&role->rules);
	free(role->key);
	free(role);
}

static void change_role(struct rbac *rbac, const struct follow_change *change)
{
	const struct object *shown = change->object ? change->object : change->previous;
	struct role *role = role_of(rbac, object_namespace(shown), object_name(shown));

	rules_close(&role->rules);
	role->exists = change->object != NULL;
	if (change->object) {
		CLEANUP(json_putp) struct json_object *obj = object_json(change->object);

		rules_parse(json_get(obj, "rules"), &role->rules);
	}
	role_release(rbac, role);
}

static struct subject *subject_of(struct rbac *rbac, char kind, const char *namespace_, const char *name)
{
	CLEANUP(mem_freep) char *key = NULL;
	char buf[KEY_SIZE];
	struct subject *subject = map_get(&rbac->by_subject, subject_key(kind, namespace_, name, buf, &key));

	if (subject)
		return subject;
	subject = mem_zalloc(sizeof(*subject));
	subject->key = key ? TAKE(key) : mem_dup(buf);
	map_put(&rbac->by_subject, subject->key, subject);
	return subject;
}

static void subject_release(struct rbac *rbac, struct subject *subject)
{
	if (subject->n)
		return;
	map_remove(&rbac->by_subject, subject->key);
	free(subject->grants);
	free(subject->key);
	free(subject);
}

/* NAMESPACE_: of the binding. NULL: no subject that anybody can be. */
static struct subject *binding_subject(struct rbac *rbac, const char *namespace_,
				       const struct json_object *subject)
{
	const char *kind = json_str_or_empty(subject, "kind"), *name = json_str_or_empty(subject, "name");
	const char *home = json_str_or_empty(subject, "namespace");

	if (strcmp(kind, "User") == 0)
		return subject_of(rbac, 'U', namespace_, name);
	if (strcmp(kind, "Group") == 0)
		return subject_of(rbac, 'G', namespace_, name);
	if (strcmp(kind, "ServiceAccount") == 0 && (*home || *namespace_)) {
		CLEANUP(mem_freep)
		char *user = mem_printf("system:serviceaccount:%s:%s", *home ? home : namespace_, name);

		return subject_of(rbac, 'U', namespace_, user);
	}
	return NULL;
}

static void add_binding(struct rbac *rbac, struct binding *binding, struct object *object)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(object);
	const struct json_object *ref = json_get(obj, "roleRef"), *subjects = json_get(obj, "subjects");
	const char *namespace_ = object_namespace(object);
	bool of_namespace = strcmp(json_str_or_empty(ref, "kind"), "Role") == 0;

	binding->object = object;
	binding->role = role_of(rbac, of_namespace ? namespace_ : "", json_str_or_empty(ref, "name"));
	binding->subjects = mem_realloc_array(NULL, json_len(subjects) + 1, sizeof(*binding->subjects));
	for (size_t i = 0; i < json_len(subjects); i++) {
		struct subject *subject = binding_subject(rbac, namespace_, json_at(subjects, i));

		if (!subject)
			continue;
		subject->grants = mem_realloc_array(subject->grants, subject->n + 1, sizeof(struct grant));
		subject->grants[subject->n++] = (struct grant){ binding->role, object };
		binding->subjects[binding->n++] = subject;
		binding->role->n_bindings++;
	}
	role_release(rbac, binding->role);
}

static void remove_binding(struct rbac *rbac, struct binding *binding)
{
	for (size_t i = 0; i < binding->n; i++) {
		struct subject *subject = binding->subjects[i];
		size_t at = 0;

		while (subject->grants[at].binding != binding->object)
			at++;
		subject->grants[at] = subject->grants[--subject->n];
		binding->role->n_bindings--;
		subject_release(rbac, subject);
	}
	if (binding->n)
		role_release(rbac, binding->role);
	free(binding->subjects);
	*binding = (struct binding){ 0 };
}

/* A RoleBinding's key has a slash, a ClusterRoleBinding's none. */
static void change_binding(struct rbac *rbac, const struct follow_change *change)
{
	const struct object *shown = change->object ? change->object : change->previous;
	struct binding *binding = map_remove(&rbac->bindings, object_key(shown));

	if (!binding)
		binding = mem_zalloc(sizeof(*binding));
	remove_binding(rbac, binding);
	if (!change->object) {
		free(binding);
		return;
	}
	add_binding(rbac, binding, change->object);
	map_put(&rbac->bindings, object_key(change->object), binding);
}

static void on_change(const struct follow_change *change, void *arg)
{
	struct rbac *rbac = arg;

	if (change->resource == rbac->roles || change->resource == rbac->cluster_roles)
		change_role(rbac, change);
	else
		change_binding(rbac, change);
}

/* --- looking things up --- */

/* The subjects that an identity is, at most two for its user and each group. */
struct lookup {
	const struct identity *identity;
	const char *namespace_;
	size_t next;
};

static const struct subject *next_subject(const struct rbac *rbac, struct lookup *lookup)
{
	const struct identity *identity = lookup->identity;

	for (size_t i; (i = lookup->next++) < 2 * (1 + identity->n_groups);) {
		CLEANUP(mem_freep) char *key = NULL;
		char buf[KEY_SIZE];
		size_t who = i / 2;
		const char *space = i % 2 ? lookup->namespace_ : "";

		if (i % 2 && !*space)
			continue;

		const struct subject *subject =
		    map_get(&rbac->by_subject,
			    subject_key(who ? 'G' : 'U', space,
					who ? identity->groups[who - 1] : identity->user, buf, &key));

		if (subject)
			return subject;
	}
	return NULL;
}

/* The binding by which A is allowed, or NULL. */
static const struct object *find_grant(const struct rbac *rbac, const struct authz_attributes *a)
{
	struct lookup lookup = { .identity = a->identity, .namespace_ = a->is_resource ? a->namespace_ : "" };

	for (const struct subject *subject; (subject = next_subject(rbac, &lookup));)
		for (size_t i = 0; i < subject->n; i++)
			if (rules_allow(&subject->grants[i].role->rules, a))
				return subject->grants[i].binding;
	return NULL;
}

static bool subject_is(const struct json_object *subject, const char *namespace_,
		       const struct identity *identity)
{
	const char *kind = json_str_or_empty(subject, "kind"), *name = json_str_or_empty(subject, "name");
	const char *home = json_str_or_empty(subject, "namespace");

	if (strcmp(kind, "User") == 0)
		return strcmp(name, identity->user) == 0;
	if (strcmp(kind, "Group") == 0)
		return identity_in_group(identity, name);

	CLEANUP(mem_freep)
	char *user = mem_printf("system:serviceaccount:%s:%s", *home ? home : namespace_, name);

	return strcmp(user, identity->user) == 0;
}

/* RoleBinding "b/default" of Role "r" to User "jane" */
static void write_grant(struct buf *b, const struct object *binding, const struct identity *identity)
{
	CLEANUP(json_putp) struct json_object *obj = object_json(binding);
	const struct json_object *ref = json_get(obj, "roleRef"), *subjects = json_get(obj, "subjects");
	const char *namespace_ = object_namespace(binding);
	size_t i = 0;

	while (i < json_len(subjects) && !subject_is(json_at(subjects, i), namespace_, identity))
		i++;

	const struct json_object *subject = json_at(subjects, i);
	const char *kind = json_str_or_empty(subject, "kind"),
		   *home = json_str_or_empty(subject, "namespace");
	bool account = strcmp(kind, "ServiceAccount") == 0;

	buf_printf(b, "%s \"%s%s%s\" of %s \"%s\" to %s \"%s%s%s\"",
		   *namespace_ ? "RoleBinding" : "ClusterRoleBinding", object_name(binding),
		   *namespace_ ? "/" : "", namespace_, json_str_or_empty(ref, "kind"),
		   json_str_or_empty(ref, "name"), kind, json_str_or_empty(subject, "name"),
		   account ? "/" : "",
		   !account ? ""
		   : *home  ? home
			    : namespace_);
}

/* A text each for the roles that IDENTITY is bound to and that are not there, once. */
static void write_missing(const struct rbac *rbac, const struct identity *identity, const char *namespace_,
			  struct buf *ret)
{
	struct lookup lookup = { .identity = identity, .namespace_ = namespace_ };
	CLEANUP(map_close) struct map seen = MAP_INIT;
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	for (const struct subject *subject; (subject = next_subject(rbac, &lookup));) {
		for (size_t i = 0; i < subject->n; i++) {
			const struct role *role = subject->grants[i].role;
			const char *name = strchr(role->key, '/') + 1;

			if (role->exists || map_put(&seen, role->key, subject->grants[i].role))
				continue;
			if (text.len)
				buf_str(&text, ", ");
			buf_printf(&text, "%s." GROUP " \"%s\" not found",
				   role->key[0] == '/' ? "clusterrole" : "role", name);
		}
	}
	if (seen.count)
		buf_printf(ret, seen.count > 1 ? "[%s]" : "%s", text.data);
}

int rbac_decide(struct rbac *rbac, const struct authz_attributes *a, bool *ret_allowed, struct buf *reason,
		struct err *err)
{
	CLEANUP(buf_close) struct buf missing = BUF_INIT;
	const struct object *binding;

	if (follow_read(rbac->follow, err) < 0)
		return -1;
	binding = find_grant(rbac, a);
	*ret_allowed = binding != NULL;
	if (!binding)
		write_missing(rbac, a->identity, a->is_resource ? a->namespace_ : "", &missing);
	else if (a->explain) {
		buf_str(reason, "RBAC: allowed by ");
		write_grant(reason, binding, a->identity);
	}
	follow_done(rbac->follow);
	if (missing.len)
		buf_printf(reason, "RBAC: %s", missing.data);
	return 0;
}

int rbac_hold(struct rbac *rbac, const struct identity *identity, const char *namespace_,
	      struct rbac_held *ret, struct err *err)
{
	struct lookup lookup = { .identity = identity, .namespace_ = namespace_ };
	size_t cap = 64;

	if (follow_read(rbac->follow, err) < 0)
		return -1;
	*ret = (struct rbac_held){ .rules = mem_alloc(cap * sizeof(*ret->rules)) };
	for (const struct subject *subject; (subject = next_subject(rbac, &lookup));) {
		for (size_t i = 0; i < subject->n; i++) {
			const struct authz_rules *rules = &subject->grants[i].role->rules;

			for (size_t k = 0; k < rules->n; k++) {
				if (ret->n == cap)
					ret->rules =
					    mem_realloc_array(ret->rules, cap *= 2, sizeof(*ret->rules));
				ret->rules[ret->n++] = &rules->items[k];
			}
		}
	}
	write_missing(rbac, identity, namespace_, &ret->missing);
	return 0;
}

void rbac_done(struct rbac *rbac, struct rbac_held *held)
{
	follow_done(rbac->follow);
	free(held->rules);
	buf_close(&held->missing);
	*held = (struct rbac_held){ 0 };
}

/* --- life --- */

struct rbac *rbac_new(struct core *core)
{
	struct rbac *rbac = mem_zalloc(sizeof(*rbac));

	rbac->roles = resource_find(GROUP, "v1", "roles");
	rbac->cluster_roles = resource_find(GROUP, "v1", "clusterroles");

	const struct resource *const followed[] = {
		rbac->cluster_roles,
		rbac->roles,
		resource_find(GROUP, "v1", "clusterrolebindings"),
		resource_find(GROUP, "v1", "rolebindings"),
	};

	rbac->follow = follow_new(core, followed, ARRAY_SIZE(followed), on_change, rbac);
	return rbac;
}

void rbac_free(struct rbac *rbac)
{
	const char *key;
	void *value;

	if (!rbac)
		return;
	for (size_t i = 0; map_next(&rbac->bindings, &i, &key, &value);) {
		remove_binding(rbac, value);
		free(value);
	}
	for (size_t i = 0; map_next(&rbac->by_role, &i, &key, &value);) {
		struct role *role = value;

		rules_close(&role->rules);
		free(role->key);
		free(role);
	}
	map_close(&rbac->bindings);
	map_close(&rbac->by_role);
	map_close(&rbac->by_subject);
	follow_free(rbac->follow);
	free(rbac);
}
