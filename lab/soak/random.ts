import { randomInt } from 'node:crypto';
import { pluginStage } from '../stage/stage.ts';
import { quick, runRandomly } from './random-run.ts';

const STEPS_PER_ROUND = 60;

/** Rounds of random acts, each with a seed of its own, until the time is over; throws at the first finding. */
export async function soakRandom(options: {
  readonly seconds: number;
  readonly seed: number | undefined;
}): Promise<void> {
  const stage = await pluginStage({ hosts: 3, settings: { ioWindowSeconds: 2 }, plugin: quick });
  try {
    const end = performance.now() + options.seconds * 1000;
    let seed = options.seed ?? randomInt(2 ** 31);
    for (let round = 1; round === 1 || performance.now() < end; seed += 1, round += 1) {
      console.log(`round ${round}, SEED=${seed}, ${STEPS_PER_ROUND} steps`);
      const say = (line: string): void => {
        console.log(`${new Date().toISOString()} ${line}`);
      };
      const found = await runRandomly(stage, { seed, steps: STEPS_PER_ROUND, say });
      console.log(`SEED=${seed} held: ${JSON.stringify(found)}`);
    }
  } finally {
    await stage.close();
  }
}
