#include "apiserver/store/encryption.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/config_file.h"
#include "lib/json.h"

#define PREFIX      "knarr:enc:aesgcm:v1:"
#define PREFIX_LEN  (sizeof(PREFIX) - 1)
#define KEY_BYTES   32
#define SALT_BYTES  32
#define NONCE_BYTES 12
#define TAG_BYTES   16
#define DERIVED_MAX 16

/* A key of one start of the server. */
struct derived {
	unsigned char salt[SALT_BYTES];
	gnutls_aead_cipher_hd_t cipher;
};

struct key {
	char *name;
	unsigned char secret[KEY_BYTES];
	unsigned secret_len;
	struct derived derived[DERIVED_MAX]; /* [0] is our own, when WRITES; the others as they were met */
	size_t n_derived, next_derived;
	bool writes;
	uint64_t nonce; /* of the next value */
};

/* An entry of the configuration. */
struct rule {
	char **patterns;
	size_t n_patterns;
	struct key *keys; /* of all its aesgcm providers, in order */
	size_t n_keys;
	bool plain_first, plain; /* identity writes; identity is there */
};

/* A key that values of a resource are sealed with, as far as they were opened or sealed here. */
struct use {
	char *group, *plural, *name;
	unsigned char secret[KEY_BYTES];
	unsigned secret_len;
};

struct encryption {
	struct rule *rules;
	size_t n_rules;
	struct use *uses;
	size_t n_uses;
};

/* --- configuration --- */

static void key_close(struct key *key)
{
	for (size_t i = 0; i < key->n_derived; i++)
		gnutls_aead_cipher_deinit(key->derived[i].cipher);
	gnutls_memset(key->secret, 0, sizeof(key->secret));
	free(key->name);
}

void encryption_free(struct encryption *encryption)
{
	if (!encryption)
		return;
	for (size_t i = 0; i < encryption->n_rules; i++) {
		struct rule *rule = &encryption->rules[i];
		for (size_t k = 0; k < rule->n_keys; k++)
			key_close(&rule->keys[k]);
		for (size_t k = 0; k < rule->n_patterns; k++)
			free(rule->patterns[k]);
		free(rule->keys);
		free(rule->patterns);
	}
	free(encryption->rules);
	for (size_t i = 0; i < encryption->n_uses; i++) {
		gnutls_memset(encryption->uses[i].secret, 0, KEY_BYTES);
		free(encryption->uses[i].group);
		free(encryption->uses[i].plural);
		free(encryption->uses[i].name);
	}
	free(encryption->uses);
	free(encryption);
}

static int read_key(struct rule *rule, const struct json_object *from, struct err *err)
{
	const char *name = json_str_or_empty(from, "name"), *text = json_str_or_empty(from, "secret");
	CLEANUP(buf_close) struct buf secret = BUF_INIT;
	if (!*name || strchr(name, ':') || strlen(name) > 128)
		return err_set(err, ERR_BAD_REQUEST, "a key needs a name without a colon, not \"%.140s\"",
			       name);
	for (size_t i = 0; i < rule->n_keys; i++)
		if (strcmp(rule->keys[i].name, name) == 0)
			return err_set(err, ERR_BAD_REQUEST, "two keys are called \"%s\"", name);
	if (buf_base64_decode(text, strlen(text), &secret, NULL) < 0 ||
	    (secret.len != 16 && secret.len != 24 && secret.len != 32))
		return err_set(err, ERR_BAD_REQUEST,
			       "the secret of key \"%s\" is not the base64 of 16, 24 or 32 bytes", name);
	rule->keys = mem_realloc_array(rule->keys, rule->n_keys + 1, sizeof(struct key));
	struct key *key = &rule->keys[rule->n_keys++];
	*key = (struct key){ .name = mem_dup(name), .secret_len = (unsigned)secret.len };
	memcpy(key->secret, secret.data, secret.len);
	gnutls_memset(secret.data, 0, secret.len);
	return 0;
}

