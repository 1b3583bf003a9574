/* The query of a request: the parameters the API knows, decoded and typed. Pure: text in, struct out.
 * (k8s.io/apimachinery meta/v1 ListOptions, GetOptions, CreateOptions, UpdateOptions, PatchOptions,
 * DeleteOptions; core/v1 PodLogOptions.) Parameters nobody knows are ignored, as Kubernetes does; of a
 * repeated one the first counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct query {
	char *text; /* the decoded strings below point into it */

	/* list and watch; NULL when absent */
	const char *label_selector, *field_selector;
	const char *resource_version, *resource_version_match;
	const char *continue_;
	int64_t limit;     /* 0: none */
	int64_t timeout_s; /* 0: none given */
	bool watch, bookmarks;
	bool send_initial_events, has_send_initial_events;
	/* get, as a table */
	const char *include_object; /* "None", "Metadata", "Object" */
	/* writes */
	const char *dry_run, *field_validation, *field_manager;
	bool force, has_force;
	/* delete */
	bool has_grace_period, has_orphan_dependents, orphan_dependents;
	int64_t grace_period_s;
	const char *propagation_policy;
	/* logs */
	const char *container, *since_time;
	bool follow, previous, timestamps;
	bool has_tail_lines, has_since_seconds, has_limit_bytes;
	int64_t tail_lines, since_seconds, limit_bytes;
	/* health and others */
	bool verbose;
	bool pretty;
	const char *exclude; /* a check that is left out */
	const char *hash;    /* of an OpenAPI document */
};

/* Parses what stands behind the '?' of a request target (NULL: nothing). ERR_BAD_REQUEST in Go's words
 * (strconv.ParseInt: parsing "x": invalid syntax). *ret is to be closed, after a failure as well. */
int query_parse(const char *text, struct query *ret, struct err *err);
void query_close(struct query *query);

/* Decodes %XX in place ('+' as a space when PLUS); a broken escape stays as it is, and so does %00: what a
 * NUL cut off would be a name that was not asked for. */
void query_decode(char *text, bool plus);
