import { expect, test } from 'vitest';
import { parseEngineFacts, readEngineFacts, readPluginSettings } from '../../../src/doctor/engine-facts.ts';

const signal = new AbortController().signal;
const mounts = [{ Type: 'volume', Name: 'db', Driver: 'scaleio:latest' }, { Type: 'bind' }];
const facts = {
  version: '20.10.24',
  plugins: [{ id: 'i', name: 'scaleio:latest', enabled: true }],
  containers: [{ name: 'c', running: true, mounts: [{ volume: 'db', driver: 'scaleio:latest' }] }],
};
const api: Record<string, unknown> = {
  '/version': { Version: '20.10.24' },
  '/plugins': [
    {
      Id: 'i',
      Name: 'scaleio:latest',
      Enabled: true,
      Settings: { Env: ['SCALEIO_ENDPOINT=https://gw?a=b', 'NODE_COMPILE_CACHE=/c'] },
    },
  ],
  '/containers/json?all=1': [{ Names: ['/c'], State: 'running', Mounts: mounts }],
};
const ask = (path: string) => Promise.resolve(api[path]);

test("the engine's API and the lines of the host command say the same", async () => {
  expect(await readEngineFacts(ask, signal)).toEqual(facts);
  const lines = [
    { version: '20.10.24' },
    { plugin: facts.plugins[0] },
    { container: { name: '/c', running: true, mounts } },
  ];
  expect(parseEngineFacts(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual(facts);
});

test('settings of the plugin by its name with or without tag', async () => {
  const found = { id: 'i', env: { SCALEIO_ENDPOINT: 'https://gw?a=b' } };
  expect(await readPluginSettings(ask, 'scaleio', signal)).toEqual(found);
  expect(await readPluginSettings(ask, 'other', signal)).toBeUndefined();
});
