#include "apiserver/chance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static _Thread_local struct {
	unsigned char bytes[4096];
	size_t left;
} pool;

static void take(unsigned char *bytes, size_t n)
{
	if (pool.left < n) {
		/* Only a signal can come in between: 4096 bytes may be interrupted. */
		for (size_t got = 0; got < sizeof(pool.bytes);) {
			ssize_t more = getrandom(pool.bytes + got, sizeof(pool.bytes) - got, 0);
			if (more > 0)
				got += (size_t)more;
			else if (errno != EINTR)
				abort();
		}
		pool.left = sizeof(pool.bytes);
	}
	pool.left -= n;
	memcpy(bytes, pool.bytes + pool.left, n);
}

char *chance_uuid(char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];
	take(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	char *out = text;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
	return text;
}

void chance_name(char *text, size_t n)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	const unsigned letters = sizeof(alphabet) - 1;
	for (size_t i = 0; i < n;) {
		unsigned char byte;
		take(&byte, 1);
		if (byte < 256 / letters * letters) /* else the first letters would come more often */
			text[i++] = alphabet[byte % letters];
	}
	text[n] = '\0';
}

uint64_t chance_number(void)
{
	uint64_t number;
	take((unsigned char *)&number, sizeof(number));
	return number;
}
