/** Returns a function that makes a value when it is first called, and returns the same one later. A failure is not kept. */
export function madeOnce<Given, Value>(make: (given: Given) => Promise<Value>): (given: Given) => Promise<Value> {
  let made: Promise<Value> | undefined;
  return (given) => {
    made ??= make(given);
    made.catch(() => (made = undefined));
    return made;
  };
}
