/** The script and the style of the page, which the bundler makes from `page/` and puts here. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** Returns them; in the source there are none. */
export function pageParts(): PageParts {
  throw new Error('The page is in the bundle of the program: run npm run build');
}
