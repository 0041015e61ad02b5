export type { Exportable, Exported, ExportedImage, Exporter, ReportExport } from './exporter.ts';
