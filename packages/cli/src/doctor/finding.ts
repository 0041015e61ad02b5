/** One thing that builds need, and how this machine stands to it. */
export interface Finding {
  readonly name: string;
  /** `limited`: works, with less. */
  readonly state: 'good' | 'limited' | 'missing';
  readonly detail: string;
  /** The one command or setting that would change it. */
  readonly fix?: string;
}
