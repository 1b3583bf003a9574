#include "apiserver/edge/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum value_type { VALUE_STRING, VALUE_BOOL, VALUE_INT };

struct parameter {
	const char *name;
	enum value_type type;
	size_t offset;
	size_t has_offset; /* of a bool that says it was given; 0: none */
};

#define AT(field) offsetof(struct query, field)

static const struct parameter parameters[] = {
	{ "labelSelector", VALUE_STRING, AT(label_selector), 0 },
	{ "fieldSelector", VALUE_STRING, AT(field_selector), 0 },
	{ "resourceVersion", VALUE_STRING, AT(resource_version), 0 },
	{ "resourceVersionMatch", VALUE_STRING, AT(resource_version_match), 0 },
	{ "continue", VALUE_STRING, AT(continue_), 0 },
	{ "limit", VALUE_INT, AT(limit), 0 },
	{ "timeoutSeconds", VALUE_INT, AT(timeout_s), 0 },
	{ "watch", VALUE_BOOL, AT(watch), 0 },
	{ "allowWatchBookmarks", VALUE_BOOL, AT(bookmarks), 0 },
	{ "sendInitialEvents", VALUE_BOOL, AT(send_initial_events), AT(has_send_initial_events) },
	{ "includeObject", VALUE_STRING, AT(include_object), 0 },
	{ "dryRun", VALUE_STRING, AT(dry_run), 0 },
	{ "fieldValidation", VALUE_STRING, AT(field_validation), 0 },
	{ "fieldManager", VALUE_STRING, AT(field_manager), 0 },
	{ "force", VALUE_BOOL, AT(force), AT(has_force) },
	{ "gracePeriodSeconds", VALUE_INT, AT(grace_period_s), AT(has_grace_period) },
	{ "orphanDependents", VALUE_BOOL, AT(orphan_dependents), AT(has_orphan_dependents) },
	{ "propagationPolicy", VALUE_STRING, AT(propagation_policy), 0 },
	{ "container", VALUE_STRING, AT(container), 0 },
	{ "sinceTime", VALUE_STRING, AT(since_time), 0 },
	{ "follow", VALUE_BOOL, AT(follow), 0 },
	{ "previous", VALUE_BOOL, AT(previous), 0 },
	{ "timestamps", VALUE_BOOL, AT(timestamps), 0 },
	{ "tailLines", VALUE_INT, AT(tail_lines), AT(has_tail_lines) },
	{ "sinceSeconds", VALUE_INT, AT(since_seconds), AT(has_since_seconds) },
	{ "limitBytes", VALUE_INT, AT(limit_bytes), AT(has_limit_bytes) },
	{ "verbose", VALUE_BOOL, AT(verbose), 0 },
	{ "pretty", VALUE_BOOL, AT(pretty), 0 },
	{ "exclude", VALUE_STRING, AT(exclude), 0 },
	{ "hash", VALUE_STRING, AT(hash), 0 },
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void query_decode(char *text, bool plus)
{
	char *out = text;
	for (const char *in = text; *in; in++) {
		int high, low;
		if (*in == '%' && (high = hex_digit(in[1])) >= 0 && (low = hex_digit(in[2])) >= 0 &&
		    (high || low)) {
			*out++ = (char)(high << 4 | low);
			in += 2;
		} else {
			*out++ = *in == '+' && plus ? ' ' : *in;
		}
	}
	*out = '\0';
}

static int parse_int(const char *value, int64_t *ret, struct err *err)
{
	char *end;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	/* strtoll skips white space and takes "", ParseInt does not. */
	bool digits =
	    (value[0] >= '0' && value[0] <= '9') || ((value[0] == '-' || value[0] == '+') && value[1]);
	if (!digits || *end)
		return err_set(err, ERR_BAD_REQUEST, "strconv.ParseInt: parsing \"%.100s\": invalid syntax",
			       value);
	if (errno == ERANGE)
		return err_set(err, ERR_BAD_REQUEST,
			       "strconv.ParseInt: parsing \"%.100s\": value out of range", value);
	*ret = number;
	return 0;
}

/* Given without a value is true, and so is whatever is not plainly false (apimachinery's conversion). */
static bool parse_bool(const char *value)
{
	return strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
}

static int set_parameter(struct query *query, const struct parameter *parameter, const char *value,
			 struct err *err)
{
	char *base = (char *)query;
	if (parameter->has_offset)
		*(bool *)(void *)(base + parameter->has_offset) = true;
	switch (parameter->type) {
	case VALUE_STRING:
		*(const char **)(void *)(base + parameter->offset) = value;
		return 0;
	case VALUE_BOOL:
		*(bool *)(void *)(base + parameter->offset) = parse_bool(value);
		return 0;
	case VALUE_INT:
		/* An empty number is as good as none: kubectl's raw requests send them. */
		return *value ? parse_int(value, (int64_t *)(void *)(base + parameter->offset), err) : 0;
	}
	return 0;
}

int query_parse(const char *text, struct query *ret, struct err *err)
{
	*ret = (struct query){ 0 };
	if (!text || !*text)
		return 0;
	ret->text = mem_dup(text);
	uint64_t seen = 0;
	_Static_assert(ARRAY_SIZE(parameters) <= 64, "one bit each in seen");
	char *rest = ret->text;
	for (char *pair; (pair = strsep(&rest, "&"));) {
		char *value = strchr(pair, '=');
		if (value)
			*value++ = '\0';
		query_decode(pair, true);
		for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
			if (strcmp(pair, parameters[i].name) != 0)
				continue;
			if (seen & 1ull << i)
				break;
			seen |= 1ull << i;
			if (value)
				query_decode(value, true);
			if (set_parameter(ret, &parameters[i], value ? value : "", err) < 0)
				return -1;
			break;
		}
	}
	return 0;
}

void query_close(struct query *query)
{
	free(query->text);
	*query = (struct query){ 0 };
}
