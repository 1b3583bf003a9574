#include "lib/own_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/mem.h"

char *own_address(void)
{
	/* Connecting a datagram socket sends nothing; the kernel picks the route and with it our address. */
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) }, own;
	socklen_t len = sizeof(own);
	char text[INET_ADDRSTRLEN];
	CLEANUP(mem_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return mem_dup("127.0.0.1");
	return mem_dup(inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)));
}

bool own_address_is_loopback(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
