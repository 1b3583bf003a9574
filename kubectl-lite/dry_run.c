#include "kubectl-lite/dry_run.h"

#include <string.h>

int dry_run_parse(const char *value, enum dry_run *ret, struct err *err)
{
	if (!value || strcmp(value, "none") == 0)
		*ret = DRY_RUN_NONE;
	else if (strcmp(value, "client") == 0 || strcmp(value, "unchanged") == 0)
		*ret = DRY_RUN_CLIENT;
	else if (strcmp(value, "server") == 0)
		*ret = DRY_RUN_SERVER;
	else
		return err_set(err, ERR_PARSE,
			       "Invalid dry-run value (%s). Must be \"none\", \"server\", or \"client\".",
			       value);
	return 0;
}

const char *dry_run_suffix(enum dry_run dry_run)
{
	return dry_run == DRY_RUN_CLIENT   ? " (dry run)"
	       : dry_run == DRY_RUN_SERVER ? " (server dry run)"
					   : "";
}
