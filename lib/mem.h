/* Memory and ownership: the allocation calls and cleanup attributes that all of knarr uses.
 *
 * Small allocations abort when memory is out: the truth is in the store, and a restart finds it.
 * Whatever a client chooses the size of goes through a capped `struct buf` (buf.h) instead.
 *
 *     CLEANUP(mem_freep) char *path = mem_printf("%s/pods", dir);
 *     ...
 *     return TAKE(path);              // hands it on, the cleanup then sees NULL
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define CLEANUP(function)            __attribute__((cleanup(function)))
#define PRINTF_LIKE(string_, first_) __attribute__((format(printf, string_, first_)))
#define ARRAY_SIZE(array)            (sizeof(array) / sizeof((array)[0]))

/* The pointer in VAR, which is left NULL. */
#define TAKE(var)                                                                                            \
	({                                                                                                   \
		__typeof__(var) taken_ = (var);                                                              \
		(var) = NULL;                                                                                \
		taken_;                                                                                      \
	})

/* The structure of type TYPE whose MEMBER is *POINTER. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* As malloc, calloc, realloc, strdup, strndup, asprintf: never NULL, the process aborts when memory
 * is out. The caller frees with free(). mem_dup(NULL) and mem_dupn(NULL, n) are NULL. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *p, size_t size);
/* Reallocates to COUNT * SIZE bytes; aborts when the product overflows. */
void *mem_realloc_array(void *p, size_t count, size_t size);
char *mem_dup(const char *s);
char *mem_dupn(const char *s, size_t n);
void *mem_copy(const void *p, size_t size);
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);
char *mem_vprintf(const char *format, va_list ap) PRINTF_LIKE(1, 0);

/* P, which a library allocated; the process aborts as above when it is NULL. */
void *mem_checked(void *p);

/* Gives back to the system what is free: after much was freed at once, where little will be needed soon. */
void mem_trim(void);

/* For CLEANUP: free(*p); close(*fd) when >= 0; fclose(*f) when not NULL. */
void mem_freep(void *p);
void mem_closep(const int *fd);
void mem_fclosep(void *f);
