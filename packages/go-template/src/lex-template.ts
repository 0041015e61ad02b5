import { templateError } from './template-error.ts';

/** A word of an action. */
export interface Token {
  readonly kind: 'field' | 'variable' | 'word' | 'string' | 'number' | 'sign';
  readonly text: string;
  /** Its offset in the template, counted from 0. */
  readonly at: number;
  /** Whether a blank precedes it: `.a.b` is one operand, `.a .b` are two. */
  readonly apart: boolean;
}

/** A part of a template: text to print, or the words between `{{` and `}}`. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number };

const TOKEN =
  /(?<blank>\s+)|(?<field>\.[A-Za-z_]\w*)|(?<variable>\$\w*)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|(?<word>[A-Za-z_]\w*)|(?<sign>:=|[.|(),=])/y;

/**
 * Splits a template as Go's text/template does: `{{-` and `-}}` trim the adjacent blanks, and comments are dropped.
 * @throws TbuildError USAGE for an action without an end and for an invalid word.
 */
export function lexTemplate(source: string): readonly Segment[] {
  const segments: Segment[] = [];
  let trims = false;
  for (let at = 0; at < source.length;) {
    const open = source.indexOf('{{', at);
    const text = source.slice(at, open < 0 ? source.length : open);
    const trimsText = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    segments.push({ kind: 'text', text: trimmed(text, { start: trims, end: trimsText }) });
    if (open < 0) break;
    const start = open + (trimsText ? 3 : 2);
    const { tokens, end } = lexAction(source, start, open);
    if (tokens !== undefined) segments.push({ kind: 'action', tokens, at: open });
    trims = /\s-\}\}$/.test(source.slice(start, end));
    at = end;
  }
  return segments.filter((segment) => segment.kind === 'action' || segment.text !== '');
}

function trimmed(text: string, { start, end }: { readonly start: boolean; readonly end: boolean }): string {
  const after = start ? text.trimStart() : text;
  return end ? after.trimEnd() : after;
}

/** Returns the tokens of an action, or undefined for a comment, and the offset after it. */
function lexAction(source: string, start: number, open: number): { tokens?: readonly Token[]; end: number } {
  const comment = /\s*\/\*[\s\S]*?\*\/\s*-?\}\}/y;
  comment.lastIndex = start;
  if (comment.test(source)) return { end: comment.lastIndex };
  const tokens: Token[] = [];
  let apart = false;
  const close = /(?:\s-)?\}\}/y;
  for (let at = start; at < source.length;) {
    close.lastIndex = at;
    if (close.test(source)) return { tokens, end: close.lastIndex };
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null)
      throw templateError(source, { text: source.charAt(at), at }, { reason: 'it is not expected here' });
    const [kind] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? [];
    if (isTokenKind(kind)) tokens.push({ kind, text: match[0], at, apart });
    apart = kind === 'blank';
    at = TOKEN.lastIndex;
  }
  throw templateError(source, { text: '{{', at: open }, { reason: 'it has no "}}"' });
}

const KINDS = ['field', 'variable', 'word', 'string', 'number', 'sign'];

function isTokenKind(kind: string | undefined): kind is Token['kind'] {
  return kind !== undefined && KINDS.includes(kind);
}
