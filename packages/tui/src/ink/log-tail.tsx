import type { ReactElement } from 'react';
import type { Row, Screen } from '../rows.ts';
import { RowLine } from './step-line.tsx';

/** Renders the transfers of a running step and the last lines of its output. */
export function LogTail({ rows, screen }: { readonly rows: readonly Row[]; readonly screen: Screen }): ReactElement {
  return (
    <>
      {rows.map((row, index) => (
        <RowLine key={index} row={row} screen={screen} />
      ))}
    </>
  );
}
