/* The end of a JSON object or array, found 64 bytes at a time: where quotes and brackets lie is worked out
 * for a whole block at once (Langdale and Lemire, Parsing Gigabytes of JSON per Second). Where the machine
 * has no vectors of bytes, one by one.
 */
#pragma once

/* P is behind the opening bracket. Gives the place behind the bracket that closes it, or NULL when END comes
 * first. */
const char *json_block_skip(const char *p, const char *end);
