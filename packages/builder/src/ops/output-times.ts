/** The times of what COPY, ADD and WORKDIR write. */
export interface OutputTimes {
  /** `SOURCE_DATE_EPOCH` in milliseconds: the time of what is made and has no time of its own. */
  readonly epoch?: number;
  /**
   * The Dockerfile's time, which directories of WORKDIR and heredocs get, so that the same input gives the same bytes.
   */
  readonly dockerfileTime: number;
}
