import { describe, expect, it } from 'vitest';

import {
  describeSettings,
  environmentTable,
  settingsJsonSchema,
} from '../../../src/config/describe-settings.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { SETTING_KEYS } from '../../../src/config/settings.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

describe('describeSettings', () => {
  it('says what each setting is and where it comes from, and hides secrets', () => {
    const password = newSecret('password');
    const files: Record<string, string> = {
      '/c.json': '{"maxConcurrent":3,"endpoints":["https://a","https://b"]}',
    };
    const loaded = loadSettings({
      env: { SCALEIO_USERNAME: 'docker', SCALEIO_PASSWORD: password, REXRAY_FSTYPE: 'ext4' },
      flags: { config: '/c.json', stateDir: '/state' },
      readFile: (path) => files[path] ?? '',
    });
    const described = describeSettings(loaded);
    const lineOf = (wanted: string) => described.find(({ key }) => key === wanted);
    expect(lineOf('password')).toMatchObject({ value: '***', origin: 'env SCALEIO_PASSWORD' });
    expect(lineOf('endpoints')).toMatchObject({ value: 'https://a,https://b', origin: 'file /c.json' });
    expect(lineOf('maxConcurrent')).toMatchObject({ value: '3' });
    expect(lineOf('fs')).toEqual({
      key: 'fs',
      env: 'SCALEIO_FS',
      value: 'ext4',
      origin: 'env REXRAY_FSTYPE',
    });
    expect(lineOf('stateDir')).toMatchObject({ value: '/state', origin: 'flag --state-dir' });
    expect(lineOf('deviceTimeout')).toMatchObject({ value: '30s', origin: 'default' });
    expect(lineOf('pool')).toMatchObject({ value: '', origin: 'default' });
    expect(described.map(({ key }) => key)).toEqual(SETTING_KEYS);
    expect(JSON.stringify(described)).not.toContain(password);
  });
});

describe('environmentTable', () => {
  const table = environmentTable();

  it('names every setting once, and the file of a secret', () => {
    const names = table.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(table.map(({ key }) => key))).toEqual(new Set(SETTING_KEYS));
    expect(names).toContain('SCALEIO_PASSWORD_FILE');
    names.forEach((name) => {
      expect(name).toMatch(/^SCALEIO_[A-Z_]+$/);
    });
  });

  it('says of each what it is for', () => {
    for (const { description } of table) expect(description.length).toBeGreaterThan(20);
  });

  it('knows what is required and what is secret', () => {
    expect(table.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual([
      'SCALEIO_ENDPOINT',
      'SCALEIO_USERNAME',
      'SCALEIO_PASSWORD',
    ]);
    expect(table.filter(({ isSecret }) => isSecret).map(({ name }) => name)).toEqual([
      'SCALEIO_PASSWORD',
      'SCALEIO_PAGE_TOKEN',
    ]);
  });

  it('gives defaults that mean what no value means', () => {
    const required = { SCALEIO_ENDPOINT: 'https://gw', SCALEIO_USERNAME: 'u', SCALEIO_PASSWORD: 'p' };
    const defaults = Object.fromEntries(table.map((variable) => [variable.name, variable.default]));
    const readFile = () => '';
    expect(loadSettings({ env: { ...defaults, ...required }, readFile }).settings).toEqual(
      loadSettings({ env: required, readFile }).settings,
    );
  });
});

describe('settingsJsonSchema', () => {
  it('describes the settings file', () => {
    const schema = settingsJsonSchema() as {
      properties: Record<string, { description?: string; default?: unknown }>;
      required: string[];
      additionalProperties: boolean;
    };
    expect(Object.keys(schema.properties)).toEqual(SETTING_KEYS);
    expect(schema.required).toEqual(['endpoints', 'username', 'password']);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties['size']).toMatchObject({ default: '16GiB' });
    for (const property of Object.values(schema.properties))
      expect(property.description).toBeTypeOf('string');
  });
});