static int read_provider(struct rule *rule, const struct json_object *provider, struct err *err)
{
	const struct json_object *aesgcm = json_get(provider, "aesgcm"), *keys = json_get(aesgcm, "keys");
	if (json_object_object_get_ex((struct json_object *)(uintptr_t)provider, "identity", NULL)) {
		rule->plain_first |= rule->n_keys == 0;
		rule->plain = true;
		return 0;
	}
	if (!aesgcm)
		return err_set(err, ERR_BAD_REQUEST, "a provider is neither aesgcm nor identity: %.80s",
			       json_object_to_json_string((struct json_object *)(uintptr_t)provider));
	if (json_len(keys) == 0)
		return err_set(err, ERR_BAD_REQUEST, "aesgcm has no keys");
	for (size_t i = 0; i < json_len(keys); i++)
		if (read_key(rule, json_at(keys, i), err) < 0)
			return -1;
	return 0;
}

static int read_rule(struct encryption *encryption, const struct json_object *entry, struct err *err)
{
	const struct json_object *patterns = json_get(entry, "resources"),
				 *providers = json_get(entry, "providers");
	encryption->rules =
	    mem_realloc_array(encryption->rules, encryption->n_rules + 1, sizeof(struct rule));
	struct rule *rule = &encryption->rules[encryption->n_rules++];
	*rule = (struct rule){ 0 };
	if (json_len(patterns) == 0 || json_len(providers) == 0)
		return err_set(err, ERR_BAD_REQUEST, "an entry needs resources and providers");
	rule->patterns = mem_zalloc(json_len(patterns) * sizeof(char *));
	for (size_t i = 0; i < json_len(patterns); i++) {
		const char *text = json_object_get_string(json_at(patterns, i));
		rule->patterns[rule->n_patterns++] = mem_dup(text ? text : "");
	}
	for (size_t i = 0; i < json_len(providers); i++)
		if (read_provider(rule, json_at(providers, i), err) < 0)
			return -1;
	if (!rule->plain_first)
		rule->keys[0].writes = true;
	return 0;
}

static int read_config(struct encryption *encryption, const char *path, struct err *err)
{
	CLEANUP(json_putp) struct json_object *config = NULL;
	if (config_file_read(path, "apiserver.config.k8s.io/v1", "EncryptionConfiguration", &config, err) < 0)
		return -1;
	const struct json_object *entries = json_get(config, "resources");
	if (json_len(entries) == 0)
		return err_set(err, ERR_BAD_REQUEST, "it has no resources");
	for (size_t i = 0; i < json_len(entries); i++)
		if (read_rule(encryption, json_at(entries, i), err) < 0)
			return -1;
	return 0;
}

int encryption_new(const char *path, struct encryption **ret, struct err *err)
{
	struct encryption *encryption = mem_zalloc(sizeof(*encryption));
	if (path && read_config(encryption, path, err) < 0) {
		encryption_free(encryption);
		return err_wrap(err, "encryption configuration %s", path);
	}
	*ret = encryption;
	return 0;
}

bool encryption_on(const struct encryption *encryption)
{
	for (size_t i = 0; i < encryption->n_rules; i++)
		if (!encryption->rules[i].plain_first)
			return true;
	return false;
}

/* --- which rule --- */

/* "secrets", "deployments.apps", "*.apps", "*." (core), "*.*". */
static bool matches(const char *pattern, const char *group, const char *plural)
{
	const char *dot = strchr(pattern, '.');
	size_t len = dot ? (size_t)(dot - pattern) : strlen(pattern);
	bool any = len == 1 && *pattern == '*';
	if (!any && (strlen(plural) != len || strncmp(pattern, plural, len) != 0))
		return false;
	return strcmp(dot ? dot + 1 : "", group) == 0 || (any && dot && strcmp(dot + 1, "*") == 0);
}

static struct rule *find_rule(const struct encryption *encryption, const char *group, const char *plural)
{
	for (size_t i = 0; i < encryption->n_rules; i++)
		for (size_t k = 0; k < encryption->rules[i].n_patterns; k++)
			if (matches(encryption->rules[i].patterns[k], group, plural))
				return &encryption->rules[i];
	return NULL;
}

/* --- keys --- */

