/* Names and ids by chance, from getrandom(2) in batches, one per thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CHANCE_UUID_SIZE 37

/* A version 4 UUID (RFC 9562); gives back TEXT, which holds CHANCE_UUID_SIZE bytes. */
char *chance_uuid(char *text);
/* N characters of Kubernetes' alphabet without vowels, so that no words come out; ends TEXT with a NUL. */
void chance_name(char *text, size_t n);
/* Any number. */
uint64_t chance_number(void);
