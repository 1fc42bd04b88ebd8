import { execa } from 'execa';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineArchitecture } from '../../../plugin/debian.ts';
import { makePackages } from '../../../plugin/packages/make-packages.ts';
import { VERSION } from '../../../src/cli/version.ts';

const NAME = 'docker-volume-scaleio';
let dir: string;
let files: readonly string[];

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'packages-'));
  // Not on the disk of /tmp, which may be an overlay itself and then takes no other.
  await execa('mount', ['-t', 'tmpfs', 'packages', dir]);
  const into = path.join(dir, 'made');
  files = await makePackages({ arch: await machineArchitecture(), into, compression: 'none' });
}, 120_000);

afterAll(async () => {
  await execa('umount', ['--lazy', dir]);
  await rm(dir, { recursive: true });
});

function made(ending: string): string {
  const file = files.find((one) => one.endsWith(ending));
  if (file === undefined) throw new Error(`no ${ending} among ${files.join(', ')}`);
  return file;
}

/** Runs a script as root of a machine like this one, whose changes are gone with the directory. */
async function onMachine(name: string, script: string): Promise<{ output: string; exitCode: number }> {
  for (const part of ['upper', 'work', 'root']) await mkdir(path.join(dir, name, part), { recursive: true });
  const enter = `
    mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
    mount -t proc proc "$1/root/proc"
    mount --bind "$2" "$1/root/mnt"
    mount -t tmpfs run "$1/root/run"
    exec chroot "$1/root" sh -ec "$3"`;
  const args = ['--mount', '--propagation', 'private', 'sh', '-ec', enter, 'sh', path.join(dir, name)];
  const run = await execa('unshare', [...args, path.join(dir, 'made'), script], { all: true, reject: false });
  return { output: run.all, exitCode: run.exitCode ?? -1 };
}

const install = `dpkg --force-depends --install /mnt/*.deb`;

describe('the Debian package', () => {
  test('brings the program, its units, man page and completions, and says what to do next', async () => {
    const { output, exitCode } = await onMachine(
      'fresh',
      `${install}
      ${NAME} --version
      stat --format '%a %n' /etc/scaleio /etc/scaleio/${NAME}.env
      systemd-analyze verify /usr/lib/systemd/system/${NAME}.service 2>&1 | grep ${NAME} || true
      bash -c 'source /usr/share/bash-completion/completions/${NAME} && complete -p ${NAME}'
      find /usr/share/zsh/vendor-completions /usr/share/fish/vendor_completions.d -name '*${NAME}*' -size +1k`,
    );
    expect(exitCode, output).toBe(0);
    expect(output).toContain(`systemctl enable --now ${NAME}.socket ${NAME}.service`);
    expect(output).toContain(`\n${VERSION}\n`);
    expect(output).toContain('700 /etc/scaleio\n');
    expect(output).toContain(`600 /etc/scaleio/${NAME}.env\n`);
    expect(output).toMatch(/complete .*docker-volume-scaleio/);
    expect(output).toContain(`_${NAME}`);
    expect(output).toContain(`${NAME}.fish`);
  });

  test('keeps changed settings when it is renewed or removed, and nothing of ours when it is purged', async () => {
    const { output, exitCode } = await onMachine(
      'renewed',
      `${install}
      echo SCALEIO_USERNAME=changed >/etc/scaleio/${NAME}.env
      ${install}
      cat /etc/scaleio/${NAME}.env
      mkdir -p /var/lib/${NAME}/state /var/cache/${NAME}
      dpkg --remove ${NAME}
      cat /etc/scaleio/${NAME}.env
      ls -d /var/lib/${NAME}
      dpkg --purge ${NAME}
      find /usr /etc/scaleio /var/lib /var/cache -xdev -name '*${NAME}*' || true
      echo done`,
    );
    expect(exitCode, output).toBe(0);
    expect(output.match(/^SCALEIO_USERNAME=changed$/gm)).toHaveLength(2);
    expect(output).toContain(`\n/var/lib/${NAME}\n`);
    const afterwards = output.slice(output.lastIndexOf('Purging'));
    expect(afterwards.split('\n').at(-1)).toBe('done');
    expect(afterwards).not.toMatch(/^\/.*docker-volume-scaleio/m);
  });

  test('is not removed while containers use volumes here, and says which', async () => {
    const { output, exitCode } = await onMachine(
      'used',
      `${install}
      mkdir -p /var/lib/${NAME}/mounts/db
      mount -t tmpfs db /var/lib/${NAME}/mounts/db
      dpkg --remove ${NAME} && echo removed at once
      umount /var/lib/${NAME}/mounts/db
      dpkg --remove ${NAME} && echo removed afterwards`,
    );
    expect(output).toContain('containers use volumes here');
    expect(output).toContain(`/var/lib/${NAME}/mounts/db`);
    expect(output).not.toContain('removed at once');
    expect(output).toContain('removed afterwards');
    expect(exitCode).toBe(0);
  });
});

test('the man page tells of every command, and nothing in it is wrong for groff', async () => {
  const page = `dpkg-deb --fsys-tarfile "$0" | tar --extract --to-stdout ./usr/share/man/man8/${NAME}.8 | groff -man -ww -Tutf8 -P-cbou`;
  const { stdout, stderr } = await execa('sh', ['-ec', page, made('.deb')]);
  expect(stderr).toBe('');
  for (const words of ['serve', 'volume snapshot <', 'volume trash erase <name>', 'doctor'])
    expect(stdout).toContain(`   ${words}`);
});

test('the rpm has the same files, keeps changed settings, and is for the same processor', async () => {
  const asked = async (...what: string[]): Promise<string> =>
    (await execa('rpm', ['--dbpath', path.join(dir, 'db'), '-qp', ...what, made('.rpm')])).stdout;
  const { stdout } = await execa('sh', ['-ec', 'dpkg-deb --fsys-tarfile "$0" | tar --list', made('.deb')]);
  const wanted = stdout.split('\n').filter((name) => !name.endsWith('/'));
  const files = (await asked('--list')).split('\n');
  for (const name of wanted) expect(files).toContain(name.slice(1));
  expect(await asked('--configfiles')).toBe(`/etc/scaleio/${NAME}.env`);
  expect(await asked('--scripts')).toContain('containers use volumes here');
});

test('the checksums are right, and the list of parts names what is bundled', async () => {
  const sums = made('SHA256SUMS');
  await execa('sha256sum', ['--check', '--strict', sums], { cwd: path.dirname(sums) });
  const parts = JSON.parse(await readFile(made('.cdx.json'), 'utf8')) as { components: { name: string }[] };
  const names = parts.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['fastify', 'pino', 'zod', 'execa']));
  expect(names).not.toContain('vitest');
});
