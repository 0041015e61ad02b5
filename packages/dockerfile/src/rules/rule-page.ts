/** What `tbuild explain` says of a rule, in our own words. */
export interface RulePage {
  /** What the rule looks for. */
  readonly what: string;
  /** What goes wrong without it. */
  readonly why: string;
  /** A Dockerfile that breaks the rule, and one that does the same without. */
  readonly bad: string;
  readonly good: string;
  /** What else the examples need to be judged, for people: an ignore file, a platform. */
  readonly given?: string;
}
