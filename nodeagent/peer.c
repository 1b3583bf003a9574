#include "nodeagent/peer.h"

#include <string.h>

bool peer_may(struct http_exchange *exchange)
{
	static const char text[] = "Forbidden: only the API server may";

	if (strcmp(http_exchange_client(exchange), PEER_API_SERVER) == 0)
		return true;
	http_exchange_reply(exchange, 403, "text/plain; charset=utf-8", text, strlen(text));
	return false;
}
