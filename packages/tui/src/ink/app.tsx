import { Box, Static } from 'ink';
import type { ReactElement } from 'react';
import type { BuildView } from '../build-view.ts';
import { foldCached, liveSteps, type Screen } from '../rows.ts';
import { targetRows } from '../target-rows.ts';
import { LogTail } from './log-tail.tsx';
import { RowLine, StepLine } from './step-line.tsx';
import { Summary } from './summary.tsx';

export interface AppProps {
  readonly view: BuildView;
  readonly now: number;
  readonly screen: Screen;
  /** No more events will come. */
  readonly ended: boolean;
}

/**
 * Renders the terminal view: finished steps at the top, written once; below them the header, the targets of a build of
 * several, and the running steps.
 */
export function App({ view, now, screen, ended }: AppProps): ReactElement {
  const finished = foldCached(view.finished.flatMap((id) => view.steps.get(id) ?? []));
  // More cached steps may join the last ones.
  const open = ended || finished.at(-1)?.[0].state !== 'cached' ? [] : finished.slice(-1);
  const closed = finished.slice(0, finished.length - open.length);
  const targets = ended ? [] : targetRows(view, now, screen);
  const { steps, held, hidden } = liveSteps(view, now, { ...screen, rows: screen.rows - targets.length - open.length });
  return (
    <>
      <Static items={closed}>
        {(steps) => <StepLine key={steps[0].id} steps={steps} now={now} screen={screen} />}
      </Static>
      <Box flexDirection="column">
        {open.map((steps) => (
          <StepLine key={steps[0].id} steps={steps} now={now} screen={screen} />
        ))}
        <Summary view={view} now={ended ? (view.finishedAt ?? now) : now} screen={screen} />
        {targets.map((row) => (
          <RowLine key={row.text} row={row} screen={screen} />
        ))}
        {steps.map(({ step, transfers, tail }) => (
          <Box key={step.id} flexDirection="column">
            <StepLine steps={[{ ...step, transfers: [] }]} now={now} screen={screen} />
            <LogTail rows={[...transfers, ...tail]} screen={screen} />
          </Box>
        ))}
        {!ended && held.map((row) => <RowLine key={row.text} row={row} screen={screen} />)}
        {hidden > 0 && <RowLine row={{ text: ` => ${hidden} more steps`, tone: 'faint' }} screen={screen} />}
      </Box>
    </>
  );
}
