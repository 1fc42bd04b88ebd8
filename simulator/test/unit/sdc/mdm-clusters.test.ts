import { describe, expect, test } from 'vitest';
import { formatConfig, hasHost, parseCluster, parseConfig } from '../../../src/sdc/mdm-clusters.ts';

describe('addresses of MDMs', () => {
  test.each([
    ['http://10.0.0.1:7781', [{ host: '10.0.0.1', port: 7781 }]],
    ['10.0.0.1', [{ host: '10.0.0.1', port: 9 }]],
    [
      'http://a:1,http://b:2',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    ['fd00::1', [{ host: 'fd00::1', port: 9 }]],
  ])('%s', (text, cluster) => {
    expect(parseCluster(text, 9)).toEqual(cluster);
  });

  test.each(['', 'a,,b', 'http://', 'not an address'])('%j is refused', (text) => {
    expect(() => parseCluster(text, 9)).toThrow(RangeError);
  });
});

test('drv_cfg.txt is read as it was written, and other lines are left aside', () => {
  const clusters = [parseCluster('10.0.0.1,10.0.0.2', 9), parseCluster('10.1.0.1', 9)];
  const text = formatConfig(clusters);
  expect(text).toBe('mdm 10.0.0.1,10.0.0.2\nmdm 10.1.0.1\n');
  expect(parseConfig(`# ini_guid x\nini_guid B0E3\n${text}`, 9)).toEqual(clusters);
});

test('a host belongs to a cluster by its whole address', () => {
  const cluster = parseCluster('10.0.0.11', 9);
  expect([hasHost(cluster, '10.0.0.11'), hasHost(cluster, '10.0.0.1')]).toEqual([true, false]);
});
