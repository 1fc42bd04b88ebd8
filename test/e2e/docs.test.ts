import { copyFile, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LabArray, startArray } from '../../lab/hosts/array.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { DocsPage } from './docs-page.ts';
import { askGateway } from './gateway-login.ts';
import { bareStage, type Stage } from '../../lab/stage/stage.ts';

/*
 * What README and docs tell a person to type, typed: word for word and in the order of the page, with the lab's registry, gateway and
 * password in place of the examples. A page whose commands have changed fails here until they have been tried.
 */

const project = path.resolve(import.meta.dirname, '../..');
const activation = path.join(import.meta.dirname, 'socket-activation.pl');
/** Where a person stands who has copied the files that a page names. */
const here = '/root/install';

let stage: Stage;
let array: LabArray;
let shells = 0;

beforeAll(async () => {
  stage = await bareStage({ hosts: 2 });
  array = await startArray(stage.lab, { tls: true });
  await stage.lab.swarm();
  for (const host of stage.lab.hosts) {
    await host.exec(['mkdir', '-p', here]);
    await copyFile(array.caFile, host.pathFromOutside(`${here}/gateway-ca.pem`));
    for (const name of ['dist', 'plugin', 'node_modules'])
      await host.exec(['ln', '-s', path.join(project, name), `${here}/${name}`]);
  }
});

afterAll(async () => {
  await stage.close();
});

const examples = (): Record<string, string> => ({
  'registry.example.com': stage.lab.registry,
  'https://gateway.example.com': array.secureEndpoint,
  'SCALEIO_USERNAME=docker': `SCALEIO_USERNAME=${array.user}`,
  'the password': array.password,
});

const read = (file: string): Promise<DocsPage> => DocsPage.read(file, examples());

