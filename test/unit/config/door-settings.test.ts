import { describe, expect, it } from 'vitest';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';

const FILES = {
  SCALEIO_DOOR_CERT_FILE: '/etc/scaleio/door.pem',
  SCALEIO_DOOR_KEY_FILE: '/etc/scaleio/door.key',
  SCALEIO_DOOR_TOKENS_FILE: '/etc/scaleio/door-tokens',
};

/** The door's address with these settings, or their mistakes. */
function doorWith(more: Readonly<Record<string, string>>): string | undefined | readonly string[] {
  const env = { SCALEIO_ENDPOINT: 'https://gw', SCALEIO_USERNAME: 'docker', SCALEIO_PASSWORD: 'of nobody' };
  try {
    return loadSettings({ env: { ...env, ...more }, readFile: () => '' }).settings.doorAddress;
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error.problems;
    throw error;
  }
}

describe('the door to stewards', () => {
  it('is closed unless it has an address', () => {
    expect(doorWith({})).toBeUndefined();
    expect(doorWith(FILES)).toBeUndefined();
  });

  it.each(Object.keys(FILES))('is mistaken without %s, on the loopback too', (missing) => {
    for (const SCALEIO_DOOR_ADDRESS of ['10.0.0.1:9490', '127.0.0.1:9490']) {
      expect(doorWith({ ...FILES, SCALEIO_DOOR_ADDRESS })).toBe(SCALEIO_DOOR_ADDRESS);
      expect(doorWith({ ...FILES, SCALEIO_DOOR_ADDRESS, [missing]: '' })).toEqual([
        expect.stringContaining(missing),
      ]);
    }
  });
});