static int derive(const struct key *key, const unsigned char *salt, struct derived *ret, struct err *err)
{
	static const char info[] = "knarr store aes-256-gcm";
	unsigned char middle[32], secret[KEY_BYTES];
	gnutls_datum_t from = { (unsigned char *)(uintptr_t)key->secret, key->secret_len },
		       salted = { (unsigned char *)(uintptr_t)salt, SALT_BYTES },
		       extracted = { middle, sizeof(middle) },
		       purpose = { (unsigned char *)(uintptr_t)info, sizeof(info) - 1 },
		       made = { secret, sizeof(secret) };
	int code = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &from, &salted, middle);
	if (code >= 0)
		code = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &extracted, &purpose, secret, sizeof(secret));
	if (code >= 0)
		code = gnutls_aead_cipher_init(&ret->cipher, GNUTLS_CIPHER_AES_256_GCM, &made);
	gnutls_memset(middle, 0, sizeof(middle));
	gnutls_memset(secret, 0, sizeof(secret));
	memcpy(ret->salt, salt, SALT_BYTES);
	return code < 0
		   ? err_set(err, ERR_INTERNAL, "encryption key \"%s\": %s", key->name, gnutls_strerror(code))
		   : 0;
}

/* Ours, drawn when the first value is sealed; it stays in place 0. */
static int own_key(struct key *key, struct err *err)
{
	unsigned char salt[SALT_BYTES];
	if (key->n_derived)
		return 0;
	int code = gnutls_rnd(GNUTLS_RND_KEY, salt, sizeof(salt));
	if (code < 0)
		return err_set(err, ERR_INTERNAL, "random numbers: %s", gnutls_strerror(code));
	if (derive(key, salt, &key->derived[0], err) < 0)
		return -1;
	key->n_derived = key->next_derived = 1;
	return 0;
}

static int key_of_salt(struct key *key, const unsigned char *salt, gnutls_aead_cipher_hd_t *ret,
		       struct err *err)
{
	struct derived made;
	if (own_key(key, err) < 0)
		return -1;
	for (size_t i = 0; i < key->n_derived; i++)
		if (memcmp(key->derived[i].salt, salt, SALT_BYTES) == 0) {
			*ret = key->derived[i].cipher;
			return 0;
		}
	if (derive(key, salt, &made, err) < 0)
		return -1;
	size_t at = key->next_derived;
	if (at == key->n_derived)
		key->n_derived++;
	else
		gnutls_aead_cipher_deinit(key->derived[at].cipher);
	key->derived[at] = made;
	key->next_derived = at + 1 == DERIVED_MAX ? 1 : at + 1;
	*ret = made.cipher;
	return 0;
}

/* --- which keys are in use --- */

static bool is_key(const struct key *key, const char *name, const unsigned char *secret, unsigned len)
{
	return strcmp(key->name, name) == 0 && key->secret_len == len &&
	       gnutls_memcmp(key->secret, secret, len) == 0;
}

static void add_use(struct encryption *encryption, const struct use *use)
{
	for (size_t i = encryption->n_uses; i-- > 0;) {
		const struct use *known = &encryption->uses[i];
		if (strcmp(known->plural, use->plural) == 0 && strcmp(known->group, use->group) == 0 &&
		    strcmp(known->name, use->name) == 0 && known->secret_len == use->secret_len &&
		    gnutls_memcmp(known->secret, use->secret, use->secret_len) == 0)
			return;
	}
	encryption->uses = mem_realloc_array(encryption->uses, encryption->n_uses + 1, sizeof(struct use));
	struct use *added = &encryption->uses[encryption->n_uses++];
	*added = *use;
	added->group = mem_dup(use->group);
	added->plural = mem_dup(use->plural);
	added->name = mem_dup(use->name);
}

static void note_use(struct encryption *encryption, const struct key *key, const struct store_change *change)
{
	struct use use = { .group = (char *)(uintptr_t)change->group,
			   .plural = (char *)(uintptr_t)change->plural,
			   .name = key->name,
			   .secret_len = key->secret_len };
	memcpy(use.secret, key->secret, key->secret_len);
	add_use(encryption, &use);
}

static bool can_open(const struct encryption *encryption, const struct use *use)
{
	const struct rule *rule = find_rule(encryption, use->group, use->plural);
	for (size_t i = 0; rule && i < rule->n_keys; i++)
		if (is_key(&rule->keys[i], use->name, use->secret, use->secret_len))
			return true;
	return false;
}

int encryption_succeed(struct encryption *encryption, const struct encryption *old, struct err *err)
{
	for (size_t i = 0; i < old->n_uses; i++) {
		const struct use *use = &old->uses[i];
		if (!can_open(encryption, use))
			return err_set(err, ERR_BAD_REQUEST,
				       "%s are stored encrypted with key \"%s\", which it does not have for "
				       "them: keep it behind the new one until the server has started again",
				       use->plural, use->name);
	}
	for (size_t i = 0; i < old->n_uses; i++)
		add_use(encryption, &old->uses[i]);
	return 0;
}

