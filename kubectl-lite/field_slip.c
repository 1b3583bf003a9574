#include "kubectl-lite/field_slip.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/resource.h"
#include "lib/buf.h"

/* The schema of KIND in `KIND in version "VERSION" cannot be handled`. The group is not told: the first kind
 * of that name is taken. */
static const struct schema_def *find_def(const char *message)
{
	static const char mark[] = " in version \"";
	const char *at = strstr(message, mark);
	const char *kind = at, *version = at ? at + strlen(mark) : NULL;
	size_t n;
	const struct resource *all = resource_all(&n);

	while (kind && kind > message && isalnum((unsigned char)kind[-1]))
		kind--;
	for (size_t i = 0; at && i < n; i++) {
		size_t len = strlen(all[i].kind_name), version_len = strlen(all[i].version);
		if ((size_t)(at - kind) == len && strncmp(kind, all[i].kind_name, len) == 0 &&
		    strncmp(version, all[i].version, version_len) == 0 && version[version_len] == '"')
			return all[i].def;
	}
	return NULL;
}

/* The text behind MARK, up to the next backslash. */
static const char *quoted(const char *message, const char *mark, size_t *ret_len)
{
	const char *at = strstr(message, mark);

	if (!at)
		return NULL;
	at += strlen(mark);
	*ret_len = strcspn(at, "\\");
	return at;
}

/* The schema of the first object that is shown in a message about a patch, as JSON in a string. */
static const struct schema_def *find_shown_def(const char *message)
{
	size_t n, kind_len, version_len;
	const char *kind = quoted(message, "\\\"kind\\\":\\\"", &kind_len);
	const char *version = quoted(message, "\\\"apiVersion\\\":\\\"", &version_len);
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; kind && version && i < n; i++)
		if (strlen(all[i].kind_name) == kind_len && !strncmp(kind, all[i].kind_name, kind_len) &&
		    strlen(all[i].group_version) == version_len &&
		    !strncmp(version, all[i].group_version, version_len))
			return all[i].def;
	return NULL;
}

/* PATH ("spec.template.spec.containers[0].imge", LEN long) with its last name put right, in RET; false when
 * none is near. */
static bool put_right(const struct schema_def *def, const char *path, size_t len, struct buf *ret)
{
	for (size_t at = 0;;) {
		size_t name = at, end = at + strcspn(path + at, ".[\"");
		size_t next = end < len ? end + strcspn(path + end, ".\"") : len;
		if (!def || end > len)
			return false;
		if (next >= len) {
			CLEANUP(mem_freep) char *typed = mem_dupn(path + name, end - name);
			struct suggestion s = suggest_for(typed);
			for (size_t i = 0; i < def->n_fields; i++)
				suggest_offer(&s, schema_fields(def)[i].name);
			buf_add(ret, path, name);
			buf_str(ret, s.near);
			return *s.near;
		}
		const struct schema_field *field = schema_field_find(def, path + name, end - name);
		def = field ? field->def : NULL;
		at = next + 1;
	}
}

size_t field_slip_each(const char *message, void (*fn)(const char *path, void *arg), void *arg)
{
	static const char mark[] = "unknown field \"";
	const struct schema_def *def = strstr(message, mark) ? find_def(message) : NULL;
	size_t n = 0;

	if (!def && strstr(message, mark))
		def = find_shown_def(message);

	for (const char *at = message; def && (at = strstr(at, mark));) {
		CLEANUP(buf_close) struct buf path = BUF_INIT;
		at += strlen(mark);
		if (put_right(def, at, strcspn(at, "\""), &path)) {
			fn(path.data, arg);
			n++;
		}
	}
	return n;
}

static void tell(const char *path, void *arg)
{
	size_t *told = arg;

	fprintf(stderr, "%s\t%s\n", (*told)++ ? "" : "\nDid you mean this?\n", path);
}

void field_slip_tell(const char *message)
{
	size_t told = 0;

	field_slip_each(message, tell, &told);
}
