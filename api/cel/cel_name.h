/* Names in expressions, and in JSON, where they may be words that expressions have for themselves or hold
 * characters that no identifier has: __namespace__, a__dash__b.
 * https://kubernetes.io/docs/reference/using-api/cel/#escaping
 */
#pragma once

#include "api/cel/cel_arena.h"

/* True when NAME is a word that no variable may have. */
bool cel_name_is_reserved(const char *name);
/* The name in JSON that NAME stands for: NAME itself, or a text in ARENA. */
const char *cel_name_unescape(struct cel_arena *arena, const char *name);
/* True when expressions can say KEY, a name in JSON, in its escaped form only. */
bool cel_name_needs_escape(const char *key);
