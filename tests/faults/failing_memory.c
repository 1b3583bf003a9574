#include "tests/faults/failing_memory.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mem.h"

/* Volatile, so that they are read and not called through the table that is changed. */
static void *(*volatile real_malloc)(size_t) = malloc;
static void *(*volatile real_calloc)(size_t, size_t) = calloc;
static void *(*volatile real_realloc)(void *, size_t) = realloc;
static char *(*volatile real_strdup)(const char *) = strdup;
static char *(*volatile real_strndup)(const char *, size_t) = strndup;
static int (*volatile real_vasprintf)(char **, const char *, va_list) PRINTF_LIKE(2, 0) = vasprintf;

static atomic_bool armed, hit;
static atomic_uint count;
static unsigned fail_at;
static bool lasts;
static _Thread_local bool spared;

static bool fails(void)
{
	if (spared || !atomic_load(&armed))
		return false;
	if (atomic_load(&hit) && !lasts)
		return false;
	if (atomic_fetch_add(&count, 1) + 1 < fail_at)
		return false;
	atomic_store(&hit, true);
	errno = ENOMEM;
	return true;
}

static void *hooked_malloc(size_t size)
{
	return fails() ? NULL : real_malloc(size);
}

static void *hooked_calloc(size_t n, size_t size)
{
	return fails() ? NULL : real_calloc(n, size);
}

static void *hooked_realloc(void *p, size_t size)
{
	return fails() ? NULL : real_realloc(p, size);
}

static char *hooked_strdup(const char *s)
{
	return fails() ? NULL : real_strdup(s);
}

static char *hooked_strndup(const char *s, size_t n)
{
	return fails() ? NULL : real_strndup(s, n);
}

static int hooked_vasprintf(char **ret, const char *format, va_list ap) PRINTF_LIKE(2, 0);
static int hooked_vasprintf(char **ret, const char *format, va_list ap)
{
	return fails() ? -1 : real_vasprintf(ret, format, ap);
}

static int hooked_vasprintf_chk(char **ret, int flag, const char *format, va_list ap) PRINTF_LIKE(3, 0);
static int hooked_vasprintf_chk(char **ret, int flag, const char *format, va_list ap)
{
	(void)flag;
	return fails() ? -1 : real_vasprintf(ret, format, ap);
}

static const struct {
	const char *name;
	void (*hook)(void);
} hooks[] = {
	{ "malloc", (void (*)(void))hooked_malloc },
	{ "calloc", (void (*)(void))hooked_calloc },
	{ "realloc", (void (*)(void))hooked_realloc },
	{ "strdup", (void (*)(void))hooked_strdup },
	{ "strndup", (void (*)(void))hooked_strndup },
	{ "vasprintf", (void (*)(void))hooked_vasprintf },
	{ "__vasprintf_chk", (void (*)(void))hooked_vasprintf_chk },
};

/* --- the tables: System V ABI, "Dynamic Linking" --- */

struct object {
	const char *wanted;
	unsigned patched;
};

static bool is_slot(const ElfW(Rela) * relocation)
{
	uint64_t type = ELF64_R_TYPE(relocation->r_info);

#if defined(__x86_64__)
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
#else
	(void)type;
	return false;
#endif
}

/* The table may have been made read-only when the object was loaded. */
static void write_slot(uintptr_t address, void (*hook)(void))
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = address & ~(page - 1);

	if (mprotect((void *)start, page, PROT_READ | PROT_WRITE) < 0)
		abort();
	memcpy((void *)address, &hook, sizeof(hook));
}

static void patch(struct object *object, uintptr_t base, const ElfW(Rela) * relocations, size_t bytes,
		  const ElfW(Sym) * symbols, const char *strings)
{
	for (size_t i = 0; relocations && i < bytes / sizeof(*relocations); i++) {
		const char *name = strings + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;

		for (size_t k = 0; k < ARRAY_SIZE(hooks) && is_slot(&relocations[i]); k++) {
			if (strcmp(name, hooks[k].name) != 0)
				continue;
			write_slot(base + relocations[i].r_offset, hooks[k].hook);
			object->patched++;
		}
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct object *object = arg;
	const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t values[DT_JMPREL + 1] = { 0 };

	(void)size;
	if (*object->wanted ? strncmp(name, object->wanted, strlen(object->wanted)) != 0 : *name != '\0')
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
		if (dynamic->d_tag > 0 && dynamic->d_tag <= DT_JMPREL)
			values[dynamic->d_tag] = dynamic->d_un.d_ptr;
	patch(object, info->dlpi_addr, (const ElfW(Rela) *)values[DT_JMPREL], values[DT_PLTRELSZ],
	      (const ElfW(Sym) *)values[DT_SYMTAB], (const char *)values[DT_STRTAB]);
	patch(object, info->dlpi_addr, (const ElfW(Rela) *)values[DT_RELA], values[DT_RELASZ],
	      (const ElfW(Sym) *)values[DT_SYMTAB], (const char *)values[DT_STRTAB]);
	return 0;
}

bool failing_memory_watch(const char *name)
{
	struct object object = { .wanted = name };

	spared = true;
	dl_iterate_phdr(visit, &object);
	return object.patched > 0;
}

void failing_memory_arm(unsigned nth, bool lasting)
{
	fail_at = nth;
	lasts = lasting;
	atomic_store(&count, 0);
	atomic_store(&hit, false);
	atomic_store(&armed, true);
}

bool failing_memory_disarm(void)
{
	atomic_store(&armed, false);
	return atomic_load(&hit);
}
