export { layerSizes } from './layer-sizes.ts';
export { readEvents } from './read-events.ts';
export { renderPage } from './render-page.ts';
export type { BuildFacts, ImageFacts, ReportTable, StepFacts } from './report-data.ts';
export { surveyImage } from './survey-image.ts';
