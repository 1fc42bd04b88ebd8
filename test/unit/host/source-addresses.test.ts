import { expect, test } from 'vitest';
import { sourceAddresses } from '../../../src/host/source-addresses.ts';

test('addresses of this host from which the targets are reached, once each', async () => {
  expect(await sourceAddresses(['127.0.0.1', '127.0.0.2', '::1'])).toEqual(
    expect.arrayContaining(['127.0.0.1']),
  );
  expect(await sourceAddresses(['127.0.0.1', '127.0.0.2'])).toHaveLength(1);
});

test('what is no address, or has no route, has none', async () => {
  expect(await sourceAddresses(['gateway.example.com', ''])).toEqual([]);
});
