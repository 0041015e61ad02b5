export { GoNil, printValue } from './go-value.ts';
export { parseTemplate } from './parse-template.ts';
export { renderTemplate } from './render-template.ts';
