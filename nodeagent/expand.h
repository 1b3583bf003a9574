/* References to environment variables in a container's command, arguments and values: $(NAME).
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
#pragma once

/* $(NAME) becomes LOOKUP's answer, or stays when that is NULL; $$ becomes $, so that $$(NAME) is left as
 * $(NAME). The caller frees. */
char *expand_references(const char *s, const char *(*lookup)(const char *name, void *arg), void *arg);
/* The value of NAME in a NULL-terminated list of "NAME=value", the last one given; or NULL. */
const char *expand_env_value(char *const *env, const char *name);
