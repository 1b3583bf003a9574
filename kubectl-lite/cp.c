/* Files to and from a container, by the tar that it has. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/exec.h"
#include "kubectl-lite/objects.h"
#include "kubectl-lite/pod_choice.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/tar.h"

static struct {
	const char *container;
	bool no_preserve;
} flags;

static const struct flag cp_flags[] = {
	{ "container", 'c', FLAG_STRING, &flags.container, "NAME", "of this container", NULL, NULL },
	{ "no-preserve", 0, FLAG_BOOL, &flags.no_preserve, NULL, "do not keep owner and permissions there",
	  NULL, NULL },
	{ 0 },
};

/* [[NAMESPACE/]POD:]PATH */
struct place {
	char *text;                          /* the others point into it */
	const char *namespace_, *pod, *path; /* POD NULL: here */
};

static void place_close(struct place *place)
{
	free(place->text);
}

static int place_parse(const char *text, struct place *ret, struct err *err)
{
	ret->text = mem_dup(text);
	ret->path = ret->text;
	char *colon = strchr(ret->text, ':'), *slash = strchr(ret->text, '/');
	if (!colon)
		return 0;
	*colon = '\0';
	ret->path = colon + 1;
	ret->pod = ret->text;
	if (slash && slash < colon) {
		*slash = '\0';
		ret->namespace_ = ret->text;
		ret->pod = slash + 1;
	}
	return *ret->pod && *ret->path && !strchr(ret->pod, '/')
		   ? 0
		   : err_set(err, ERR_PARSE, "%s: [[namespace/]pod:]file/path is expected", text);
}

