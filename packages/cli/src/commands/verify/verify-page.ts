import { type ReportTable, renderPage } from '@tbuild/report';
import { VERSION } from '../../startup/version.ts';
import { describeDifference } from './print-comparison.ts';
import type { Verdict } from './verdict.ts';

/** Returns a page about what was found: for each platform, what differs and what makes it equal. */
export function verifyPage(title: string, verdicts: readonly Verdict[]): string {
  return renderPage({
    title: `${title}: ${verdicts.every(({ equal }) => equal) ? 'equal' : 'different'}`,
    madeBy: `tbuild ${VERSION}`,
    images: [],
    tables: verdicts.flatMap(tablesOf),
  });
}

function tablesOf({ platform, comparison, text }: Verdict): readonly ReportTable[] {
  if (comparison === undefined)
    return [{ title: platform, columns: ['Result'], rows: [[text === '' ? 'It could not be built again' : text]] }];
  const { first, second, layers, config } = comparison;
  const images = [first, second].map(({ name, id }) => [name, id]);
  const files = layers.flatMap(({ at, createdBy = '', files: all, problem }) => [
    ...(problem === undefined ? [] : [[`${at + 1}: ${createdBy}`, '', problem, '']]),
    ...all.map((file) => [`${at + 1}: ${createdBy}`, file.path, describeDifference(file), file.advice ?? '']),
  ]);
  const fields = config.map((one) => [one.path, one.first ?? 'nothing', one.second ?? 'nothing']);
  return [
    { title: `Images of ${platform}`, columns: ['Image', 'ID'], rows: images },
    { title: 'Files that differ', columns: ['Layer', 'File', 'Difference', 'Advice'], rows: files },
    { title: 'Configuration', columns: ['Field', 'First', 'Second'], rows: fields },
  ].filter(({ rows }) => rows.length > 0);
}
