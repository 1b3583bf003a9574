/* Encryption at rest: which resources are encrypted, with which keys, and how one value is sealed.
 *
 *     kind: EncryptionConfiguration
 *     apiVersion: apiserver.config.k8s.io/v1
 *     resources:
 *     - resources: [secrets]             also "deployments.apps", "*.apps", "*.", "*.*"; the first match
 * counts providers:                       the first one writes, all read
 *       - aesgcm:
 *           keys:                        the first one writes, all read
 *           - {name: key2, secret: BASE64 OF 16, 24 OR 32 BYTES}
 *           - {name: key1, secret: ...}
 *       - identity: {}                   as it is
 *
 * https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
 *
 * A sealed value is "knarr:enc:aesgcm:v1:NAME:" SALT(32) NONCE(12) CIPHERTEXT TAG(16). Each start of the
 * server draws a salt, derives its own AES-256 key from the configured one by HKDF-SHA256, and counts nonces
 * up from 0 under it: no nonce comes twice, however often anything is written. What is bound to the
 * ciphertext: resource, key and revision, so that no row opens in another one's place.
 *
 * One thread uses it at a time.
 */
#pragma once

#include "apiserver/store/store.h"

struct encryption;

/* PATH NULL: nothing is encrypted, and what is cannot be read. ERR_BAD_REQUEST says what is wrong with it. */
int encryption_new(const char *path, struct encryption **ret, struct err *err);
void encryption_free(struct encryption *encryption); /* NULL is fine */
/* ENCRYPTION takes the place of OLD, whose values stay as they are stored: it must open them all, and knows
 * from here on that they are there. ERR_BAD_REQUEST: which key it lacks. */
int encryption_succeed(struct encryption *encryption, const struct encryption *old, struct err *err);
/* Anything is to be encrypted. */
bool encryption_on(const struct encryption *encryption);

/* What is to be stored of CHANGE is appended to RET; nothing, when its value is to be stored as it is. */
int encryption_seal(struct encryption *encryption, const struct store_change *change, struct buf *ret,
		    struct err *err);
/* The plain value of the stored CHANGE, appended to RET; nothing, when it is stored as it is. *ret_stale: it
 * is not stored in the form that encryption_seal gives it. */
int encryption_open(struct encryption *encryption, const struct store_change *change, struct buf *ret,
		    bool *ret_stale, struct err *err);
