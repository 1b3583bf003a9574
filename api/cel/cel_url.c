/* URLs, absolute ones or paths.
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library
 */
#include <ctype.h>
#include <string.h>

#include "api/cel/cel_functions.h"

/* Parts of a text, none of them NUL-terminated. */
struct part {
	const char *at;
	size_t len;
};

struct url {
	struct part scheme, host, hostname, port, path, query;
	const char *text;
	size_t len;
};

static bool is_hex(const char *at, const char *end)
{
	return end - at >= 3 && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]);
}

static bool escapes_hold(const struct part *part)
{
	for (const char *at = part->at, *end = at + part->len; at < end; at++)
		if (*at == '%' && !is_hex(at, end))
			return false;
	return true;
}

/* --- parsing --- */

static bool is_port(const struct part *port)
{
	for (size_t i = 0; i < port->len; i++)
		if (!isdigit((unsigned char)port->at[i]))
			return false;
	return true;
}

static bool split_host(struct url *url)
{
	const char *at = url->host.at, *end = at + url->host.len, *colon;

	for (const char *s = at; s < end; s++)
		if (*s == ' ' || *s == '"' || *s == '<' || *s == '>' || *s == '\\' || *s == '^' ||
		    *s == '`' || *s == '{' || *s == '|' || *s == '}')
			return false;
	if (at < end && *at == '[') {
		const char *close = memchr(at, ']', (size_t)(end - at));

		if (!close || (close + 1 < end && close[1] != ':'))
			return false;
		url->hostname = (struct part){ at + 1, (size_t)(close - at) - 1 };
		colon = close + 1;
	} else {
		colon = memrchr(at, ':', (size_t)(end - at));
		colon = colon ? colon : end;
		url->hostname = (struct part){ at, (size_t)(colon - at) };
	}
	if (colon < end)
		url->port = (struct part){ colon + 1, (size_t)(end - colon) - 1 };
	return is_port(&url->port) && escapes_hold(&url->hostname);
}

/* "scheme:" before the rest; false when there is none. */
static bool split_scheme(const char **at, const char *end, struct url *url)
{
	const char *s = *at;

	if (s == end || !isalpha((unsigned char)*s))
		return false;
	while (s < end && (isalnum((unsigned char)*s) || *s == '+' || *s == '-' || *s == '.'))
		s++;
	if (s == end || *s != ':')
		return false;
	url->scheme = (struct part){ *at, (size_t)(s - *at) };
	*at = s + 1;
	return true;
}

static bool parse(const struct cel_value *text, struct url *ret)
{
	const char *at = text->text, *end = at + text->len, *stop;
	bool absolute;

	*ret = (struct url){ .text = at, .len = text->len };
	for (const char *s = at; s < end; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7F)
			return false;
	absolute = split_scheme(&at, end, ret);
	if (!absolute && (at == end || *at != '/'))
		return false;
	stop = memchr(at, '?', (size_t)(end - at));
	stop = stop ? stop : end;
	if (stop < end)
		ret->query = (struct part){ stop + 1, (size_t)(end - stop) - 1 };
	if (absolute && stop - at >= 2 && at[0] == '/' && at[1] == '/') {
		const char *slash = memchr(at + 2, '/', (size_t)(stop - at) - 2), *user;

		slash = slash ? slash : stop;
		user = memrchr(at + 2, '@', (size_t)(slash - at) - 2);
		at = user ? user + 1 : at + 2;
		ret->host = (struct part){ at, (size_t)(slash - at) };
		at = slash;
		if (!split_host(ret))
			return false;
	} else if (absolute && (at == stop || *at != '/')) {
		return at < stop; /* mailto:someone: nothing of it is shown */
	}
	ret->path = (struct part){ at, (size_t)(stop - at) };
	return escapes_hold(&ret->path);
}

CEL_FUNCTION(cel_url)
{
	struct url *url = cel_alloc(&e->arena, sizeof(*url));

	(void)node, (void)n;
	cel_charge(e, args[0].len);
	if (!parse(&args[0], url))
		return cel_errorf(
		    e,
		    "URL parse error during conversion from string: parse \"%.*s\": invalid URI "
		    "for request",
		    (int)(args[0].len < 200 ? args[0].len : 200), args[0].text);
	return (struct cel_value){ .kind = CEL_URL, .data = url };
}

CEL_FUNCTION(cel_is_url)
{
	struct url ignored;

	(void)node, (void)n;
	cel_charge(e, args[0].len);
	return cel_bool(parse(&args[0], &ignored));
}

