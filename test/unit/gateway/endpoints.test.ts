import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { EndpointHealth, inOrderOfHope, parseEndpoint } from '../../../src/gateway/endpoints.ts';

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

test('a gateway rests after two failures in a row, longer each time, and one success wakes it', () => {
  let now = 0;
  const health = new EndpointHealth(() => now);
  health.failed('refused');
  expect([health.healthy, health.restingBecause]).toEqual([false, undefined]);
  health.failed('refused');
  expect(health.restingBecause).toBe('refused');
  now = 1000;
  expect(health.restingBecause).toBeUndefined();
  health.failed('timeout');
  now = 2999;
  expect(health.restingBecause).toBe('timeout');
  for (let again = 0; again < 20; again += 1) health.failed('timeout');
  now += 8000;
  expect(health.restingBecause).toBeUndefined();
  health.failed('timeout');
  health.succeeded();
  expect([health.healthy, health.restingBecause, health.lastReason]).toEqual([true, undefined, undefined]);
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
  endpoints[2]?.health.failed('x');
  expect(order('c')).toBe('abdc');
  endpoints[0]?.health.failed('x');
  endpoints[0]?.health.failed('x');
  expect(order('c')).toBe('bdca');
});
