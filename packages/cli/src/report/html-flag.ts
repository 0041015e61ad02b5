/** The option of commands that can write a page. */
export const htmlFlag = { kind: 'text', value: 'FILE', help: 'Write a page about it to a file instead' } as const;
