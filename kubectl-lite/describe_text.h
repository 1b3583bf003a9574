/* The text of describe: lines with cells that end in tabs, aligned at the end.
 */
#pragma once

#include "kubectl-lite/objects.h"
#include "lib/buf.h"
#include "lib/json.h"

/* Appends TEXT with its cells aligned: consecutive lines that have a cell in a column share its width, two
 * spaces part columns (Go's text/tabwriter with padding 2, which is what kubectl's layout comes from). */
void describe_align(struct buf *b, const char *text);

/* "TITLE:<tab>a=b", one line per member, "<none>" without any. */
void describe_labels(struct buf *b, const char *title, const struct json_object *labels);
/* The same for annotations: "key: value", long or many-lined values below their key; what apply remembers is
 * left out. */
void describe_annotations(struct buf *b, const char *title, const struct json_object *annotations);
/* Name, Namespace (when there is one), Labels, Annotations. */
void describe_head(struct buf *b, const struct json_object *obj);
/* An API time as "Sat, 21 Nov 2026 08:00:06 +0000" in the local zone; a text that is no time as it is, NULL
 * as "<unset>". */
const char *describe_time(const char *time, char *buf, size_t size);
/* How long ago an API time was, "5m"; "<unknown>" when it is none. */
const char *describe_age(const char *time, char *buf, size_t size);
/* "Kind/name" of the controller, or NULL. Returns BUF. */
const char *describe_controller(const struct json_object *obj, char *buf, size_t size);
/* Members of OBJ by key: calls FN for each. */
void describe_sorted(const struct json_object *obj,
		     void (*fn)(const char *key, struct json_object *value, void *arg), void *arg);
/* "Events:" and their table, of OBJ. */
void describe_events(struct buf *b, const struct object *object);

/* The describers: append to B what is to be aligned. */
void describe_pod(struct buf *b, const struct object *object);
void describe_deployment(struct buf *b, const struct object *object);
void describe_replica_set(struct buf *b, const struct object *object);
void describe_node(struct buf *b, const struct object *object);
void describe_service(struct buf *b, const struct object *object);
void describe_config_map(struct buf *b, const struct object *object);
void describe_secret(struct buf *b, const struct object *object);
void describe_namespace(struct buf *b, const struct object *object);
void describe_service_account(struct buf *b, const struct object *object);
void describe_generic(struct buf *b, const struct object *object);
