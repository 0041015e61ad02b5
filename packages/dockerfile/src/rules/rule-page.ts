/** The text of `tbuild explain` about a rule, in our own words. */
export interface RulePage {
  /** What the rule reports. */
  readonly what: string;
  /** What goes wrong if the rule is broken. */
  readonly why: string;
  /** A Dockerfile that breaks the rule, and one that does the same without breaking it. */
  readonly bad: string;
  readonly good: string;
  /** What else the examples depend on, such as an ignore file or a platform. */
  readonly given?: string;
}
