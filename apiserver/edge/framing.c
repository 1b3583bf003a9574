#include "apiserver/edge/framing.h"

#include <string.h>
#include <strings.h>

struct framing {
	unsigned lengths, encodings, hosts;
	const char *fault;
};

static enum MHD_Result look(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct framing *framing = cls;
	(void)kind;
	if (!*key || key[strcspn(key, " \t\r\n\v\f")])
		framing->fault = "white space in the name of a header";
	else if (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
		framing->lengths++;
	else if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0)
		framing->hosts++;
	else if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 && ++framing->encodings &&
		 (!value || strcasecmp(value, "chunked") != 0))
		framing->fault = "unsupported transfer encoding";
	return MHD_YES;
}

const char *framing_fault(struct MHD_Connection *connection)
{
	struct framing framing = { 0 };
	MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &framing);
	if (framing.fault)
		return framing.fault;
	if (framing.lengths + framing.encodings > 1)
		return "more than one length of the body";
	return framing.hosts > 1 ? "too many Host headers" : NULL;
}
