/* create ingress: its rules from words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/create.h"
#include "kubectl-lite/generate.h"
#include "kubectl-lite/session.h"

static struct {
	struct string_list rules, annotations;
	const char *class, *default_backend;
} flags;

/* HOST/PATH[*]=SERVICE:PORT[,tls[=SECRET]] taken apart; all but the path points into text. */
struct rule {
	char *text, *path;
	const char *host;
	char *service, *port;
	bool prefix; /* the path ended in "*" */
	bool tls;
	const char *secret; /* "" for none */
};

static void rule_close(struct rule *rule)
{
	free(rule->text);
	free(rule->path);
}

/* SERVICE:PORT; false: it is none. */
static bool split_backend(char *text, char **ret_service, char **ret_port)
{
	char *colon = strchr(text, ':');

	if (!colon || strchr(colon + 1, ':'))
		return false;
	*colon = '\0';
	*ret_service = text;
	*ret_port = colon + 1;
	return *text && colon[1];
}

static bool split_rule(char *text, struct rule *rule)
{
	char *comma = strchr(text, ','), *slash, *equals;

	rule->secret = "";
	if (comma) {
		char *secret = strchr(comma + 1, '=');
		rule->tls = !strchr(comma + 1, ',');
		*comma = '\0';
		if (secret) {
			secret[1 + strcspn(secret + 1, "=")] = '\0';
			rule->secret = secret + 1;
		}
	}
	slash = strchr(text, '/');
	equals = slash ? strchr(slash, '=') : NULL;
	if (!equals || memchr(text, '=', (size_t)(slash - text)) ||
	    !split_backend(equals + 1, &rule->service, &rule->port))
		return false;
	*equals = '\0';
	rule->path = mem_dup(slash);
	*slash = '\0';
	rule->host = text;
	if (equals[-1] == '*' && equals - 1 > slash) {
		rule->prefix = true;
		rule->path[strlen(rule->path) - 1] = '\0';
	}
	return true;
}

static int parse_rule(const char *text, struct rule *ret, struct err *err)
{
	struct rule rule = { .text = mem_dup(text) };

	if (!split_rule(rule.text, &rule)) {
		rule_close(&rule);
		return err_set(err, ERR_PARSE,
			       "rule %s is invalid and should be in format "
			       "host/path=svcname:svcport[,tls[=secret]]",
			       text);
	}
	*ret = rule;
	return 0;
}

/* {service: {name, port}} */
static struct json_object *make_backend(const char *service, const char *port)
{
	struct json_object *backend = json_object_new_object();
	struct json_object *inner = json_ensure_object(backend, "service");
	char *end;
	long number = strtol(port, &end, 10);

	json_set_str(inner, "name", service);
	if (*end)
		json_set_str(json_ensure_object(inner, "port"), "name", port);
	else
		json_set_int(json_ensure_object(inner, "port"), "number", number);
	return backend;
}

/* The element of ARRAY whose KEY is VALUE ("" also: it has none), or NULL. */
static struct json_object *element_with(struct json_object *array, const char *key, const char *value)
{
	for (size_t i = 0; i < json_len(array); i++)
		if (strcmp(json_str_or_empty(json_at(array, i), key), value) == 0)
			return json_at(array, i);
	return NULL;
}

static void add_path(struct json_object *rules, const struct rule *rule)
{
	struct json_object *of_host = element_with(rules, "host", rule->host), *path;

	if (!of_host) {
		of_host = json_object_new_object();
		json_object_array_add(rules, of_host);
		if (*rule->host)
			json_set_str(of_host, "host", rule->host);
	}
	path = json_object_new_object();
	json_object_array_add(json_ensure_array(json_ensure_object(of_host, "http"), "paths"), path);
	json_set_str(path, "path", rule->path);
	json_set_str(path, "pathType", rule->prefix ? "Prefix" : "Exact");
	json_set(path, "backend", make_backend(rule->service, rule->port));
}

/* A host is in one certificate only; hosts with the same Secret share an entry. */
static void add_tls(struct json_object *tls, struct string_list *seen, const struct rule *rule)
{
	struct json_object *entry = element_with(tls, "secretName", rule->secret);

	if (!rule->tls || generate_list_has(seen, rule->host) || (!entry && !*rule->host && !*rule->secret))
		return;
	if (!entry) {
		entry = json_object_new_object();
		json_object_array_add(tls, entry);
	}
	if (*rule->host) {
		struct json_object *hosts = json_ensure_array(entry, "hosts");
		json_object_array_add(hosts, json_object_new_string(rule->host));
		generate_list_add(seen, json_object_get_string(json_at(hosts, json_len(hosts) - 1)));
	}
	if (*rule->secret)
		json_set_str(entry, "secretName", rule->secret);
}

