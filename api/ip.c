#include "api/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ip_valid(const char *s, bool *ret_v6)
{
	struct in6_addr v6;
	struct in_addr v4;
	bool is_v6;

	if (inet_pton(AF_INET, s, &v4) == 1)
		is_v6 = false;
	else if (inet_pton(AF_INET6, s, &v6) == 1)
		is_v6 = true;
	else
		return false;
	if (ret_v6)
		*ret_v6 = is_v6;
	return true;
}

bool ip_cidr_valid(const char *s)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	size_t len = slash ? (size_t)(slash - s) : 0, digits;
	bool v6;

	if (!slash || len >= sizeof(address))
		return false;
	memcpy(address, s, len);
	address[len] = '\0';
	digits = strspn(slash + 1, "0123456789");
	if (!ip_valid(address, &v6) || digits == 0 || digits > 3 || slash[1 + digits])
		return false;
	return strtol(slash + 1, NULL, 10) <= (v6 ? 128 : 32);
}

void ip_validate(const char *s, struct field_path *path, struct field_errors *errors)
{
	if (!ip_valid(s, NULL))
		field_error_invalid_str(errors, path, s,
					"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

/* An address that no other machine can reach, and in whose range it lies; NULL when it is fine. */
static const char *special_v4(uint32_t a)
{
	if (a == 0)
		return "may not be unspecified (0.0.0.0)";
	if (a >> 24 == 127)
		return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
	if (a >> 16 == 0xa9fe)
		return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
	if (a >> 8 == 0xe00000)
		return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
	return NULL;
}

static const char *special_v6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "may not be unspecified (::)";
	if (IN6_IS_ADDR_LOOPBACK(a))
		return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
	if (IN6_IS_ADDR_LINKLOCAL(a))
		return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
	if (IN6_IS_ADDR_MC_LINKLOCAL(a))
		return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
	return NULL;
}

void ip_validate_not_special(const char *s, struct field_path *path, struct field_errors *errors)
{
	const char *why = NULL;
	struct in6_addr v6;
	struct in_addr v4;

	ip_validate(s, path, errors);
	if (inet_pton(AF_INET, s, &v4) == 1)
		why = special_v4(ntohl(v4.s_addr));
	else if (inet_pton(AF_INET6, s, &v6) == 1)
		why = special_v6(&v6);
	if (why)
		field_error_invalid_str(errors, path, s, "%s", why);
}

/* The address of CIDR in 16 bytes and its number of bits; the family. */
static int cidr_bytes(const char *cidr, unsigned char bytes[16], int *ret_bits)
{
	char address[INET6_ADDRSTRLEN];
	int family = strchr(cidr, ':') ? AF_INET6 : AF_INET;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(cidr, "/"), cidr);
	memset(bytes, 0, 16);
	inet_pton(family, address, bytes);
	*ret_bits = (int)strtol(strchr(cidr, '/') + 1, NULL, 10);
	return family;
}

bool ip_cidr_inside(const char *part, const char *whole)
{
	unsigned char a[16], b[16];
	int part_bits, whole_bits;

	if (cidr_bytes(part, a, &part_bits) != cidr_bytes(whole, b, &whole_bits) || part_bits <= whole_bits)
		return false;
	for (int bit = 0; bit < whole_bits; bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

bool ip_canonical(const char *s)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(s, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, s, bytes) == 1 && inet_ntop(family, bytes, text, sizeof(text)) &&
	       strcmp(text, s) == 0;
}