/* --- one value --- */

static void write_bound(struct buf *b, const struct store_change *change)
{
	buf_printf(b, "%s/%s/%s@%llu", change->group, change->plural, change->key,
		   (unsigned long long)change->revision);
}

static int seal(struct key *key, const struct store_change *change, struct buf *ret, struct err *err)
{
	unsigned char nonce[NONCE_BYTES] = { 0 };
	CLEANUP(buf_close) struct buf bound = BUF_INIT;
	if (own_key(key, err) < 0)
		return -1;
	write_bound(&bound, change);
	uint64_t number = key->nonce++;
	memcpy(nonce, &number, sizeof(number));
	buf_str(ret, PREFIX);
	buf_str(ret, key->name);
	buf_char(ret, ':');
	buf_add(ret, key->derived[0].salt, SALT_BYTES);
	buf_add(ret, nonce, sizeof(nonce));
	size_t len = change->value_len + TAG_BYTES;
	buf_reserve(ret, len);
	int code = gnutls_aead_cipher_encrypt(key->derived[0].cipher, nonce, sizeof(nonce), bound.data,
					      bound.len, TAG_BYTES, change->value, change->value_len,
					      ret->data + ret->len, &len);
	if (code < 0)
		return err_set(err, ERR_INTERNAL, "encrypt %s: %s", bound.data, gnutls_strerror(code));
	ret->len += len;
	ret->data[ret->len] = '\0';
	return 0;
}

int encryption_seal(struct encryption *encryption, const struct store_change *change, struct buf *ret,
		    struct err *err)
{
	struct rule *rule = find_rule(encryption, change->group, change->plural);
	if (!rule || rule->plain_first)
		return 0;
	note_use(encryption, &rule->keys[0], change);
	return seal(&rule->keys[0], change, ret, err);
}

static struct key *find_key(struct rule *rule, const char *name, size_t len)
{
	for (size_t i = 0; rule && i < rule->n_keys; i++)
		if (strlen(rule->keys[i].name) == len && memcmp(rule->keys[i].name, name, len) == 0)
			return &rule->keys[i];
	return NULL;
}

int encryption_open(struct encryption *encryption, const struct store_change *change, struct buf *ret,
		    bool *ret_stale, struct err *err)
{
	struct rule *rule = find_rule(encryption, change->group, change->plural);
	bool to_seal = rule && !rule->plain_first;
	const char *value = change->value, *end = value + change->value_len;
	*ret_stale = false;
	if (change->value_len < PREFIX_LEN || memcmp(value, PREFIX, PREFIX_LEN) != 0) {
		*ret_stale = to_seal;
		return 0;
	}
	const char *name = value + PREFIX_LEN, *colon = memchr(name, ':', (size_t)(end - name));
	if (!colon || end - colon <= 1 + SALT_BYTES + NONCE_BYTES + TAG_BYTES)
		return err_set(err, ERR_CORRUPT, "row %llu is not what was written",
			       (unsigned long long)change->revision);
	struct key *key = find_key(rule, name, (size_t)(colon - name));
	if (!key)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "it is encrypted with key \"%.*s\", which --encryption-provider-config does not have "
		    "for it",
		    (int)(colon - name), name);
	const unsigned char *salt = (const unsigned char *)colon + 1, *nonce = salt + SALT_BYTES,
			    *sealed = nonce + NONCE_BYTES;
	gnutls_aead_cipher_hd_t cipher;
	CLEANUP(buf_close) struct buf bound = BUF_INIT;
	if (key_of_salt(key, salt, &cipher, err) < 0)
		return -1;
	write_bound(&bound, change);
	size_t sealed_len = (size_t)(end - (const char *)sealed), len = sealed_len - TAG_BYTES;
	buf_reserve(ret, len);
	if (gnutls_aead_cipher_decrypt(cipher, nonce, NONCE_BYTES, bound.data, bound.len, TAG_BYTES, sealed,
				       sealed_len, ret->data + ret->len, &len) < 0)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "it does not open with key \"%s\" of --encryption-provider-config: that is another key "
		    "of this name, or the row was tampered with",
		    key->name);
	ret->len += len;
	ret->data[ret->len] = '\0';
	*ret_stale = !to_seal || key != &rule->keys[0];
	if (!*ret_stale)
		note_use(encryption, key, change);
	return 0;
}
