import { execa } from 'execa';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test, afterAll } from 'vitest';
import { settingsSchema } from '../../src/settings.ts';

/*
 * What `npm install` of the package would leave in an empty project, without asking a registry: the package unpacked, and beside it
 * the libraries that its package.json names, as this repository has them.
 */
const root = path.resolve(import.meta.dirname, '../../..');
let project: string;
let readme: string;

beforeAll(async () => {
  readme = await readFile(path.join(root, 'simulator/README.md'), 'utf8');
  const [command = ''] = /^npm run package .*$/m.exec(readme) ?? [];
  const { stdout } = await execa({ cwd: root })`bash -ec ${command}`;
  const file = stdout.trimEnd().split('\n').at(-1) ?? '';
  project = await mkdtemp(path.join(tmpdir(), 'simulator-package-'));
  const packaged = path.join(project, 'node_modules/scaleio-simulator');
  await mkdir(packaged, { recursive: true });
  await execa('tar', ['--extract', '--file', file, '--strip-components=1', '--directory', packaged]);
  for (const name of await readdir(path.join(root, 'node_modules'))) {
    if (name === 'scaleio-simulator' || name.startsWith('.')) continue;
    await symlink(path.join(root, 'node_modules', name), path.join(project, 'node_modules', name));
  }
  await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
}, 300_000);

afterAll(() => rm(project, { recursive: true }));

function block(language: string): string {
  const [, found] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(readme) ?? [];
  if (found === undefined) throw new Error(`the page has no ${language}`);
  return found;
}

test('the example of the page is right by its types, and runs', async () => {
  await writeFile(path.join(project, 'example.ts'), block('ts'));
  const strict = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--noEmit',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  await execa(path.join(root, 'node_modules/.bin/tsc'), [...strict, 'example.ts'], { cwd: project });
  const { stdout } = await execa(process.execPath, ['example.ts'], { cwd: project });
  expect(stdout).toMatch(/'https:\/\/127\.0\.0\.1:\d+',\s+'http:\/\/127\.0\.0\.1:\d+'/);
}, 120_000);

test('its command works, and compiles what a host needs of the C sources in it', async () => {
  const bin = path.join(project, 'node_modules/scaleio-simulator/main.js');
  const { stdout } = await execa(process.execPath, [bin, '--help']);
  expect(stdout).toContain('Usage: scaleio-simulator');
  const script = `import { buildDrvCfg, buildScini } from 'scaleio-simulator/sdc-programs';
    console.log(await buildDrvCfg('drv_cfg'), await buildScini('scini'));`;
  await execa(process.execPath, ['--input-type=module', '--eval', script], { cwd: project });
  expect(await readdir(project)).toEqual(expect.arrayContaining(['drv_cfg', 'scini']));
}, 120_000);

test('each import that the page lists is one of the package, and the other way round', async () => {
  const manifest = JSON.parse(await readFile(path.join(root, 'simulator/package.json'), 'utf8')) as {
    exports: Record<string, string>;
  };
  const listed = [...readme.matchAll(/^\| (`scaleio-simulator.*?`) +\|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([^`]*)`/g)].map(([, name = '']) => name.replace('scaleio-simulator', '.')),
  );
  const offered = Object.keys(manifest.exports).filter((name) => name !== './package.json');
  expect(listed.sort()).toEqual(offered.sort());
});

test('the settings that the page shows are settings', () => {
  expect(settingsSchema.parse(JSON.parse(block('json')))).toMatchObject({ limits: { volumesPerSdc: 10 } });
});
