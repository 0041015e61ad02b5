/** A requirement of builds, and how this machine meets it. */
export interface Finding {
  readonly name: string;
  /** `limited` works with restrictions. */
  readonly state: 'good' | 'limited' | 'missing';
  readonly detail: string;
  /** The command or setting that would change it. */
  readonly fix?: string;
}
