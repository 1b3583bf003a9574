#include "apiserver/edge/accept.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

struct span {
	const char *at;
	size_t len;
};

static bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

static struct span trim(struct span span)
{
	while (span.len && isspace((unsigned char)*span.at)) {
		span.at++;
		span.len--;
	}
	while (span.len && isspace((unsigned char)span.at[span.len - 1]))
		span.len--;
	return span;
}

/* Cuts what is before SEPARATOR off REST. */
static struct span cut(struct span *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->len);
	struct span head = { rest->at, end ? (size_t)(end - rest->at) : rest->len };
	size_t used = end ? head.len + 1 : head.len;
	rest->at += used;
	rest->len -= used;
	return trim(head);
}

static const struct {
	const char *as, *group, *version;
	enum accept_form form;
} forms[] = {
	{ "Table", "meta.k8s.io", "v1", ACCEPT_TABLE },
	{ "PartialObjectMetadata", "meta.k8s.io", "v1", ACCEPT_METADATA },
	{ "PartialObjectMetadataList", "meta.k8s.io", "v1", ACCEPT_METADATA_LIST },
	{ "APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2", ACCEPT_DISCOVERY },
	{ "APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1", ACCEPT_DISCOVERY_BETA },
};

/* Thousandths of "0.5"; what is no weight counts as the highest. */
static int parse_weight(struct span value)
{
	char text[8] = "";
	char *end;
	memcpy(text, value.at, value.len < sizeof(text) ? value.len : sizeof(text) - 1);
	double weight = strtod(text, &end);
	return end > text && weight >= 0 && weight < 1 ? (int)(weight * 1000) : 1000;
}

/* The form that the parameters of a clause name, and its weight; false for one that we do not have. */
static bool clause_form(struct span parameters, enum accept_form *ret, int *ret_weight)
{
	*ret_weight = 1000;
	struct span as = { "", 0 }, group = { "", 0 }, version = { "", 0 };
	while (parameters.len) {
		struct span value = cut(&parameters, ';');
		struct span key = cut(&value, '=');
		if (span_is(key, "as"))
			as = trim(value);
		else if (span_is(key, "g"))
			group = trim(value);
		else if (span_is(key, "v"))
			version = trim(value);
		else if (span_is(key, "q"))
			*ret_weight = parse_weight(trim(value));
	}
	*ret = ACCEPT_OBJECT;
	if (!as.len)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!span_is(as, forms[i].as) || !span_is(group, forms[i].group) ||
		    !span_is(version, forms[i].version))
			continue;
		*ret = forms[i].form;
		return true;
	}
	return false;
}

/* How exactly TYPE names one of ours; -1: not at all. */
static int exactness(struct span type, bool *ret_yaml)
{
	*ret_yaml = span_is(type, "application/yaml");
	if (*ret_yaml || span_is(type, "application/json"))
		return 2;
	return span_is(type, "application/*") ? 1 : span_is(type, "*/*") ? 0 : -1;
}

bool accept_parse(const char *header, struct accept *ret)
{
	int best = -1;
	*ret = (struct accept){ 0 };
	if (!header || !*header)
		return true;
	struct span rest = { header, strlen(header) };
	while (rest.len) {
		struct span clause = cut(&rest, ',');
		struct span type = cut(&clause, ';');
		enum accept_form form;
		int weight;
		bool yaml;
		int exact = exactness(type, &yaml);
		if (exact < 0)
			continue;
		if (!clause_form(clause, &form, &weight)) {
			ret->other_form |= best < 0;
			continue;
		}
		int rank = weight * 3 + exact;
		if (!weight || rank <= best)
			continue;
		best = rank;
		*ret = (struct accept){ .form = form, .yaml = yaml };
	}
	return best >= 0;
}

static const struct {
	const char *type;
	enum media media;
} medias[] = {
	{ "application/json", MEDIA_JSON },
	{ "application/yaml", MEDIA_YAML },
	{ "application/json-patch+json", MEDIA_JSON_PATCH },
	{ "application/merge-patch+json", MEDIA_MERGE_PATCH },
	{ "application/strategic-merge-patch+json", MEDIA_STRATEGIC_PATCH },
	{ "application/apply-patch+yaml", MEDIA_APPLY_PATCH },
	{ "application/vnd.kubernetes.protobuf", MEDIA_PROTOBUF },
};

enum media media_parse(const char *content_type)
{
	if (!content_type)
		return MEDIA_NONE;
	struct span rest = { content_type, strlen(content_type) };
	struct span type = cut(&rest, ';');
	if (!type.len)
		return MEDIA_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(medias); i++)
		if (span_is(type, medias[i].type))
			return medias[i].media;
	return MEDIA_OTHER;
}
