/** Reports the progress of one piece of work, such as `exporting layers`, in bytes, with the total when it is known. */
export type ReportTransfer = (item: string, current: number, total?: number) => void;
