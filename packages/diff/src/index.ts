export type { Differ, ExtractedLayer, ExtractOptions } from './differ.ts';
