import { describe, expect, it } from 'vitest';
import {
  CALL_FAILS,
  CLIENT_LEAVES,
  DEADLINE_PASSES,
  GATEWAY_LEAVES,
  disturbEverywhere,
} from './world/failpoints.ts';
import { LIFE_SCENARIOS } from './world/life-scenarios.ts';
import { SCENARIOS } from './world/scenarios.ts';

describe.each([CALL_FAILS, GATEWAY_LEAVES, DEADLINE_PASSES, CLIENT_LEAVES])(
  '$name at every step of',
  (disturbance) => {
    it.each([...SCENARIOS, ...LIFE_SCENARIOS])(
      '$name: nothing is lost and nothing leaks',
      async (scenario) => {
        expect(await disturbEverywhere(scenario, disturbance)).toEqual([]);
      },
    );
  },
);
