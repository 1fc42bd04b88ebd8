import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentTable } from '../../../src/config/describe-settings.ts';
import { importSteward } from '../../../plugin/steward-image.ts';

interface Stack {
  readonly services: {
    readonly steward: {
      readonly environment: Readonly<Record<string, string>>;
      readonly secrets: readonly { readonly source: string }[];
      readonly configs: readonly { readonly source: string; readonly target: string }[];
      readonly user: string;
    };
  };
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, unknown>>;
}

const file = new URL('../../../deploy/steward-stack.yml', import.meta.url);
const stack = parse(readFileSync(file, 'utf8')) as Stack;
const { steward } = stack.services;

test('the stack sets only what the program knows, and the password only by its file', () => {
  const known = environmentTable().map(({ name }) => name);
  expect(known).toEqual(expect.arrayContaining(Object.keys(steward.environment)));
  expect(Object.keys(steward.environment)).not.toContain('SCALEIO_PASSWORD');
});

test('each secret and config that is named is one that is mounted', () => {
  const { SCALEIO_PASSWORD_FILE: password = '', SCALEIO_CA_FILE: ca = '' } = steward.environment;
  expect(steward.secrets.map(({ source }) => `/run/secrets/${source}`)).toContain(password);
  expect(steward.configs.map(({ target }) => target)).toContain(ca);
  expect(steward.configs.map(({ target }) => target)).toContain('/etc/docker-volume-scaleio/steward.yml');
  expect(steward.secrets.map(({ source }) => source).sort()).toEqual(Object.keys(stack.secrets).sort());
  expect(steward.configs.map(({ source }) => source).sort()).toEqual(Object.keys(stack.configs).sort());
});

test('image and stack agree on who runs it', () => {
  expect(importSteward('/rootfs', 'x', 'amd64')).toContain(`USER ${steward.user}`);
});
