#include "apiserver/admission/pod_security_policy.h"

#include <stdlib.h>
#include <string.h>

#define LABEL "pod-security.kubernetes.io/"

static const char *const level_names[] = { "privileged", "baseline", "restricted" };

/* "latest" or "v1.N". */
static bool parse_version(const char *text, unsigned *ret)
{
	char *end;

	if (strcmp(text, "latest") == 0) {
		*ret = POD_SECURITY_LATEST;
		return true;
	}
	if (strncmp(text, "v1.", 3) != 0 || !text[3] || (text[3] == '0' && text[4]) || strlen(text) > 6)
		return false;
	*ret = (unsigned)strtoul(text + 3, &end, 10);
	return *end == '\0' && text[3] >= '0' && text[3] <= '9';
}

static bool parse_level(const char *text, enum pod_security_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum pod_security_level)i;
			return true;
		}
	}
	return false;
}

/* What the labels say for one mode. */
struct said {
	bool level, level_read, version;
};

static struct said read_standard(const char *(*lookup)(const void *set, const char *key), const void *set,
				 const char *level_key, const char *version_key,
				 struct pod_security_standard *ret)
{
	const char *level = lookup(set, level_key), *version = lookup(set, version_key);
	struct said said = { .level = level, .version = version };

	*ret = (struct pod_security_standard){ POD_SECURITY_PRIVILEGED, POD_SECURITY_LATEST };
	said.level_read = level && parse_level(level, &ret->level);
	if (level && !said.level_read)
		ret->level = POD_SECURITY_RESTRICTED;
	if (version && !parse_version(version, &ret->minor))
		ret->minor = POD_SECURITY_LATEST;
	return said;
}

static void follow_enforced(const struct pod_security_standard *enforce, const struct said *enforce_said,
			    const struct said *said, struct pod_security_standard *standard)
{
	if (said->level || !enforce_said->level_read || enforce->level <= standard->level)
		return;
	standard->level = enforce->level;
	if (!said->version)
		standard->minor = enforce->minor;
}

void pod_security_policy_read(const char *(*lookup)(const void *set, const char *key), const void *set,
			      struct pod_security_policy *ret)
{
	struct said enforce =
	    read_standard(lookup, set, LABEL "enforce", LABEL "enforce-version", &ret->enforce);
	struct said audit = read_standard(lookup, set, LABEL "audit", LABEL "audit-version", &ret->audit);
	struct said warn = read_standard(lookup, set, LABEL "warn", LABEL "warn-version", &ret->warn);

	follow_enforced(&ret->enforce, &enforce, &audit, &ret->audit);
	follow_enforced(&ret->enforce, &enforce, &warn, &ret->warn);
}

static bool label_valid(const char *value, bool version)
{
	enum pod_security_level level;
	unsigned minor;

	return version ? parse_version(value, &minor) : parse_level(value, &level);
}

void pod_security_policy_validate(const struct json_object *labels, struct field_errors *errors)
{
	static const struct {
		const char *key;
		bool version;
	} rows[] = {
		{ LABEL "enforce", false }, { LABEL "enforce-version", true },
		{ LABEL "audit", false },   { LABEL "audit-version", true },
		{ LABEL "warn", false },    { LABEL "warn-version", true },
	};
	struct field_path path;

	field_path_init(&path, "metadata");
	field_push(&path, "labels");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = json_str(labels, rows[i].key);
		if (!value || label_valid(value, rows[i].version))
			continue;
		size_t mark = field_push_key(&path, rows[i].key);
		field_error_invalid_str(errors, &path, value, "%s",
					rows[i].version ? "must be \"latest\" or \"v1.x\""
							: "must be one of privileged, baseline, restricted");
		field_pop(&path, mark);
	}
}

bool pod_security_policy_is_free(const struct pod_security_policy *policy)
{
	return policy->enforce.level == POD_SECURITY_PRIVILEGED &&
	       policy->audit.level == POD_SECURITY_PRIVILEGED &&
	       policy->warn.level == POD_SECURITY_PRIVILEGED;
}

bool pod_security_standard_is(const struct pod_security_standard *a, const struct pod_security_standard *b)
{
	return a->level == b->level && a->minor == b->minor;
}

void pod_security_standard_write(struct buf *b, const struct pod_security_standard *standard)
{
	buf_printf(b, "%s:", level_names[standard->level]);
	if (standard->minor == POD_SECURITY_LATEST)
		buf_str(b, "latest");
	else
		buf_printf(b, "v1.%u", standard->minor);
}
