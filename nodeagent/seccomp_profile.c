#include "nodeagent/seccomp_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROFILE_MAX_BYTES (1 << 20)

/* Names separated by spaces, grouped by what they are about. Calls of other machines (arm64 has no open) are
 * in the list as well: the runtime skips those that the machine does not have. */
static const char always[] =
    /* files and folders */
    "access alarm chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat "
    "faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchown fchown32 fchownat fcntl "
    "fcntl64 "
    "fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
    "fsync "
    "ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init "
    "inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr link linkat listxattr llistxattr "
    "lremovexattr "
    "lseek _llseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open "
    "openat "
    "openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv "
    "removexattr rename renameat renameat2 rmdir sendfile sendfile64 setxattr splice stat stat64 statfs "
    "statfs64 "
    "statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime "
    "utimensat utimensat_time64 utimes vmsplice write writev "
    /* memory */
    "brk get_mempolicy madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 "
    "mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease "
    "remap_file_pages "
    /* processes, threads, signals */
    "arch_prctl capget capset execve execveat exit exit_group fork futex futex_time64 futex_waitv "
    "get_robust_list get_thread_area getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage "
    "getsid gettid ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset "
    "landlock_restrict_self "
    "pause pidfd_open pidfd_send_signal prctl prlimit64 process_madvise process_vm_readv process_vm_writev "
    "ptrace "
    "restart_syscall rseq rt_sigaction "
    "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min "
    "sched_getaffinity "
    "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list "
    "set_thread_area set_tid_address setpgid setpriority setrlimit setsid sigaltstack signalfd signalfd4 "
    "sigprocmask sigreturn tgkill tkill ugetrlimit vfork wait4 waitid waitpid "
    /* users and groups */
    "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 "
    "getresuid "
    "getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
    "setgroups32 "
    "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32 "
    /* time */
    "adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
    "clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
    "timerfd_create "
    "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times "
    /* waiting, pipes, asynchronous I/O */
    "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old "
    "eventfd eventfd2 io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup "
    "io_submit "
    "pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 _newselect select "
    /* sockets; the families are below */
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair "
    /* System V and POSIX message queues, semaphores, shared memory: per IPC namespace */
    "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
    "mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
    "semtimedop_time64 shmat shmctl shmdt shmget "
    /* the machine */
    "getrandom sysinfo syslog uname";

/* What a capability opens. */
static const struct guarded {
	const char *capability, *names;
} guarded[] = {
	{ "CAP_DAC_READ_SEARCH", "open_by_handle_at" },
	{ "CAP_SYS_ADMIN", "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
			   "mount mount_setattr move_mount "
			   "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns "
			   "umount umount2 unshare" },
	{ "CAP_SYS_BOOT", "reboot" },
	{ "CAP_SYS_CHROOT", "chroot" },
	{ "CAP_SYS_MODULE", "delete_module finit_module init_module" },
	{ "CAP_SYS_PACCT", "acct" },
	{ "CAP_SYS_PTRACE", "kcmp pidfd_getfd" },
	{ "CAP_SYS_RAWIO", "ioperm iopl" },
	{ "CAP_SYS_TIME", "clock_settime clock_settime64 settimeofday stime" },
	{ "CAP_SYS_TTY_CONFIG", "vhangup" },
	{ "CAP_SYS_NICE", "mbind set_mempolicy" },
	{ "CAP_BPF", "bpf" },
	{ "CAP_PERFMON", "perf_event_open" },
};

static bool has(const char *const *capabilities, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(capabilities[i], name))
			return true;
	}
	return false;
}

static void each_name(const char *names, void (*fn)(const char *name, void *arg), void *arg)
{
	char name[64];
	for (size_t len; *names; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		memcpy(name, names, len);
		name[len] = '\0';
		fn(name, arg);
	}
}

static void add_name(const char *name, void *array)
{
	json_object_array_add(array, json_object_new_string(name));
}

/* A rule for NAMES; its object is borrowed. */
static struct json_object *add_rule(struct json_object *rules, const char *names, const char *action)
{
	struct json_object *rule = json_object_new_object(), *list = json_object_new_array();
	each_name(names, add_name, list);
	json_set(rule, "names", list);
	json_set_str(rule, "action", action);
	json_object_array_add(rules, rule);
	return rule;
}

