/** The files of a build's directory. `record` is written last: a directory without it belongs to a build that runs or was killed. */
export function recordFile(directory: string): string {
  return `${directory}/record`;
}

export function eventsFile(directory: string): string {
  return `${directory}/events`;
}

/** Names the tree that a failed step left. */
export function failedTreeFile(directory: string): string {
  return `${directory}/failed`;
}
