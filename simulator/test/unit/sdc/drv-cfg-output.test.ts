import { describe, expect, test } from 'vitest';
import { guidOutput, mdmsOutput, volumesOutput } from '../../../src/sdc/drv-cfg-output.ts';

describe('drv_cfg prints, as its readers expect,', () => {
  test('the GUID alone on a line [CloudStack]', () => {
    expect(guidOutput('B0E3BFB8-C20B-43BF-93C8-13339E85AA50')).toBe('B0E3BFB8-C20B-43BF-93C8-13339E85AA50\n');
  });

  test('no volumes', () => {
    expect(volumesOutput([])).toBe('Retrieved 0 volume(s)\n');
  });

  test('volumes that split on single spaces [goscaleio of REX-Ray]', () => {
    const text = volumesOutput([{ systemId: '218ce1797566a00f', volumeId: '6c33633100000009' }]);
    const words = text.split('\n')[1]?.split(' ');
    expect(words).toEqual(['VOL-ID', '6c33633100000009', 'MDM-ID', '218ce1797566a00f']);
  });

  test('MDMs in the columns that awk takes [csi-powerflex get_vxflexos_info.sh]', () => {
    const connection = {
      systemId: '3ef46cbf2aaf5d0f',
      sdcId: '6b18479c00000003',
      installationId: '68ab55462cbb3ae4',
    };
    const text = mdmsOutput([{ connection, ips: ['10.0.0.1', '10.0.0.2'] }]);
    expect(text).toMatch(/^Retrieved 1 mdm\(s\)\n/);
    const columns = text.split('\n')[1]?.split(' ') ?? [];
    expect([columns[1], columns[4], columns[7], columns[9], columns[10]]).toEqual([
      '3ef46cbf2aaf5d0f',
      '6b18479c00000003',
      '68ab55462cbb3ae4',
      '[0]-10.0.0.1',
      '[1]-10.0.0.2',
    ]);
    expect(/MDM-ID ([a-f0-9]+) SDC ID ([a-f0-9]+)/.exec(text)?.[2]).toBe('6b18479c00000003');
  });

  test('zero ids for a cluster that is not reached [terraform-provider-powerflex]', () => {
    expect(mdmsOutput([{ connection: undefined, ips: ['10.0.0.1'] }])).toContain(
      'MDM-ID 0000000000000000 SDC ID 0000000000000000 INSTALLATION ID 0000000000000000 IPs [0]-10.0.0.1\n',
    );
  });
});
