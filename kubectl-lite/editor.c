#include "kubectl-lite/editor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024 };

static const char *editor_name(void)
{
	static const char *const variables[] = { "KUBE_EDITOR", "EDITOR" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);
		if (value && *value)
			return value;
	}
	return "vi";
}

static int write_file(const char *text, size_t len, const char *suffix, char **ret_path, struct err *err)
{
	const char *folder = getenv("TMPDIR");
	CLEANUP(mem_freep)
	char *path = mem_printf("%s/kubectl-edit-XXXXXX%s", folder && *folder ? folder : "/tmp", suffix);
	int fd = mkstemps(path, (int)strlen(suffix));
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return err_set_errno(err, errno, "cannot make a file to edit (%s)", path);
	fwrite(text, 1, len, file);
	if (fclose(file) != 0) {
		err_set_errno(err, errno, "cannot write %s", path);
		unlink(path);
		return -1;
	}
	*ret_path = TAKE(path);
	return 0;
}

/* The editor's value may have words and quotes of its own: it is the shell's. */
static int run_editor(const char *path, struct err *err)
{
	const char *name = editor_name();
	CLEANUP(mem_freep) char *script = mem_printf("%s \"$1\"", name);
	int status = -1;

	fflush(stdout);
	/* ^C is for the editor. */
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN), (*quit)(int) = signal(SIGQUIT, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", script, "sh", path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	return status == 0 ? 0 : err_set(err, ERR_PARSE, "there was a problem with the editor \"%s\"", name);
}

int editor_run(const char *text, size_t len, const char *suffix, struct buf *ret, char **ret_path,
	       struct err *err)
{
	CLEANUP(mem_freep) char *path = NULL;

	if (write_file(text, len, suffix, &path, err) < 0)
		return -1;
	if (run_editor(path, err) < 0) {
		unlink(path);
		return -1;
	}
	*ret_path = TAKE(path);
	return buf_read_file(ret, *ret_path, TEXT_MAX_BYTES, err);
}
