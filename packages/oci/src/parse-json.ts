/** No document of an image has as many. Whoever writes a value as JSON again needs stack for each level. */
const MOST_LEVELS = 500;

/** Parses a document that a stranger may have written. @throws SyntaxError also if it is nested too deeply. */
export function parseJson(bytes: Uint8Array | string): unknown {
  const value: unknown = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) throw new SyntaxError(`More than ${MOST_LEVELS} levels are nested in each other`);
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return value;
}
