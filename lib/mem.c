#include "lib/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *mem_checked(void *p)
{
	if (!p) {
		/* Not through the log: it may need memory itself. */
		static const char text[] = "out of memory\n";
		ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
		(void)n;
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_checked(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return mem_checked(calloc(1, size ? size : 1));
}

void *mem_realloc(void *p, size_t size)
{
	return mem_checked(realloc(p, size ? size : 1));
}

void *mem_realloc_array(void *p, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		mem_checked(NULL);
	return mem_realloc(p, total);
}

char *mem_dup(const char *s)
{
	return s ? mem_checked(strdup(s)) : NULL;
}

char *mem_dupn(const char *s, size_t n)
{
	return s ? mem_checked(strndup(s, n)) : NULL;
}

void *mem_copy(const void *p, size_t size)
{
	void *copy = mem_alloc(size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *mem_printf(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = mem_vprintf(format, ap);
	va_end(ap);
	return s;
}

char *mem_vprintf(const char *format, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, format, ap) < 0)
		mem_checked(NULL);
	return s;
}

/* Of jemalloc, in the programs that are linked with it. */
extern int mallctl(const char *name, void *old, size_t *old_len, void *new_, size_t new_len)
    __attribute__((weak));

void mem_trim(void)
{
	/* 4096 stands for all its arenas (MALLCTL_ARENAS_ALL). */
	if (mallctl)
		mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
	else
		malloc_trim(0);
}

void mem_freep(void *p)
{
	free(*(void **)p);
}

void mem_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void mem_fclosep(void *f)
{
	FILE *file = *(FILE **)f;

	if (file)
		fclose(file);
}
