#include "apiserver/authn/token_file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/file_stamp.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/map.h"

#define TOKEN_FILE_MAX (1024 * 1024)
/* How old the knowledge about the file may be, when a token is used. */
#define LOOK_EVERY_MS 100

struct token {
	char *text;
	struct identity *identity;
};

struct token_file {
	char *path;
	pthread_mutex_t lock; /* over all below */
	int64_t looked_ms;    /* when the file was last looked at */
	struct file_stamp stamp;
	struct map by_text; /* struct token */
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
	identity_add_group(token->identity, GROUP_AUTHENTICATED, strlen(GROUP_AUTHENTICATED));
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

static int token_file_read(struct token_file *file, struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (buf_read_file(&text, file->path, TOKEN_FILE_MAX, err) < 0)
		return err_wrap(err, "token file");
	tokens_clear(&file->by_text);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			tokens_add(&file->by_text, line);
	}
	return 0;
}

int token_file_new(const char *path, struct token_file **ret, struct err *err)
{
	struct token_file *file = mem_zalloc(sizeof(*file));
	file->path = mem_dup(path);
	file->by_text = MAP_INIT;
	pthread_mutex_init(&file->lock, NULL);
	file->stamp = file_stamp_take(file->path);
	if (token_file_read(file, err) < 0) {
		token_file_free(file);
		return -1;
	}
	*ret = file;
	return 0;
}

void token_file_free(struct token_file *file)
{
	if (!file)
		return;
	tokens_clear(&file->by_text);
	pthread_mutex_destroy(&file->lock);
	free(file->path);
	free(file);
}

/* A file that is gone or cannot be read keeps the tokens that were good. */
static void token_file_look(struct token_file *file)
{
	struct err err = ERR_INIT;
	if (file_stamp_changed(&file->stamp) && token_file_read(file, &err) < 0)
		log_warn("tokens not read again", "error", err.msg, NULL);
}

struct identity *token_file_find(struct token_file *file, const char *token)
{
	pthread_mutex_lock(&file->lock);
	int64_t now_ms = file_stamp_clock_ms();
	if (now_ms - file->looked_ms >= LOOK_EVERY_MS) {
		file->looked_ms = now_ms;
		token_file_look(file);
	}
	struct token *found = map_get(&file->by_text, token);
	struct identity *identity = found ? identity_ref(found->identity) : NULL;
	pthread_mutex_unlock(&file->lock);
	return identity;
}
