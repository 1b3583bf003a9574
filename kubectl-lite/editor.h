/* A text in the user's editor.
 */
#pragma once

#include "lib/buf.h"
#include "lib/err.h"

/* Lets the user change TEXT in KUBE_EDITOR, EDITOR or vi, in a file whose name ends with SUFFIX (".yaml").
 * *ret_path, to be freed, is that file, which stays: when the text could not be used it is the user's only
 * copy. RET is empty before. */
int editor_run(const char *text, size_t len, const char *suffix, struct buf *ret, char **ret_path,
	       struct err *err);
