/* Manifests from URLs (-f https://...). libcurl does it, with what the outer world needs: proxies of the
 * environment, redirects, the system's certificates. It is loaded when the first URL is given: with all that
 * it needs in turn it takes longer than everything else that this program does.
 */
#pragma once

#include <stdbool.h>

#include "lib/buf.h"

bool fetch_is_url(const char *file);
/* Appends what URL answers to B, up to its cap (ERR_LIMIT). ERR_SYSTEM when there is no answer, one that is
 * not 200, or no libcurl. Waits 30 seconds at most. */
int fetch(const char *url, struct buf *b, struct err *err);
