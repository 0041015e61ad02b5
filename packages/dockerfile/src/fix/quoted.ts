/** Returns a word in double quotes that expands to exactly this text. */
export function quoted(text: string, escape: string): string {
  return `"${text.replace(/["$\\`]/g, (one) => (one === escape || one === '"' || one === '$' ? escape + one : one))}"`;
}