/** A shell that reads the commands from a file of its own, because they hold the password, and stops at the first that fails. */
async function shellFor(host: Host, commands: string): Promise<string[]> {
  shells += 1;
  const file = `/root/commands-${shells}`;
  await host.exec(['sh', '-c', `umask 077; cat >${file}`], { input: commands });
  const environment = `cd ${here}; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return ['bash', '--norc', '-euo', 'pipefail', '-c', `${environment}; . ${file}`];
}

/** Types commands on a host, as root, and answers what they print; `input` is what a person answers. */
async function types(host: Host, commands: string, input = ''): Promise<string> {
  return host.exec(await shellFor(host, commands), { input });
}

/** The same at a terminal, where commands ask, and somebody who says yes to everything. */
async function typesAtTerminal(host: Host, commands: string): Promise<string> {
  const shell = (await shellFor(host, commands)).map((word) => `'${word}'`).join(' ');
  const typing = host.spawn(['script', '--quiet', '--return', '--command', shell, '/dev/null']);
  let said = '';
  let answered = 0;
  typing.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    const asked = said.split('[y/N]').length - 1;
    if (asked > answered) typing.stdin.write('y\n'.repeat(asked - answered));
    answered = asked;
  });
  await typing.catch((cause: unknown) => {
    throw new Error(`failed, having said:\n${said.slice(-2000)}`, { cause });
  });
  return said;
}

/** Types commands where the sources are. */
async function typesAtHome(commands: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  await execa('bash', ['-euo', 'pipefail', '-c', commands], { cwd: project, env });
}

describe('README', () => {
  let page: DocsPage;
  let host: Host;

  beforeAll(async () => {
    page = await read('README.md');
    host = stage.lab.host(1);
  });

  test('names the two commands first', () => {
    // They are what runs this test, and what lab/demo is.
    expect(
      page
        .next('make demo')
        .split('\n')
        .map((line) => line.split('  ', 1)[0]),
    ).toEqual(['make demo', 'make test']);
    expect(page.next('make demo-capacity')).toContain('make demo-failover');
  });

  test('leads to a host with the plugin', async () => {
    await typesAtHome(page.next('make plugin'));
    await types(host, page.next('docker plugin create'));
    await types(host, page.next('install -d -m 700'));
    await types(host, page.next('install -m 644 gateway-ca.pem'));
    await types(host, page.next('docker plugin install'), 'y\n');
    expect(await types(host, page.next('id=$(docker plugin inspect'))).toMatch(/^ok +gateway/m);
  });

  test('leads to a volume that containers and services use', async () => {
    expect(await types(host, page.next('docker volume create'))).toMatch(
      /\d\d:\d\d:\d\d[\s\S]*"Driver": "scaleio/,
    );
    await types(host, page.next('docker service create'));
    await host.docker(['service', 'rm', 'db']);
  });

  test('has the SDC named after its host', async () => {
    await until('the SDC to have its name', async () => {
      const sdcs = (await askGateway(array, 'GET', '/api/types/Sdc/instances')) as { name: string | null }[];
      return sdcs.some(({ name }) => name === 'host1');
    });
  });

  test('has been typed whole', () => {
    expect(page.left).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  let page: DocsPage;

  beforeAll(async () => {
    page = await read('docs/configuration.md');
  });

  test('shows and changes the settings of the managed plugin', async () => {
    const host = stage.lab.host(1);
    expect(await types(host, page.next('docker-volume-scaleio config'))).toContain(
      'SCALEIO_FS=xfs   (default)',
    );
    await types(host, page.next('docker plugin disable'));
    expect(await types(host, 'docker-volume-scaleio config')).toContain('SCALEIO_FS=ext4   (');
  });

  test('leads to a service on a host without managed plugins', async () => {
    const host = stage.lab.host(2);
    await typesAtHome(page.next('make bundle'));
    const systemctl = '/usr/local/bin/systemctl';
    await host.exec(['sh', '-c', `cat >${systemctl}; chmod 755 ${systemctl}`], {
      input: '#!/bin/sh\necho "$@"\n',
    });
    const said = await types(host, page.next('install -D -m 755'));
    expect(said).toBe('enable --now docker-volume-scaleio.socket docker-volume-scaleio.service');
    await startAsSystemd(host);
    expect(await types(host, page.next('docker-volume-scaleio doctor'))).toMatch(/^ok +gateway/m);
  });

  test('leads to volumes of Podman', async () => {
    const host = stage.lab.host(2);
    // The rest of the host is an overlay already, on which Podman cannot make another.
    const storage =
      '[storage]\ndriver = "overlay"\ngraphroot = "/var/lib/docker/podman"\nrunroot = "/run/podman-storage"\n';
    await host.exec(['sh', '-c', 'mkdir -p /etc/containers; cat >/etc/containers/storage.conf'], {
      input: storage,
    });
    expect(await types(host, page.next('install -D -m 644 /dev/stdin /etc/containers'))).toBe('db');
    expect(await host.exec(['podman', 'volume', 'ls', '--format', '{{.Driver}} {{.Name}}'])).toContain(
      'scaleio db',
    );
  });

  test('has been typed whole', () => {
    expect(page.left).toEqual([]);
  });
});

/** Plays systemd's part with the units as they were installed: the lab's hosts have none. */
async function startAsSystemd(host: Host): Promise<void> {
  const units = '/etc/systemd/system/docker-volume-scaleio';
  const [socket, service] = await Promise.all(
    ['socket', 'service'].map((kind) => readFile(host.pathFromOutside(`${units}.${kind}`), 'utf8')),
  );
  const setting = (unit: string | undefined, name: string): string =>
    new RegExp(`^${name}=-?(.+)$`, 'm').exec(unit ?? '')?.[1] ?? '';
  const environment = await host.exec(['cat', setting(service, 'EnvironmentFile')]);
  const program = ['env', ...environment.split('\n'), ...setting(service, 'ExecStart').split(' ')];
  await host.exec(['mkdir', '-p', path.dirname(setting(socket, 'ListenStream'))]);
  await host.start('plugin', ['perl', activation, setting(socket, 'ListenStream'), ...program]);
  await until('the socket', () =>
    host.exec(['test', '-S', setting(socket, 'ListenStream')]).then(() => true),
  );
}

describe('docs/operations.md', () => {
  test('shows what is wrong, and what nobody wants', async () => {
    const page = await read('docs/operations.md');
    const host = stage.lab.host(1);
    expect(await types(host, page.next('docker-volume-scaleio doctor'))).toMatch(/^ok +managed plugin/m);
    expect(await types(host, page.next('docker-volume-scaleio volume remove-anonymous'))).toContain(
      'there is no free volume whose name an engine made up',
    );
    expect(page.left).toEqual([]);
  });
});

describe('docs/failover.md', () => {
  test('takes a volume by hand', async () => {
    const page = await read('docs/failover.md');
    const [one, other] = [stage.lab.host(1), stage.lab.host(2)];
    await other.docker([
      'run',
      '--detach',
      '--name',
      'user',
      '--mount',
      mountOfDb,
      'busybox',
      'sleep',
      '600',
    ]);
    const commands = page
      .next('docker-volume-scaleio volume ls')
      .replace('10.0.0.7', other.address('storage'));
    const said = await typesAtTerminal(one, commands);
    expect(said).toContain(other.address('storage'));
    expect(said).toMatch(/taken: from host .*by operator root on host1/);
    await other.docker(['rm', '--force', 'user']);

    const id = await idOf('docker-db');
    const attachment = { guid: array.guidOf(one) };
    await askGateway(array, 'POST', `/api/instances/Volume::${id}/action/addMappedSdc`, attachment);
    await until('the device', () => one.exec(['sh', '-c', `ls /dev/disk/by-id/*-${id}`]).then(() => true));
    expect(await typesAtTerminal(one, page.next('docker-volume-scaleio volume release'))).toContain(
      'volume "db" is no longer mapped to this host',
    );
    expect(page.left).toEqual([]);
  });
});

async function idOf(arrayName: string): Promise<string> {
  const volumes = (await askGateway(array, 'GET', '/api/types/Volume/instances')) as {
    id: string;
    name: string;
  }[];
  const found = volumes.find(({ name }) => name === arrayName);
  if (found === undefined) throw new Error(`there is no volume ${arrayName}`);
  return found.id;
}

const mountOfDb = 'type=volume,source=db,target=/data,volume-driver=scaleio';

describe('docs/metrics.md', () => {
  test('shows the metrics of a service, and of a plugin on an address', async () => {
    const page = await DocsPage.read('docs/metrics.md', { '10.0.0.5': stage.lab.host(1).address('cluster') });
    expect(await types(stage.lab.host(2), page.next('curl'))).toContain('scaleio_operations_total');
    expect(await types(stage.lab.host(1), page.next('docker plugin disable'))).toContain(
      'scaleio_operations_total',
    );
    expect(page.left).toEqual([]);
  });
});

describe('docs/steward.md and docs/page.md', () => {
  /** Types what goes on for as long as one lets it, and ends it once it is at work. */
  async function typesUntil(host: Host, commands: string, isAtWork: () => Promise<boolean>): Promise<string> {
    const running = host.spawn(await shellFor(host, commands));
    const [said, complained] = [text(running.stdout), text(running.stderr)];
    const ended = running.then(
      () => Promise.reject(new Error('it ended by itself')),
      async () => Promise.reject(new Error(`it failed: ${await said}${await complained}`)),
    );
    await Promise.race([ended, until('the steward to be at work', isAtWork)]);
    await host.exec(['pkill', '-TERM', '-f', 'docker-volume-scaleio.cjs steward']);
    await ended.catch(() => undefined);
    return said;
  }

  test('watch a pool, and show it to who has the token', async () => {
    const [steward, page] = [await read('docs/steward.md'), await read('docs/page.md')];
    const host = stage.lab.host(2);
    const policy = 'version: 1\npools: [{ pool: sp1 }]\n';
    await host.exec(['sh', '-c', 'cat >/etc/scaleio/steward.yml'], { input: policy });
    const watch = steward.next('docker-volume-scaleio steward');
    const metrics = steward.next('curl --unix-socket');
    const answers =
      (commands: string): (() => Promise<boolean>) =>
      () =>
        types(host, commands).then(
          (answer) => /scaleio/i.test(answer),
          () => false,
        );
    expect(await typesUntil(host, watch, answers(metrics))).toMatch(/policy .* is right[\s\S]*sp1/);

    const shown = page.next('openssl');
    const asked =
      'curl -fsS -H "Authorization: Bearer $(cat /etc/scaleio/page-token)" http://127.0.0.1:9480/';
    await typesUntil(host, shown, answers(asked));
    expect(page.left).toEqual([]);

    await typesAtHome(steward.next('make steward-image'), {
      DOCKER_HOST: `unix://${host.directory}/engine/docker.sock`,
    });
    // steward-stack.test.ts types these, on three managers.
    steward.next('docker secret create');
    expect(await types(host, `cd "$(mktemp -d)"; ${steward.next('echo "whsec_')}; cat key-file`)).toMatch(
      /^whsec_[A-Za-z0-9+/]{43}=$/m,
    );
    expect(steward.left).toEqual([]);
  });
});
