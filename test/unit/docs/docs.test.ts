import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentTable } from '../../../src/config/describe-settings.ts';
import { MKFS_FLAGS, MOUNT_KEYS } from '../../../src/volumes/options/allowed-options.ts';
import { optionValues } from '../../../src/volumes/options/option-values.ts';

const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8').replaceAll(/ +/g, ' ');

describe('docs/configuration.md', () => {
  it.each(environmentTable().map((variable) => [variable.name, variable] as const))(
    'describes %s',
    (name, variable) => {
      const required = variable.isRequired ? 'required ' : '';
      const written = variable.default === '' ? required : `\`${variable.default}\` `;
      expect(page('configuration')).toContain(`| \`${name}\` | ${written}| ${variable.description} |`);
    },
  );
});

describe('docs/options.md', () => {
  it.each(Object.keys(optionValues.shape))('describes the option %s', (name) => {
    expect(page('options')).toMatch(new RegExp(`^\\| (\`uid\`, )?\`${name}\``, 'm'));
  });

  it.each(['xfs', 'ext4', 'btrfs'] as const)('lists what mkfs and mount take for %s', (fs) => {
    const [, section = ''] = page('options').split(`### ${fs}\n`);
    const [own = ''] = section.split('\n### ');
    for (const word of [...Object.keys(MKFS_FLAGS[fs]), ...Object.keys(MOUNT_KEYS[fs])]) {
      expect(own).toContain(`\`${word}\``);
    }
  });
});
