import type { ReactElement } from 'react';
import type { BuildView } from '../build-view.ts';
import { headerRow, type Screen } from '../rows.ts';
import { RowLine } from './step-line.tsx';

/** Renders the header. */
export function Summary({
  view,
  now,
  screen,
}: {
  readonly view: BuildView;
  readonly now: number;
  readonly screen: Screen;
}): ReactElement {
  return <RowLine row={headerRow(view, now, screen)} screen={screen} />;
}
