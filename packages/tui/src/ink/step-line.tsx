import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import { finishedRows, type FinishedSteps, paintedRow, type Row, type Screen } from '../rows.ts';

/** Renders one line, fitted to the screen. */
export function RowLine({ row, screen }: { readonly row: Row; readonly screen: Screen }): ReactElement {
  return <Text wrap="truncate-end">{paintedRow(row, screen)}</Text>;
}

/** Renders a step and its transfers, or cached steps. */
export function StepLine({
  steps,
  now,
  screen,
}: {
  readonly steps: FinishedSteps;
  readonly now: number;
  readonly screen: Screen;
}): ReactElement {
  return (
    <Box flexDirection="column">
      {finishedRows(steps, now).map((row) => (
        <RowLine key={row.text} row={row} screen={screen} />
      ))}
    </Box>
  );
}
