/* Churn of the control plane: real API server, scheduler and controllers under kill -9, nodes that are
 * played, users that create, scale, roll, pause and delete. Rounds of fire and calm until the time is up; see
 * README.md.
 */
#pragma once

struct churn;

/* Runs it; prints a line of counts. Faults are told as they are found (churn_fault). */
void control_run(struct churn *churn);
