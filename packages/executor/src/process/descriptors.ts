/** The descriptor on which the set-up reports: error output, then READY, then the report of the last program. */
export const REPORT = 3;

/** The descriptor of the last program of the set-up, which enters the sandbox and executes the step's process. */
export const PROGRAM = 4;

/** The first descriptor of the `cgroup.procs` files by which a step joins its control groups. */
export const FIRST_JOIN_DESCRIPTOR = 5;
