#include "apiserver/edge/identity.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/map.h"

#define TOKEN_FILE_MAX (1024 * 1024)
#define GROUPS_MAX     64
/* How old the knowledge about the file may be, when a token is used. */
#define LOOK_EVERY_MS 100

static struct identity *identity_new(const char *user, const char *uid)
{
	struct identity *identity = mem_zalloc(sizeof(*identity));
	identity->refs = 1;
	identity->user = mem_dup(user);
	identity->uid = mem_dup(uid);
	return identity;
}

static void identity_add_group(struct identity *identity, const char *group, size_t len)
{
	if (len == 0 || identity->n_groups == GROUPS_MAX)
		return;
	identity->groups = mem_realloc_array(identity->groups, identity->n_groups + 1, sizeof(char *));
	identity->groups[identity->n_groups++] = mem_dupn(group, len);
}

static void identity_add_authenticated(struct identity *identity)
{
	static const char group[] = "system:authenticated";
	identity_add_group(identity, group, sizeof(group) - 1);
}

struct identity *identity_ref(struct identity *identity)
{
	identity->refs++;
	return identity;
}

void identity_unref(struct identity *identity)
{
	if (!identity || --identity->refs)
		return;
	for (size_t i = 0; i < identity->n_groups; i++)
		free(identity->groups[i]);
	free(identity->groups);
	free(identity->user);
	free(identity->uid);
	free(identity);
}

/* Attribute INDEX of the subject; false when there is none, or it is too long to be a name. */
static bool subject_attribute(gnutls_x509_crt_t certificate, const char *oid, unsigned index, char *text,
			      size_t size)
{
	size_t len = size;
	return gnutls_x509_crt_get_dn_by_oid(certificate, oid, index, 0, text, &len) == 0 && len > 0;
}

static struct identity *identity_of_subject(gnutls_x509_crt_t certificate)
{
	char text[256];
	if (!subject_attribute(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, text, sizeof(text)))
		return NULL;
	struct identity *identity = identity_new(text, "");
	for (unsigned i = 0;
	     subject_attribute(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, i, text, sizeof(text)); i++)
		identity_add_group(identity, text, strlen(text));
	identity_add_authenticated(identity);
	return identity;
}

struct identity *identity_of_certificate(gnutls_session_t session)
{
	unsigned n = 0, status = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	if (!chain || n == 0)
		return NULL;
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
		return NULL;
	gnutls_x509_crt_t certificate;
	if (gnutls_x509_crt_init(&certificate) < 0)
		return NULL;
	struct identity *identity = NULL;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		identity = identity_of_subject(certificate);
	gnutls_x509_crt_deinit(certificate);
	return identity;
}

struct token {
	char *text;
	struct identity *identity;
};

struct tokens {
	char *path;
	pthread_mutex_t lock; /* over all below */
	int64_t looked_ms;    /* when the file was last looked at */
	struct stat seen;     /* of the file when it was read */
	struct map by_text;   /* struct token */
};

/* One field of a CSV line, quotes taken off; *LINE is moved behind it, NULL at the end. */
static char *csv_field(char **line)
{
	char *at = *line;
	if (!at)
		return NULL;
	while (*at == ' ')
		at++;
	if (*at != '"') {
		char *field = strsep(line, ",");
		while (*field == ' ')
			field++;
		return field;
	}
	char *field = ++at, *out = at;
	for (; *at && !(at[0] == '"' && at[1] != '"'); at++) {
		if (at[0] == '"')
			at++;
		*out++ = *at;
	}
	char *comma = strchr(at, ',');
	*line = comma ? comma + 1 : NULL;
	*out = '\0';
	return field;
}

static void tokens_add(struct map *by_text, char *line)
{
	char *text = csv_field(&line), *user = csv_field(&line), *uid = csv_field(&line),
	     *groups = csv_field(&line);
	if (!text || !*text || !user || !*user || map_get(by_text, text))
		return;
	struct token *token = mem_zalloc(sizeof(*token));
	token->text = mem_dup(text);
	token->identity = identity_new(user, uid ? uid : "");
	for (char *group; (group = strsep(&groups, ","));)
		identity_add_group(token->identity, group, strlen(group));
	identity_add_authenticated(token->identity);
	map_put(by_text, token->text, token);
}

static void tokens_clear(struct map *by_text)
{
	const char *key;
	void *value;
	for (size_t i = 0; map_next(by_text, &i, &key, &value);) {
		struct token *token = value;
		identity_unref(token->identity);
		free(token->text);
		free(token);
	}
	map_close(by_text);
	*by_text = MAP_INIT;
}

static int tokens_read(struct tokens *tokens, const struct stat *now, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (buf_read_file(&text, tokens->path, TOKEN_FILE_MAX, err) < 0)
		return err_wrap(err, "token file");
	tokens_clear(&tokens->by_text);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			tokens_add(&tokens->by_text, line);
	}
	tokens->seen = *now;
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int tokens_new(const char *path, struct tokens **ret, struct err *err)
{
	struct tokens *tokens = mem_zalloc(sizeof(*tokens));
	tokens->path = mem_dup(path);
	tokens->by_text = MAP_INIT;
	pthread_mutex_init(&tokens->lock, NULL);
	struct stat now = { 0 };
	stat(path, &now); /* a missing file is what tokens_read reports */
	if (tokens_read(tokens, &now, err) < 0) {
		tokens_free(tokens);
		return -1;
	}
	*ret = tokens;
	return 0;
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	tokens_clear(&tokens->by_text);
	pthread_mutex_destroy(&tokens->lock);
	free(tokens->path);
	free(tokens);
}

/* A file that is gone or cannot be read keeps the tokens that were good. */
static void tokens_look(struct tokens *tokens)
{
	struct stat now;
	struct err err = ERR_INIT;
	if (stat(tokens->path, &now) < 0 || same_file(&now, &tokens->seen) ||
	    tokens_read(tokens, &now, &err) == 0)
		return;
	log_warn("tokens not read again", "error", err.msg, NULL);
	tokens->seen = now;
}

/* Costs no system call, is right to a few milliseconds. */
static int64_t coarse_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct identity *tokens_find(struct tokens *tokens, const char *token)
{
	pthread_mutex_lock(&tokens->lock);
	int64_t now_ms = coarse_ms();
	if (now_ms - tokens->looked_ms >= LOOK_EVERY_MS) {
		tokens->looked_ms = now_ms;
		tokens_look(tokens);
	}
	struct token *found = map_get(&tokens->by_text, token);
	struct identity *identity = found ? identity_ref(found->identity) : NULL;
	pthread_mutex_unlock(&tokens->lock);
	return identity;
}
