import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import type { StepView } from '../build-view.ts';
import { paintedRow, stepRow, transferRows, type Row, type Screen } from '../rows.ts';

/** Renders one line, fitted to the screen. */
export function RowLine({ row, screen }: { readonly row: Row; readonly screen: Screen }): ReactElement {
  return <Text wrap="truncate-end">{paintedRow(row, screen)}</Text>;
}

/** Renders a step and its transfers. */
export function StepLine({
  step,
  now,
  screen,
}: {
  readonly step: StepView;
  readonly now: number;
  readonly screen: Screen;
}): ReactElement {
  return (
    <Box flexDirection="column">
      <RowLine row={stepRow(step, now)} screen={screen} />
      {transferRows(step, now).map((row) => (
        <RowLine key={row.text} row={row} screen={screen} />
      ))}
    </Box>
  );
}
