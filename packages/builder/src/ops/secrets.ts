/** The secrets that the user passed. */
export interface Secrets {
  /** Returns the value of a `--secret`, or undefined for an unknown ID. */
  readSecret(id: string): Buffer | undefined;
}