static int add_rules(struct json_object *spec, struct err *err)
{
	CLEANUP(json_putp)
	struct json_object *tls = json_object_new_array(), *rules = json_object_new_array();
	struct string_list seen = { 0 };
	int failed = 0;

	for (size_t i = 0; i < flags.rules.n && !failed; i++) {
		struct rule rule;
		failed = parse_rule(flags.rules.items[i], &rule, err);
		if (failed)
			break;
		add_path(rules, &rule);
		add_tls(tls, &seen, &rule);
		rule_close(&rule);
	}
	free(seen.items);
	if (!failed && json_len(tls))
		json_set(spec, "tls", TAKE(tls));
	if (!failed && json_len(rules))
		json_set(spec, "rules", TAKE(rules));
	return failed;
}

static int add_annotations(struct json_object *ingress, struct err *err)
{
	CLEANUP(json_putp) struct json_object *annotations = json_object_new_object();

	for (size_t i = 0; i < flags.annotations.n; i++) {
		const char *word = flags.annotations.items[i], *equals = strchr(word, '=');
		if (!equals)
			return err_set(err, ERR_PARSE,
				       "annotation %s is invalid and should be in format key=[value]", word);
		CLEANUP(mem_freep) char *key = mem_dupn(word, (size_t)(equals - word));
		json_set_str(annotations, key, equals + 1);
	}
	if (flags.annotations.n)
		json_set(json_get(ingress, "metadata"), "annotations", TAKE(annotations));
	return 0;
}

static int fill(struct json_object *ingress, struct err *err)
{
	struct json_object *spec;
	CLEANUP(mem_freep) char *backend = mem_dup(flags.default_backend);
	char *service, *port;

	if (add_annotations(ingress, err) < 0)
		return -1;
	spec = json_ensure_object(ingress, "spec");
	if (flags.class)
		json_set_str(spec, "ingressClassName", flags.class);
	if (backend && !split_backend(backend, &service, &port))
		return err_set(err, ERR_PARSE, "default-backend should be in format servicename:serviceport");
	if (backend)
		json_set(spec, "defaultBackend", make_backend(service, port));
	if (add_rules(spec, err) < 0)
		return -1;
	return 0;
}

static int run_ingress(char **args, size_t n_args)
{
	const char *name = create_name("create ingress", args, n_args);
	struct err err = ERR_INIT;

	if (!name)
		return 1;
	if (!flags.rules.n && !flags.default_backend)
		return command_error("not enough information provided: every ingress has to either specify a "
				     "default-backend (which catches all traffic) or a list of rules (which "
				     "catch specific paths)");
	CLEANUP(json_putp)
	struct json_object *ingress = generate_object("networking.k8s.io/v1", "Ingress", name, true);
	if (fill(ingress, &err) < 0)
		return session_failed(&err);
	return create_finish(TAKE(ingress), "failed to create ingress:");
}

static const struct flag ingress_flags[] = {
	{ "rule", 0, FLAG_ARRAY, &flags.rules, "HOST/PATH=SERVICE:PORT[,tls[=SECRET]]",
	  "where requests go; a path that ends in * is a prefix", NULL, NULL },
	{ "default-backend", 0, FLAG_STRING, &flags.default_backend, "SERVICE:PORT", "for all other requests",
	  NULL, NULL },
	{ "class", 0, FLAG_STRING, &flags.class, "NAME", "whose controller is to serve it", NULL, NULL },
	{ "annotation", 0, FLAG_ARRAY, &flags.annotations, "KEY=VALUE", "an annotation", NULL, NULL },
	WRITE_CREATE_FLAGS,
	{ 0 },
};

const struct command create_ingress = {
	.name = "ingress",
	.alias = "ing",
	.about = "Create an Ingress: which service answers for which host and path",
	.usage = "create ingress NAME --rule=HOST/PATH=SERVICE:PORT[,tls[=SECRET]]...",
	.help = "Examples:\n"
		"  kubectl-lite create ingress web --rule='shop.example.com/*=web:80,tls=shop-cert'\n"
		"  kubectl-lite create ingress all --class=internal --default-backend=web:http\n",
	.flags = ingress_flags,
	.run = run_ingress,
};
