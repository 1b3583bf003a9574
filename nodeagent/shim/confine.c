/* What the shim gives up once its container is there: capabilities and system calls. A fault in it then
 * reaches no more than its own open files and folder.
 */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <link.h>
#include <linux/capability.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those of relay.c, attach.c, cri_log.c, record.c and of libc beneath them, on all machines. */
static const int allowed[] = {
	SCMP_SYS(read),   SCMP_SYS(write),      SCMP_SYS(close),         SCMP_SYS(open),
	SCMP_SYS(openat), SCMP_SYS(fstat),      SCMP_SYS(newfstatat),    SCMP_SYS(statx),
	SCMP_SYS(lseek),  SCMP_SYS(rename),     SCMP_SYS(renameat),      SCMP_SYS(renameat2),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat),   SCMP_SYS(fsync),         SCMP_SYS(poll),
	SCMP_SYS(ppoll),  SCMP_SYS(wait4),      SCMP_SYS(clock_gettime), SCMP_SYS(brk),
	SCMP_SYS(munmap), SCMP_SYS(madvise),    SCMP_SYS(rt_sigreturn),  SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),   SCMP_SYS(exit_group), SCMP_SYS(getpid),        SCMP_SYS(accept4),
	SCMP_SYS(writev),
};

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	return (int)syscall(SYS_capset, &header, none);
}

/* Unmaps the program's pages, which come back from the page cache one by one as they are needed: most of them
 * served to start, and there is one shim for every container. */
static int forget_pages(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
			continue;
		uintptr_t begin = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
		madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void forget_program(void)
{
	malloc_trim(0);
	dl_iterate_phdr(forget_pages, NULL);
}

int confine_self(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -1;
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		/* Negative: this machine's kernel has no such call (poll on arm64). */
		if (allowed[i] >= 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	}
	/* Of a terminal nothing but its size. */
	const struct scmp_arg_cmp sets_size = { .arg = 1, .op = SCMP_CMP_EQ, .datum_a = TIOCSWINSZ };
	if (!rc)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &sets_size);
	if (!rc)
		rc = drop_capabilities();
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	forget_program();
	return rc;
}
