/** The descriptor on which the set-up reports: error output, then READY, then the report of the last program. */
export const REPORT = 3;

/** The descriptor of the last program of the set-up, which enters the sandbox and executes the step's process. */
export const PROGRAM = 4;

/** The first descriptor of the control groups' `cgroup.procs` files. Those below are taken by the set-up. */
export const FIRST_JOIN_DESCRIPTOR = 5;
