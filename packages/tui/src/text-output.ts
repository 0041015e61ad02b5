/** What text is written to: any stream; a terminal's knows its size. */
export type TextOutput = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>;
