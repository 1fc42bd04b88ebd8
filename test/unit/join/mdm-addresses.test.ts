import { describe, expect, test } from 'vitest';
import { judgeMdmAddresses } from '../../../src/join/mdm-addresses.ts';

const array = { systemId: '3ef46cbf2aaf5d0f', addresses: ['10.0.0.1', '10.0.0.2'] };
const at = (systemId: string | null, ...addresses: string[]) => ({ systemId, sdcId: null, addresses });

describe('judgeMdmAddresses', () => {
  test.each([
    ['nothing is configured', [], 'missing'],
    ['another array is connected', [at('aaaaaaaaaaaaaaaa', '10.7.0.1')], 'missing'],
    ['addresses lead nowhere and are not the array’s', [at(null, '10.9.9.9')], 'unclear'],
    [
      'one cluster leads nowhere beside another array',
      [at('aaaaaaaaaaaaaaaa', '10.7.0.1'), at(null, '10.9.9.9')],
      'unclear',
    ],
    ['all are there', [at(null, '10.0.0.2', '10.0.0.1')], 'complete'],
    ['more are there', [at(array.systemId, '10.0.0.2', '10.0.0.1', '10.0.0.9')], 'complete'],
  ])('%s', (_, configured, verdict) => {
    expect(judgeMdmAddresses(configured, array)).toMatchObject({ verdict });
  });

  test('what is lacking is added, and nothing is taken away', () => {
    expect(judgeMdmAddresses([at(null, '10.0.0.2', '10.0.0.9')], array)).toEqual({
      verdict: 'partial',
      known: '10.0.0.2',
      lacking: ['10.0.0.1'],
      all: ['10.0.0.2', '10.0.0.9', '10.0.0.1'],
    });
  });
});
