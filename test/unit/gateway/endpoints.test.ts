import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { EndpointHealth, inOrderOfHope, parseEndpoint } from '../../../src/gateway/wire/endpoints.ts';
import { EndpointFailure } from '../../../src/gateway/wire/failures.ts';

const because = (reason: string): EndpointFailure => new EndpointFailure(reason, { mayHaveActed: false });

test.each([
  ['https://gw', 'https://gw', ''],
  ['https://gw/', 'https://gw', ''],
  ['https://gw/api', 'https://gw', ''],
  ['https://gw/api/', 'https://gw', ''],
  ['https://gw:443/api', 'https://gw', ''],
  ['https://gw:8443//api//', 'https://gw:8443', ''],
  ['http://10.0.0.1:8080', 'http://10.0.0.1:8080', ''],
  ['HTTPS://GW.Example/api', 'https://gw.example', ''],
  ['gw.example', 'https://gw.example', ''],
  ['gw.example:8443/api', 'https://gw.example:8443', ''],
  ['https://[fd00::1]:443/api', 'https://[fd00::1]', ''],
  ['https://proxy/scaleio/api', 'https://proxy', '/scaleio'],
  [' https://gw ', 'https://gw', ''],
])('%j is the gateway %s with prefix %j', (text, origin, prefix) => {
  expect(parseEndpoint(text)).toEqual({ origin, prefix, name: `${origin}${prefix}` });
});

test.each(['', 'ftp://gw', 'https://', 'https://gw?x=1', 'https://gw#x', 'unix:///run/x', 'https://a b'])(
  '%j is refused',
  (text) => {
    expect(() => parseEndpoint(text)).toThrow(ConfigError);
  },
);

test('an address with a password in it is refused without repeating it', () => {
  expect(() => parseEndpoint('https://admin:S3cret@gw')).toThrow(
    /^gateway address of host "gw" contains a user/,
  );
  expect(() => parseEndpoint('https://admin:S3cret@gw')).not.toThrow(/S3cret/);
});

test('a gateway rests after two failures in a row, twice as long as failing takes', () => {
  let now = 0;
  const health = new EndpointHealth(() => now);
  health.failed(because('refused'), 0);
  expect([health.healthy, health.restingAfter?.reason]).toEqual([false, undefined]);
  now = 1;
  health.failed(because('refused'), 1);
  expect(health.restingAfter?.reason).toBe('refused');
  now = 201;
  expect(health.restingAfter?.reason).toBeUndefined();
  now = 1201;
  health.failed(because('timeout'), 201);
  now = 3200;
  expect(health.restingAfter?.reason).toBe('timeout');
  now = 60_000;
  health.failed(because('timeout'), 3200);
  now = 65_000;
  expect(health.restingAfter?.reason).toBeUndefined();
  health.failed(because('timeout'), 64_000);
  health.succeeded();
  expect([health.healthy, health.restingAfter?.reason, health.lastReason]).toEqual([
    true,
    undefined,
    undefined,
  ]);
});

test('tries that ran side by side count as one failure', () => {
  let now = 0;
  const health = new EndpointHealth(() => now);
  for (now = 5; now < 20; now += 1) health.failed(because('cut'), 0);
  expect([health.failures, health.restingAfter?.reason]).toEqual([1, undefined]);
});

test('tried first is who served last, then the healthy in given order, then those with fewest failures', () => {
  const endpoints = ['a', 'b', 'c', 'd'].map((name) => ({ name, health: new EndpointHealth(() => 0) }));
  const order = (last?: string): string =>
    inOrderOfHope(
      endpoints,
      endpoints.find(({ name }) => name === last),
    )
      .map(({ name }) => name)
      .join('');
  expect(order()).toBe('abcd');
  expect(order('c')).toBe('cabd');
  endpoints[2]?.health.failed(because('x'), 0);
  expect(order('c')).toBe('abdc');
  endpoints[0]?.health.failed(because('x'), 0);
  endpoints[0]?.health.failed(because('x'), 0);
  expect(order('c')).toBe('bdca');
});
