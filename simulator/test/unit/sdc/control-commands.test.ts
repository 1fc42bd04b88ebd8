import { describe, expect, test } from 'vitest';
import { answerControl, type ControlledSdc } from '../../../src/sdc/control-commands.ts';

function unexpected(): never {
  throw new Error('unexpected call');
}

/** An SDC that throws on whatever a test did not give. */
function sdc(given: Partial<ControlledSdc>): ControlledSdc {
  return {
    guid: 'G',
    mappedVolumes: unexpected,
    mdmEntries: unexpected,
    config: unexpected,
    rescan: unexpected,
    addMdm: unexpected,
    changeMdm: unexpected,
    removeMdm: unexpected,
    silence: unexpected,
    resume: unexpected,
    ...given,
  };
}

describe('requests of drv_cfg', () => {
  test('are answered from the SDC', async () => {
    expect(await answerControl(sdc({}), ['query_guid'])).toEqual({ ok: true, text: 'G\n' });
    expect(await answerControl(sdc({ config: () => 'mdm a\n' }), ['config'])).toEqual({
      ok: true,
      text: 'mdm a\n',
    });
    expect((await answerControl(sdc({ mappedVolumes: () => [] }), ['query_vols'])).text).toBe(
      'Retrieved 0 volume(s)\n',
    );
  });

  test('wait for a rescan to be done', async () => {
    let done = false;
    const rescan = async (): Promise<void> => {
      await Promise.resolve();
      done = true;
    };
    expect((await answerControl(sdc({ rescan }), ['rescan'])).ok).toBe(true);
    expect(done).toBe(true);
  });

  test('pass addresses on, and fail when the SDC knows none such', async () => {
    const asked: string[][] = [];
    const refuse = (...words: string[]): boolean => {
      asked.push(words);
      return false;
    };
    const strict = sdc({
      addMdm: refuse,
      changeMdm: refuse,
      removeMdm: (ip) => Promise.resolve(refuse(ip)),
    });
    for (const words of [
      ['add_mdm', 'a,b'],
      ['mod_mdm_ip', 'a', 'c,d'],
      ['remove_mdm', 'a'],
    ]) {
      expect((await answerControl(strict, words)).ok).toBe(false);
    }
    expect(asked).toEqual([['a,b'], ['a', 'c,d'], ['a']]);
  });

  test('that nobody knows are refused', async () => {
    expect((await answerControl(sdc({}), ['query_tgts'])).ok).toBe(false);
    expect((await answerControl(sdc({}), [])).ok).toBe(false);
  });
});
