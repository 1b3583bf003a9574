/* `knarr-nodeagent purge`: ends all pods of this node and removes what the agent made on the machine; `knarr
 * down --purge` calls it after the agent has ended.
 */
#pragma once

/* ARGV begins with "purge". Returns the exit code; each fault is told on stderr, and the rest is done
 * nevertheless. */
int purge_command(int argc, char **argv);
