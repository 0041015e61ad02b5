import { useLayoutEffect, useState } from 'preact/hooks';

/** What the page shows: a view, perhaps with a step, perhaps with a line of it. It is the fragment of the address. */
export interface Place {
  readonly view: string;
  readonly step?: number;
  readonly line?: number;
}

export function hrefOf({ view, step, line }: Place): string {
  return `#${[view, step, line].filter((part) => part !== undefined).join('/')}`;
}

function readPlace(views: readonly string[]): Place {
  const [view = '', step, line] = location.hash.slice(1).split('/');
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  return views.includes(view) ? { view, step: number(step), line: number(line) } : { view: views[0] ?? '' };
}

/** Follows the address. */
export function usePlace(views: readonly string[]): Place {
  const [place, setPlace] = useState(() => readPlace(views));
  // An effect that waits for a frame would miss what the address becomes until then.
  useLayoutEffect(() => {
    const follow = (): void => setPlace(readPlace(views));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return place;
}
