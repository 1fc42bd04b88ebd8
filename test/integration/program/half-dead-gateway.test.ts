import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import {
  startHalfDeadGateway,
  type HalfDeadGateway,
  type Illness,
} from '../../contract/gateway/half-dead.ts';
import { socketClient } from '../../contract/docker/target.ts';
import { startBundledStack, type BundledStack } from '../docker/bundled-stack.ts';

/* The real program, each time limit at its default, with a real device; of its two gateways the first is ill. The waits are real. */

let stack: BundledStack;
let first: HalfDeadGateway;

afterEach(async () => {
  await stack.close();
  await first.close();
});

/** Each call on a connection of its own, as from another engine's request. */
async function call(operation: string, body: object): Promise<string> {
  const client = socketClient(stack.socketPath);
  const outcome = await client.request({ path: `/VolumeDriver.${operation}`, body: JSON.stringify(body) });
  client.end();
  if (outcome.kind === 'dropped') throw new Error(`${operation} was not answered`);
  return outcome.text;
}

/** Fails when the answer is not there before that of a call that costs nothing and is sent after `seconds`: a busy machine delays both. */
async function within(seconds: number, answer: Promise<string>): Promise<string> {
  const tooLate = delay(seconds * 1000)
    .then(() => call('Capabilities', {}))
    .then(() => Promise.reject(new Error(`no answer within ${seconds} s`)));
  // Once the answer has won, nobody listens.
  tooLate.catch(() => undefined);
  return Promise.race([answer, tooLate]);
}

test.each<[string, Illness]>([
  ['the plugin starts', 'drips'],
  ['the plugin has been working with it', 'drips its body'],
])('when %s, the first gateway %s: the first Mount has 15 s, the next 2 s', async (moment, illness) => {
  stack = await startBundledStack();
  first = await startHalfDeadGateway(illness, stack.gateway);
  const settings = { SCALEIO_ENDPOINT: `${first.url},${stack.gateway}` };
  await stack.restartPlugin({ settings });
  for (const Name of ['one', 'two']) expect(await call('Create', { Name, Opts: {} })).toBe('{}');
  first.fallIll();
  if (moment === 'the plugin starts') await stack.restartPlugin({ settings });
  const one = await within(15, call('Mount', { Name: 'one', ID: 'a' }));
  const two = await within(2, call('Mount', { Name: 'two', ID: 'b' }));
  for (const answer of [one, two]) expect(answer).toContain('"Mountpoint":"/');
  for (const Name of ['one', 'two']) expect(await call('Path', { Name })).toContain('/mounts/');
  expect(first.asked()).toBeGreaterThan(0);
});
