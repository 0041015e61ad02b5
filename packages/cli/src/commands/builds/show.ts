import { type BuildRecord, findBuild, readEvents } from '@tbuild/builds';
import { visible, visibleLine } from '@tbuild/errors';
import { type BuildView, emptyView, formatSeconds, reduce, type StepView, timeOf, withLine } from '@tbuild/tui';
import { formatDocument, formatFlags } from '../../print/format-output.ts';
import { formatTable } from '../../print/table.ts';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';
import { statusOf } from './status.ts';

export const show = storeCommand({
  summary: 'Show a build: what was asked, its steps, their times, and why they ran',
  usage: 'builds show [OPTIONS] [BUILD]',
  flags: { ...ignoredBuilder, ...formatFlags },
  takes: [0, 1],
  run({ flags: { format }, words: [build], services: { store }, env }) {
    const record = findBuild(store, build);
    if (format !== undefined) return void env.stdout.write(formatDocument(format, { ...record }));
    let view = emptyView;
    for (const { at, event } of readEvents(store, record.id)) view = reduce(view, event, at);
    env.stdout.write(visible([facts(record), steps(view), warnings(view), error(record)].filter(Boolean).join('\n')));
  },
});

function facts(record: BuildRecord): string {
  const { id, name, startedAt, completedAt, counts, host, requests, results } = record;
  const share = counts.total === 0 ? 0 : Math.floor((100 * counts.cached) / counts.total);
  const rows = [
    ['Build', id],
    ['Name', name],
    ['Status', statusOf(record)],
    ['Started', new Date(startedAt).toISOString()],
    ['Duration', formatSeconds(completedAt - startedAt)],
    ['Steps', `${counts.cached + counts.built}/${counts.total} (${share}% cached)`],
    ['Machine', `${host['name']} (${host['platform']}), tbuild ${host['tbuild']}`],
    ...Object.entries(requests).flatMap(([target, request]) =>
      titled(target, [...requestRows(request), ...resultRows(results[target])]),
    ),
  ];
  return rows
    .map(([title = '', text = '']) => `${title === '' ? '' : `${title}:`.padEnd(12)}${visibleLine(text)}\n`)
    .join('');
}

/** The fields of requests and results are plain data of other versions too: each is shown if it has its type. */
function requestRows(request: unknown): readonly (readonly string[])[] {
  const { context, dockerfile, target: stage, platforms, tags, buildArgs } = object(request);
  return [
    ['Context', text(object(context)['path'] ?? object(context)['url'])],
    ['Dockerfile', text(object(dockerfile)['path'] ?? object(dockerfile)['name'])],
    ['Target', text(stage)],
    [
      'Platforms',
      list(platforms)
        .map((one) => `${text(object(one)['os'])}/${text(object(one)['architecture'])}`)
        .join(', '),
    ],
    ['Names', list(tags).map(text).join(', ')],
    [
      'Build args',
      Object.entries(object(buildArgs))
        .map(([name, value]) => `${name}=${text(value)}`)
        .join(' '),
    ],
  ];
}

function resultRows(result: unknown): readonly (readonly string[])[] {
  const { id, manifest, destinations } = object(result);
  return [
    ['Image', text(id)],
    ['Digest', text(object(manifest)['digest'])],
    // A pushed image has the name that it has in the store.
    ['Outputs', [...new Set(list(destinations).map(text))].join(', ')],
  ];
}

function titled(target: string, rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const given = rows.filter(([, value]) => value !== '');
  return target === '' || given.length === 0 ? given : [['', `[${target}]`], ...given];
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const STATES: Readonly<Record<StepView['state'], string>> = {
  waiting: 'not run',
  running: 'not ended',
  built: 'ran',
  cached: 'cached',
  failed: 'FAILED',
  cancelled: 'cancelled',
};

function steps(view: BuildView): string {
  const rows = [...view.steps.values()].map((step) => [
    step.index === 0 ? '' : `#${step.index}`,
    STATES[step.state],
    step.state === 'built' || step.state === 'failed' ? formatSeconds(timeOf(step, step.finishedAt ?? 0)) : '',
    step.reason === undefined ? step.name : `${step.name} (${step.reason})`,
  ]);
  return rows.length === 0 ? '' : formatTable(['STEP', 'STATE', 'TIME', 'WHAT'], rows);
}

function warnings({ warnings: all }: BuildView): string {
  return all.length === 0 ? '' : `Warnings:\n${all.map((one) => `  ${withLine(one)}\n`).join('')}`;
}

function error({ error: failure }: BuildRecord): string {
  if (failure === undefined) return '';
  const { message, hint, location } = failure;
  const place = location === undefined ? '' : ` (${location.file}:${location.start.line})`;
  return `Error: ${visibleLine(message)}${place}\n${hint === undefined ? '' : `hint: ${hint}\n`}`;
}
