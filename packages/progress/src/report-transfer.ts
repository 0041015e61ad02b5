/** Reports how far one piece of work is, such as `exporting layers`; bytes, with their total when it is known. */
export type ReportTransfer = (item: string, current: number, total?: number) => void;
