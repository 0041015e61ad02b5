/** What a step is made ready in. */
export interface StepPlace {
  /** Empty, and the step's own. */
  readonly directory: string;
  /** Descriptors that the last program of the set-up writes `0` to, by which it enters the step's control groups. */
  readonly entrances: readonly number[];
  /** To be done when all processes are gone; the last one first. */
  atEnd(undo: () => void): void;
}
