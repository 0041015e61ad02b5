import type { RuleName } from '../lint-rules.ts';
import { instructionPages } from './instruction-pages.ts';
import type { RulePage } from './rule-page.ts';
import { stagePages } from './stage-pages.ts';
import { stylePages } from './style-pages.ts';

const PAGES: Readonly<Record<RuleName, RulePage>> = { ...stylePages, ...stagePages, ...instructionPages };

/** The page of each rule. */
export function rulePage(name: RuleName): RulePage {
  return PAGES[name];
}
