#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

void bench_figure(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
	fflush(stdout);
}

void bench_die(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "knarr-bench: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

size_t bench_count(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n == 0)
		bench_die("\"%s\" is no count", text);
	return n;
}
