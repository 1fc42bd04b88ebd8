import { subscribe } from 'node:diagnostics_channel';
import path from 'node:path';
import { SECRETS_CHANNEL } from 'scaleio-simulator/secrets';
import { secretsDirectory, usesSecret, type UsedSecret } from './used.ts';

/*
 * Notes the passwords and tokens of every simulated gateway of this process: loaded before each test file, and with
 * node --import into simulators that are processes of their own.
 */
subscribe(SECRETS_CHANNEL, (message) => {
  usesSecret(message as UsedSecret);
});

/** How a program that simulates a gateway is started, so that its secrets are noted too. */
export function notingNode(node: string): string[] {
  const directory = secretsDirectory();
  if (directory === undefined) return [node];
  const self = path.join(import.meta.dirname, 'simulated.ts');
  return ['env', `TEST_SECRETS=${directory}`, node, '--import', self];
}