/* PATH without slashes at its end, and the part behind its last one. */
static char *trimmed(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return mem_dupn(path, len);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- a process of ours at the other end of a pipe --- */

struct helper {
	pid_t pid;
	int fd; /* our end */
};

/* WRITES: it writes to the pipe. WORK gets the pipe's other end; false: it failed, and has said why. */
static int helper_start(struct helper *ret, bool writes, bool (*work)(int fd, void *arg), void *arg,
			struct err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set_errno(err, errno, "pipe");
	fflush(NULL);
	ret->pid = fork();
	if (ret->pid == 0) {
		close(fd[writes ? 0 : 1]);
		_exit(work(fd[writes ? 1 : 0], arg) ? 0 : 1);
	}
	close(fd[writes ? 1 : 0]);
	ret->fd = fd[writes ? 0 : 1];
	return ret->pid < 0 ? err_set_errno(err, errno, "fork") : 0;
}

static bool helper_end(const struct helper *helper)
{
	int status = 0;

	close(helper->fd);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

/* --- there --- */

struct copy {
	const struct json_object *pod;
	const char *container;
	const char *local, *name; /* NAME: of what is read in the archive, or is written to it */
};

static bool write_archive(int fd, void *arg)
{
	const struct copy *copy = arg;
	struct err err = ERR_INIT;

	if (tar_write(fd, copy->local, copy->name, &err) == 0)
		return true;
	command_error("%s", err.msg);
	return false;
}

static bool read_archive(int fd, void *arg)
{
	const struct copy *copy = arg;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (tar_read(fd, copy->name, copy->local, &n, &err) == 0)
		return n > 0;
	command_error("%s", err.msg);
	return false;
}

static bool is_folder_there(const struct copy *copy, const char *path)
{
	char *const command[] = { "test", "-d", (char *)(uintptr_t)path, NULL };
	struct remote_command streams = { .in = -1, .out = -1, .err = STDERR_FILENO };
	int code = 1;
	CLEANUP(mem_closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	streams.err = null;
	return exec_run_command(copy->pod, copy->container, command, &streams, &code, NULL) == 0 && code == 0;
}

/* The exit code of the command. */
static int run_tar(const struct copy *copy, char *const *command, int in, int out, struct err *err)
{
	struct remote_command streams = { .in = in, .out = out, .err = STDERR_FILENO };
	int code = 0;

	if (exec_run_command(copy->pod, copy->container, command, &streams, &code, err) < 0)
		return -1;
	return code ? err_set(err, ERR_PARSE, "tar ended with exit code %d in the container", code) : 0;
}

static int copy_to(struct copy *copy, const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *dest = trimmed(path);
	struct helper helper;

	if (access(copy->local, F_OK) < 0)
		return err_set(err, ERR_PARSE, "%s doesn't exist in local filesystem", copy->local);
	if (is_folder_there(copy, dest)) {
		CLEANUP(mem_freep) char *source = trimmed(copy->local);
		char *within = mem_printf("%s/%s", strcmp(dest, "/") == 0 ? "" : dest, base_of(source));
		free(dest);
		dest = within;
	}
	copy->name = base_of(dest);
	CLEANUP(mem_freep)
	char *folder = copy->name == dest       ? mem_dup(".")
		       : copy->name == dest + 1 ? mem_dup("/")
						: mem_dupn(dest, (size_t)(copy->name - dest) - 1);
	char *const plain[] = { "tar", "-xmf", "-", "-C", folder, NULL };
	char *const careless[] = {
		"tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", folder, NULL
	};
	if (helper_start(&helper, true, write_archive, copy, err) < 0)
		return -1;
	int rc = run_tar(copy, flags.no_preserve ? careless : plain, helper.fd, -1, err);
	bool whole = helper_end(&helper);
	return rc == 0 && !whole ? err_set(err, ERR_PARSE, "not all was copied") : rc;
}

static int copy_from(struct copy *copy, const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *source = trimmed(path);
	CLEANUP(mem_freep) char *dest = trimmed(copy->local);
	char *const command[] = { "tar", "cf", "-", source, NULL };
	struct helper helper;
	struct stat st;

	/* Into a folder that is there goes a file; a folder becomes it. */
	if (stat(dest, &st) == 0 && S_ISDIR(st.st_mode) && !is_folder_there(copy, source)) {
		char *within = mem_printf("%s/%s", dest, base_of(source));
		free(dest);
		dest = within;
	}
	copy->local = dest;
	copy->name = source;
	if (helper_start(&helper, false, read_archive, copy, err) < 0)
		return -1;
	int rc = run_tar(copy, command, -1, helper.fd, err);
	bool whole = helper_end(&helper);
	return rc == 0 && !whole ? err_set(err, ERR_PARSE, "not all was copied") : rc;
}

static int run_cp(char **args, size_t n_args)
{
	CLEANUP(place_close) struct place from = { 0 };
	CLEANUP(place_close) struct place to = { 0 };
	CLEANUP(json_putp) struct json_object *pod = NULL;
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN); /* a helper that fails says why */
	if (n_args != 2)
		return command_usage_error("cp", "source and destination are required");
	if (place_parse(args[0], &from, &err) < 0 || place_parse(args[1], &to, &err) < 0)
		return session_failed(&err);
	if (!from.pod == !to.pod)
		return command_error("one of src or dest must be a remote file specification");
	const struct place *there = from.pod ? &from : &to;
	if (object_get(resource_find("", "v1", "pods"),
		       there->namespace_ ? there->namespace_ : session_namespace(), there->pod, &pod,
		       &err) < 0)
		return session_failed(&err);
	struct copy copy = { .pod = pod,
			     .container = flags.container ? flags.container : pod_default_container(pod),
			     .local = from.pod ? to.path : from.path };
	int rc = from.pod ? copy_from(&copy, from.path, &err) : copy_to(&copy, to.path, &err);
	return rc < 0 ? session_failed(&err) : 0;
}

const struct command command_cp = {
	.name = "cp",
	.about = "Copy files to and from containers",
	.usage = "cp SOURCE DESTINATION [-c CONTAINER], one of them [NAMESPACE/]POD:PATH",
	.help = "The container needs a tar.\n\nExamples:\n"
		"  kubectl-lite cp ./site web-0:/var/www\n"
		"  kubectl-lite cp web-0:/var/log/access.log access.log -c web\n",
	.flags = cp_flags,
	.run = run_cp,
};
