/* The floor under every command line client: a program that does nothing but one GET with GnuTLS, from exec
 * to exit. Alone, so that nothing else is loaded.
 *
 *     floor-get PORT CA CERTIFICATE KEY PATH
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST "127.0.0.1"
/* As lib/tls_identity.c: the quickest group first, and only its key is made in advance. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:+GROUP-ALL"

static void must(int code, const char *what)
{
	if (code >= 0)
		return;
	fprintf(stderr, "floor-get: %s: %s\n", what, gnutls_strerror(code));
	exit(1);
}

static int connect_to(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("floor-get: connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static bool listening;

/* gnutls_pull_func */
static ssize_t pull(gnutls_transport_ptr_t fd, void *data, size_t size)
{
	if (listening)
		return recv((int)(intptr_t)fd, data, size, 0);
	errno = EAGAIN;
	return -1;
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	char text[16384];

	if (argc != 6) {
		fprintf(stderr, "usage: floor-get PORT CA CERTIFICATE KEY PATH\n");
		return 2;
	}
	must(gnutls_certificate_allocate_credentials(&credentials), "TLS");
	int fd = connect_to(argv[1]);
	must(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP), "TLS");
	must(gnutls_priority_set_direct(session, PRIORITIES, NULL), "TLS");
	must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), "TLS");
	gnutls_session_set_verify_cert(session, HOST, 0);
	gnutls_transport_set_int(session, fd); /* a macro that names its argument twice */
	gnutls_transport_set_pull_function(session, pull);
	/* The hello; certificates are read while the server answers it. */
	int code = gnutls_handshake(session);
	/* Whether the two belong together the server finds out. */
	gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	must(gnutls_certificate_set_x509_trust_file(credentials, argv[2], GNUTLS_X509_FMT_PEM), argv[2]);
	must(gnutls_certificate_set_x509_key_file(credentials, argv[3], argv[4], GNUTLS_X509_FMT_PEM),
	     argv[3]);
	listening = true;
	while (code == GNUTLS_E_AGAIN)
		code = gnutls_handshake(session);
	must(code, "handshake");
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: " HOST "\r\n\r\n", argv[5]);
	must((int)gnutls_record_send(session, text, (size_t)n), "send");
	n = (int)gnutls_record_recv(session, text, sizeof(text) - 1);
	must(n, "receive");
	text[n] = '\0';
	return strncmp(text, "HTTP/1.1 200", 12) == 0 ? 0 : 1;
}
