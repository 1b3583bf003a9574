/* The token file: lines of token,user,uid,"group1,group2"; uid and groups may be left out, # begins a
 * comment. It is read again when it has changed (looked at when a token is used, ten times a second at most).
 * Thread-safe.
 */
#pragma once

#include "apiserver/authn/identity.h"
#include "lib/err.h"

struct token_file;
/* Reads the file at PATH. ERR_SYSTEM, or what is wrong with which line. */
int token_file_new(const char *path, struct token_file **ret, struct err *err);
void token_file_free(struct token_file *file); /* NULL is fine */
/* The identity of TOKEN as a new reference, or NULL. */
struct identity *token_file_find(struct token_file *file, const char *token);
