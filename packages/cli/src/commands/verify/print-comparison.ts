import { visible, visibleLine } from '@tbuild/errors';
import type { FileDifference, ImageComparison, LayerComparison } from '@tbuild/verify';

/** How many files of a layer are printed. */
const MOST_FILES = 25;
const LONGEST = 100;

/** Returns a comparison as lines for people. */
export function printComparison(comparison: ImageComparison): string {
  const { equal, first, second, layers, config } = comparison;
  if (equal) return `Equal: ${first.name} and ${second.name} are ${first.id}\n`;
  const same = layers.filter((layer) => layer.equal).length;
  const width = Math.max(first.name.length, second.name.length);
  const lines = [
    `Different: ${same} of ${layers.length} layers are equal`,
    ...[first, second].map(({ name, id }) => `  ${name.padEnd(width)}  ${id}`),
    ...layers.filter((layer) => !layer.equal).flatMap(layerLines),
    ...(config.length === 0 ? [] : ['', 'Configuration']),
    ...config.map((one) => `  ${one.path}: ${shorten(one.first ?? 'nothing')} → ${shorten(one.second ?? 'nothing')}`),
    ...(comparison.isConfigFormOnly ? ['', 'Configuration: equal values, in another order or form'] : []),
    '',
  ];
  return visible(lines.join('\n'));
}

function layerLines({ at, createdBy = '', first, second, files, problem }: LayerComparison): readonly string[] {
  const title = `Layer ${at + 1}${createdBy === '' ? '' : `: ${shorten(createdBy)}`}`;
  const presence =
    first === undefined ? ['  only in the second image'] : second === undefined ? ['  only in the first image'] : [];
  const more = files.length - MOST_FILES;
  const advice = [...new Set(files.flatMap((file) => file.advice ?? []))];
  return [
    '',
    title,
    ...presence,
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...files.slice(0, MOST_FILES).map((file) => `  ${visibleLine(file.path)}: ${describeDifference(file)}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
    ...advice.map((text) => `  Hint: ${text}`),
  ];
}

/** Says in what a file differs. */
export function describeDifference({ aspect, first, second, cause }: FileDifference): string {
  if (aspect === 'content') return cause ?? 'content';
  if (aspect === 'added' || aspect === 'removed')
    return `${aspect === 'added' ? 'only in the second' : 'only in the first'}`;
  return `${aspect} ${shorten(first || 'nothing')} → ${shorten(second || 'nothing')}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}
