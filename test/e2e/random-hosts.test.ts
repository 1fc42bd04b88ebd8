import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quick, runRandomly } from '../../lab/soak/random-run.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/** The soak runs the same for as long as one likes. */
const steps = 30;
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));

let stage: ArrayStage;

beforeAll(async () => {
  stage = await pluginStage({ hosts: 3, settings: { ioWindowSeconds: 2 }, plugin: quick });
});

afterAll(async () => {
  await stage.close();
});

test(`whatever befalls three hosts, nothing is lost, mapped twice or left over (SEED=${seed})`, async () => {
  const log: string[] = [];
  try {
    const found = await runRandomly(stage, { seed, steps, say: (line) => log.push(line) });
    console.log(`SEED=${seed}: ${JSON.stringify(found)}`);
    expect(found.starts.ok + found.starts.refused).toBeGreaterThan(0);
  } catch (error) {
    console.error(`SEED=${seed}\n${log.join('\n')}`);
    throw error;
  }
});
