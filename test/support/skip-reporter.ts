import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/**
 * Prints why tests were skipped, and fails the run when one was skipped without a reason from `needs` or a note:
 * this machine could have run it. Ignores a run that selects tests by name.
 */
export default class SkipReporter implements Reporter {
  #isPartial = false;

  onInit(vitest: Vitest): void {
    this.#isPartial = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isPartial) return;
    const skipped = modules.flatMap(({ children }) => [...children.allTests('skipped')]);
    const byReason = new Map<string, number>();
    for (const test of skipped) {
      const reason = reasonOf(test);
      if (reason !== undefined) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
    }
    for (const [reason, count] of byReason) console.log(`Skipped ${count}: ${reason}`);
    const wrong = skipped.filter((test) => reasonOf(test) === undefined);
    for (const { module, fullName } of wrong)
      console.error(`Skipped without a reason: ${module.relativeModuleId} > ${fullName}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  for (let at: TestCase | TestSuite | TestModule = test; at.type !== 'module'; at = at.parent) {
    const { lacks } = at.meta();
    if (lacks !== undefined) return `this machine lacks ${lacks}`;
  }
  return undefined;
}
