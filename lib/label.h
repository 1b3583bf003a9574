/* What a label's key and value may be, in the words Kubernetes has for those that are not.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
#pragma once

#include <stdbool.h>

#include "lib/buf.h"

/* Tells of each thing that is wrong with KEY, as constant texts, in order. */
void label_key_faults(const char *key, void (*tell)(const char *text, void *arg), void *arg);
void label_value_faults(const char *value, void (*tell)(const char *text, void *arg), void *arg);
/* Whether KEY is a qualified name ("app", "example.com/tier"). If not, what is wrong with it is appended to
 * ret_faults (NULL when the caller does not care), several things joined by "; ". */
bool label_key_check(const char *key, struct buf *ret_faults);
/* The same for a value: empty, or at most 63 of letters, digits, '-', '_' and '.'. */
bool label_value_check(const char *value, struct buf *ret_faults);
