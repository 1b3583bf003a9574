/* meta.k8s.io/v1 representations of objects: tables for kubectl get, and metadata alone.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
#pragma once

#include <stdbool.h>

#include "apiserver/core/object.h"
#include "lib/buf.h"

enum table_include { TABLE_NONE, TABLE_METADATA, TABLE_OBJECT };

/* "None", "Metadata", "Object"; NULL and "": Metadata. False for others. */
bool table_include_parse(const char *text, enum table_include *ret);

/* A table is written in three parts: its beginning, a row for each object, its end. LIST_META is what stands
 * in the braces of its metadata ("\"resourceVersion\":\"7\""). Without COLUMNS they are null: in a watch only
 * the first event has them. */
void table_begin(struct buf *b, const struct resource *resource, const char *list_meta, bool columns);
void table_row(struct buf *b, const struct resource *resource, const struct object *object,
	       enum table_include include, int64_t now_us, bool first);
void table_end(struct buf *b);

/* {"kind":"PartialObjectMetadata",...} of OBJECT. */
void table_write_metadata(struct buf *b, const struct object *object);
