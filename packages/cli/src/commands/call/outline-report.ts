import type { outlineBuild } from '@tbuild/builder';
import { columns } from './columns.ts';
import { base64, protoLocation } from './proto-location.ts';

type OutlineReport = Awaited<ReturnType<typeof outlineBuild>>;
type Mount = OutlineReport['outline']['secrets'][number];

/** Returns what `--call=outline` prints for people: the target, then a table for each kind of parameter. */
export function outlineText({ outline }: OutlineReport): string {
  const { name, description, args, secrets, ssh } = outline;
  const target: string[][] = [];
  if (name !== undefined || description !== undefined) target.push(['TARGET:', name ?? '(default)']);
  if (description !== undefined) target.push(['DESCRIPTION:', description]);
  const argRows = args.map(({ name: arg, value, description: about = '' }) => [arg, value, about]);
  const tables = [
    target.length === 0 ? '' : `${columns(target, 1)}\n`,
    table(['BUILD ARG', 'VALUE', 'DESCRIPTION'], argRows),
    table(['SECRET', 'REQUIRED'], secrets.map(mountRow)),
    table(['SSH', 'REQUIRED'], ssh.map(mountRow)),
  ];
  return tables.join('');
}

function mountRow({ name, required }: Mount): string[] {
  return [name, required ? 'true' : ''];
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `${columns([headings, ...rows], 3)}\n`;
}

/** Returns BuildKit's JSON, which omits empty lists. */
export function outlineJson({ outline, source }: OutlineReport): object {
  const { name, description, args, secrets, ssh } = outline;
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...list('args', args.map(argJson)),
    ...list('secrets', secrets.map(mountJson)),
    ...list('ssh', ssh.map(mountJson)),
    sources: [base64(source.text)],
  };
}

function argJson({ name, description, value, location }: OutlineReport['outline']['args'][number]): object {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(value === '' ? {} : { value }),
    location: protoLocation(location),
  };
}

function mountJson({ name, required, location }: Mount): object {
  return { name, ...(required ? { required } : {}), location: protoLocation(location) };
}

function list(key: string, items: readonly object[]): object {
  return items.length === 0 ? {} : { [key]: items };
}