static void add_argument(struct json_object *rule, unsigned index, uint64_t value, uint64_t value_two,
			 const char *op)
{
	struct json_object *argument = json_object_new_object();
	json_set_int(argument, "index", index);
	json_set_int(argument, "value", (int64_t)value);
	if (value_two)
		json_set_int(argument, "valueTwo", (int64_t)value_two);
	json_set_str(argument, "op", op);
	json_object_array_add(json_ensure_array(rule, "args"), argument);
}

/* All socket families but AF_VSOCK, which reaches past the container's network to the hypervisor. */
static void add_sockets(struct json_object *rules)
{
	add_argument(add_rule(rules, "socket", "SCMP_ACT_ALLOW"), 0, AF_VSOCK, 0, "SCMP_CMP_NE");
}

/* The personalities that only change how a program is told of its kernel. */
static void add_personalities(struct json_object *rules)
{
	static const uint64_t allowed[] = { 0, 0x0008, 0x20000, 0x20008, 0xffffffff };
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		add_argument(add_rule(rules, "personality", "SCMP_ACT_ALLOW"), 0, allowed[i], 0,
			     "SCMP_CMP_EQ");
}

static void add_clone(struct json_object *rules)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
				    CLONE_NEWNET | CLONE_NEWCGROUP;
	/* valueTwo 0: none of these bits may be set. s390x has the flags second; knarr does not build there.
	 */
	add_argument(add_rule(rules, "clone", "SCMP_ACT_ALLOW"), 0, namespaces, 0, "SCMP_CMP_MASKED_EQ");
	json_set_int(add_rule(rules, "clone3", "SCMP_ACT_ERRNO"), "errnoRet", ENOSYS);
}

struct json_object *seccomp_profile_default(const char *const *capabilities, size_t n)
{
	struct json_object *profile = json_object_new_object(), *rules = json_object_new_array();
	json_set_str(profile, "defaultAction", "SCMP_ACT_ERRNO");
	json_set_int(profile, "defaultErrnoRet", EPERM);
	struct json_object *architectures = json_ensure_array(profile, "architectures");
#if defined(__x86_64__)
	static const char *const names[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" };
#elif defined(__aarch64__)
	static const char *const names[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#else
#error "which seccomp architectures does this machine have?"
#endif
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_name(names[i], architectures);
	add_rule(rules, always, "SCMP_ACT_ALLOW");
	for (size_t i = 0; i < ARRAY_SIZE(guarded); i++) {
		if (has(capabilities, n, guarded[i].capability))
			add_rule(rules, guarded[i].names, "SCMP_ACT_ALLOW");
	}
	add_sockets(rules);
	add_personalities(rules);
	if (!has(capabilities, n, "CAP_SYS_ADMIN"))
		add_clone(rules);
	json_set(profile, "syscalls", rules);
	return profile;
}

void seccomp_profile_names(void (*fn)(const char *name, void *arg), void *arg)
{
	each_name(always, fn, arg);
	for (size_t i = 0; i < ARRAY_SIZE(guarded); i++)
		each_name(guarded[i].names, fn, arg);
}

static int read_profile(const char *dir, const char *name, struct buf *b, struct err *err)
{
	CLEANUP(mem_closep) int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	CLEANUP(mem_closep) int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "no seccomp profile %s in %s", name, dir);
	if (fd < 0)
		return err_set_errno(err, errno, "open seccomp profile %s in %s", name, dir);
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > PROFILE_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "seccomp profile %s is no file of at most 1 MiB", name);
	buf_reserve(b, (size_t)st.st_size + 1);
	ssize_t n = pread(fd, b->data, (size_t)st.st_size, 0);
	if (n < 0)
		return err_set_errno(err, errno, "read seccomp profile %s", name);
	b->len = (size_t)n;
	return 0;
}

int seccomp_profile_load(const char *dir, const char *name, struct json_object **ret, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(json_putp) struct json_object *profile = NULL;
	if (read_profile(dir, name, &b, err))
		return -1;
	if (json_parse(b.data, b.len, &profile, NULL, err))
		return err_wrap(err, "seccomp profile %s", name);
	if (!json_str(profile, "defaultAction"))
		return err_set(err, ERR_INVALID, "seccomp profile %s has no defaultAction", name);
	*ret = TAKE(profile);
	return 0;
}
