/* The configuration of encryption at rest, DIR/pki/encryption.yaml: Secrets, by AES-256-GCM. Not there:
 * nothing is encrypted. The API server reads it when it starts, and brings all that is stored into the form
 * it asks for before it serves.
 */
#pragma once

#include "launcher/cluster.h"

/* DIR/pki/encryption.yaml, or NULL when there is none. Caller frees. */
char *encryption_key_config(const struct cluster *cluster);
/* Puts a new key first, keeping the one before it for reading; with the first key encryption begins. */
int encryption_key_rotate(const struct cluster *cluster, struct err *err);
