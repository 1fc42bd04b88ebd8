import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Those that last a minute and more, the longest first. vitest goes by the size of a file where it has no times of an earlier run, and
 * a fresh clone has none: then a long one may begin last, and all others wait for it.
 */
const LONG = [
  ...[
    'managed-plugin',
    'steward-stack',
    'swarm-handover',
    'swarm-failover',
    'join',
    'lab',
    'postgres-failover',
  ],
  ...['failover-loser', 'gateway-away', 'docs', 'docker-sequences', 'races', 'random-hosts', 'power-cut'],
].map((name) => `${name}.test.ts`);

/** Starts the long files of the end-to-end tests first, so that workers side by side end together. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ moduleId, project }: TestSpecification): number {
  const place = project.name === 'e2e' ? LONG.indexOf(path.basename(moduleId)) : -1;
  return place === -1 ? LONG.length : place;
}
