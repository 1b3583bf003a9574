/* `knarr-nodeagent image import FILE... | ls | rm REFERENCE...  --data-dir DIR`: the images of this node by
 * hand. A running agent sees the change by itself.
 */
#pragma once

/* ARGV[0] is "image". Returns the exit status: 0, 1 for a failure, 2 for wrong usage. */
int image_command(int argc, char **argv);