bool cel_url_same(const struct cel_value *a, const struct cel_value *b)
{
	const struct url *x = a->data, *y = b->data;

	return x->len == y->len && !memcmp(x->text, y->text, x->len);
}

/* --- parts --- */

/* What a path cannot have as it is gets escaped. */
static struct cel_value escaped(struct cel_eval *e, const struct part *part)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (!cel_charge(e, part->len))
		return cel_exhausted();
	for (size_t i = 0; i < part->len; i++) {
		unsigned char c = (unsigned char)part->at[i];

		if (c <= ' ' || c >= 0x7F || strchr("\"<>\\^`{|}", c))
			buf_printf(&text, "%%%02X", c);
		else
			buf_char(&text, (char)c);
	}
	return cel_new_text(e, text.data ? text.data : "", text.len);
}

CEL_FUNCTION(cel_url_part)
{
	const struct url *url = args[0].data;
	const struct {
		const char *name;
		const struct part *part;
	} rows[] = {
		{ "getScheme", &url->scheme },
		{ "getHost", &url->host },
		{ "getHostname", &url->hostname },
		{ "getPort", &url->port },
	};

	(void)n;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, node->name) == 0)
			return cel_text(rows[i].part->at ? rows[i].part->at : "", rows[i].part->len);
	return escaped(e, &url->path);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* A name or value of a query as it is meant. */
static struct cel_value unescaped(struct cel_eval *e, const char *at, size_t len)
{
	char *made = cel_alloc(&e->arena, len + 1), *to = made;

	for (const char *end = at + len; at < end; at++) {
		if (*at == '%') {
			*to++ = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		} else {
			*to++ = *at == '+' ? ' ' : *at;
		}
	}
	return cel_text(made, (size_t)(to - made));
}

/* The pairs of QUERY, of which there are fewer than there is room for, in their order; returns how many. */
static size_t split_query(struct cel_eval *e, const struct part *query, struct cel_value *keys,
			  struct cel_value *values)
{
	const char *at = query->at, *end = at ? at + query->len : NULL;
	size_t n = 0;

	for (const char *stop; at < end; at = stop + 1) {
		struct part pair;
		const char *equals;

		stop = memchr(at, '&', (size_t)(end - at));
		stop = stop ? stop : end;
		pair = (struct part){ at, (size_t)(stop - at) };
		if (!pair.len || !escapes_hold(&pair))
			continue;
		equals = memchr(at, '=', pair.len);
		equals = equals ? equals : stop;
		keys[n] = unescaped(e, at, (size_t)(equals - at));
		at = equals < stop ? equals + 1 : stop;
		values[n++] = unescaped(e, at, (size_t)(stop - at));
	}
	return n;
}

/* The values of KEYS[I] from there on, as a list. */
static struct cel_value values_of(struct cel_eval *e, const struct cel_value *keys,
				  const struct cel_value *values, size_t i, size_t n)
{
	struct cel_value *items, list;
	size_t same = 0;

	for (size_t k = i; k < n; k++)
		same += cel_equal(e, &keys[k], &keys[i]);
	list = cel_new_list(e, same, &items);
	for (size_t k = i, to = 0; k < n && list.kind != CEL_ERROR; k++)
		if (cel_equal(e, &keys[k], &keys[i]))
			items[to++] = values[k];
	return list;
}

CEL_FUNCTION(cel_url_query)
{
	const struct url *url = args[0].data;
	struct cel_map *map, *pairs;
	struct cel_value result, found;
	size_t room = 1, len;

	(void)node, (void)n;
	for (size_t i = 0; i < url->query.len; i++)
		room += url->query.at[i] == '&';
	if (!cel_charge(e, url->query.len + room * room))
		return cel_exhausted();
	result = cel_new_map(e, room, &pairs);
	if (result.kind != CEL_ERROR)
		result = cel_new_map(e, room, &map);
	if (result.kind == CEL_ERROR)
		return result;
	len = split_query(e, &url->query, pairs->keys, pairs->values);
	for (size_t i = 0; i < len; i++) {
		struct cel_value list;

		if (cel_map_find(e, &result, &pairs->keys[i], &found))
			continue;
		list = values_of(e, pairs->keys, pairs->values, i, len);
		if (list.kind == CEL_ERROR)
			return list;
		map->keys[map->n] = pairs->keys[i];
		map->values[map->n++] = list;
	}
	return result;
}
