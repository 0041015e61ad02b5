import { assembleImages } from './assemble/assemble-images.ts';
import type { BuildResult } from './build-result.ts';
import type { BuildRun } from './build-run.ts';
import { exportImages } from './export/export-images.ts';
import { planBuild } from './plan/plan-build.ts';
import type { BuildRequest } from './request.ts';
import type { Services } from './services.ts';
import { openSession } from './session/open-session.ts';
import { openSolving } from './solve/open-solving.ts';

/**
 * Runs a build: opens the inputs and outputs, plans the steps, solves them, assembles the images and exports them.
 * @throws TbuildError for any error that a user can provoke. Finished steps stay cached.
 */
export async function runBuild(request: BuildRequest, services: Services, run: BuildRun): Promise<BuildResult> {
  await using session = await openSession(request, services, run);
  const { inputs, outputs, imported, underway } = session;
  const plan = await planBuild(inputs, services, underway);
  await session.imports;
  await using solving = openSolving({ plan, ...session }, services, underway);
  for (;;) {
    const solved = await solving.solve();
    try {
      const images = await assembleImages({ plan, solved, inputs }, services, underway);
      return await exportImages({ plan, solved, inputs, images, outputs, imported }, services, underway);
    } catch (error) {
      // The layer of a cached step may be missing. Then its step runs.
      if (!solving.recover(error)) throw error;
    }
  }
}
