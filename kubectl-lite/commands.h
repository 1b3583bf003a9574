/* All commands; each lies in the file of its name. */
#pragma once

#include "kubectl-lite/command.h"

extern const struct command command_annotate;
extern const struct command command_api_resources;
extern const struct command command_api_versions;
extern const struct command command_apply;
extern const struct command command_attach;
extern const struct command command_auth;
extern const struct command command_autoscale;
extern const struct command command_cluster_info;
extern const struct command command_completion;
extern const struct command command_config;
extern const struct command command_convert;
extern const struct command command_cordon;
extern const struct command command_cp;
extern const struct command command_create;
extern const struct command command_delete;
extern const struct command command_describe;
extern const struct command command_diff;
extern const struct command command_drain;
extern const struct command command_edit;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_explain;
extern const struct command command_expose;
extern const struct command command_get;
extern const struct command command_label;
extern const struct command command_logs;
extern const struct command command_patch;
extern const struct command command_port_forward;
extern const struct command command_replace;
extern const struct command command_rollout;
extern const struct command command_run;
extern const struct command command_scale;
extern const struct command command_set;
extern const struct command command_taint;
extern const struct command command_uncordon;
extern const struct command command_version;
extern const struct command command_wait;
