/* The measurements of knarr-bench-parts. Each gets the arguments after its name and prints lines "NAME
 * VALUE"; 0 or an exit code.
 */
#pragma once

/* authorize-us: CPU time of a decision with 2,000 bindings besides those of a new cluster. FOLDER is for the
 * store. */
int parts_authorize(char **argv);
/* admit-pod-us: CPU time of strict decoding, defaults, validation and warnings of a pod of 1.5 KB. */
int parts_admit_pod(char **argv);
