import { describe, expect, it } from 'vitest';
import { FORGETFUL_CRASH, HOST_REBOOT, PLUGIN_CRASH, disturbEverywhere } from './world/failpoints.ts';
import { LIFE_SCENARIOS } from './world/life-scenarios.ts';
import { SCENARIOS } from './world/scenarios.ts';

describe.each([PLUGIN_CRASH, FORGETFUL_CRASH, HOST_REBOOT])('$name at every step of', (disturbance) => {
  it.each([...SCENARIOS, ...LIFE_SCENARIOS])('$name: nothing is lost and nothing leaks', async (scenario) => {
    expect(await disturbEverywhere(scenario, disturbance)).toEqual([]);
  });
});
