import type { FaultRow } from '../fault-row.ts';
import { changeFiles } from '../input/changing-files.ts';
import { jumpClock } from '../input/jumping-clock.ts';

export const row: FaultRow = {
  name: 'input',
  title: 'Files that change during a build, and clocks that jump, give a true image or an error that names the file',
  needs: ['root', 'faketime', 'bindfs'],
  brief: [2, 24],
  run: (context) => context.random.pick([changeFiles, changeFiles, changeFiles, jumpClock])(context),
};
