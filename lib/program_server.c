#include "lib/program_server.h"

#include <stdlib.h>
#include <string.h>

enum { PEM_MAX_BYTES = 256 * 1024 };

int program_parse_listen(const char *text, char **ret_address, uint16_t *ret_port, struct err *err)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : -1;

	if (!colon || end == colon + 1 || *end || port < 0 || port > UINT16_MAX)
		return err_set(err, ERR_BAD_REQUEST,
			       "invalid address \"%s\": want ADDRESS:PORT, such as 127.0.0.1:6443", text);
	size_t len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
		*ret_address = mem_dupn(text + 1, len - 2);
	else
		*ret_address = len ? mem_dupn(text, len) : mem_dup("0.0.0.0");
	*ret_port = (uint16_t)port;
	return 0;
}

static int read_pem(const char *flag, const char *path, struct buf *ret, struct err *err)
{
	if (!path)
		return err_set(err, ERR_BAD_REQUEST, "--listen needs --%s as well", flag);
	return buf_read_file(ret, path, PEM_MAX_BYTES, err);
}

int program_server_start(struct loop *loop, const struct program_server_flags *flags,
			 const struct http_route *routes, void *arg, struct http_routes **ret,
			 struct err *err)
{
	static const struct http_route none[] = { { 0 } };
	CLEANUP(buf_close) struct buf cert = BUF_INIT, key = BUF_INIT, client_ca = BUF_INIT;
	CLEANUP(mem_freep) char *address = NULL;
	uint16_t port = 0;

	*ret = NULL;
	if (!flags->listen)
		return 0;
	if (program_parse_listen(flags->listen, &address, &port, err) < 0 ||
	    read_pem("tls-cert", flags->cert, &cert, err) < 0 ||
	    read_pem("tls-key", flags->key, &key, err) < 0 ||
	    read_pem("client-ca", flags->client_ca, &client_ca, err) < 0)
		return -1;
	struct http_routes_opts opts = { .address = address,
					 .port = port,
					 .cert_pem = cert.data,
					 .key_pem = key.data,
					 .client_ca_pem = client_ca.data };
	struct http_routes *server = http_routes_new(loop, &opts, routes ? routes : none, arg, err);
	if (!server)
		return err_wrap(err, "cannot listen on %s", flags->listen);
	*ret = server;
	return 0;
}
