/* The text that edit shows and what comes back, without I/O: objects behind a head of comments.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"

/* Several OBJECTS as a v1 List, one as itself; without managedFields when not MANAGED. The caller's. */
struct json_object *edit_document(struct json_object *const *objects, size_t n, bool managed);
/* DOCUMENT as YAML or JSON. */
void edit_write(struct buf *b, const struct json_object *document, bool json);
/* The head that says how it is done, with the lines of PROBLEMS. In JSON, which has no comments, kubectl
 * leaves it to the reader to know that lines with # are dropped, and so do we. */
void edit_write_head(struct buf *b, const char *problems);
/* Appends TEXT without lines that begin with #. */
void edit_strip(struct buf *b, const char *text);
