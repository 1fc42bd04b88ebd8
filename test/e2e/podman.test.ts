import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUSYBOX } from '../../lab/hosts/image.ts';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { volumesOf } from './gateway-login.ts';
import { hostServiceStage, loggingAll, pluginSocket, serviceCommand } from './host-service.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import type { ArrayStage } from '../../lab/stage/stage.ts';

/** What runs on these hosts: no systemd, little headroom for limits; the engine's disk is a real file system. */
const containersConf = `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.volume_plugins]
scaleio = "${pluginSocket}"
`;
const storageConf = `
[storage]
driver = "overlay"
graphroot = "/var/lib/docker/podman"
runroot = "/run/podman-storage"
`;
const image = `localhost/${BUSYBOX}`;

describe('podman', () => {
  let stage: ArrayStage;
  let host: Host;

  beforeAll(async () => {
    // With what is removed kept as it is by default: a prune is what that is for.
    stage = await hostServiceStage({}, loggingAll);
    host = stage.host;
    await host.exec(['mkdir', '-p', '/etc/containers']);
    const write = async (name: string, input: string): Promise<string> =>
      host.exec(['sh', '-c', `cat >/etc/containers/${name}`], { input });
    await write('containers.conf', containersConf);
    await write('storage.conf', storageConf);
    await types(`docker save ${BUSYBOX} | podman load`);
  });

  afterAll(async () => {
    await stage.close();
  });

  async function types(line: string): Promise<string> {
    return host.exec(['sh', '-c', line]);
  }

  /** Of all volumes of the array. */
  async function names(): Promise<string[]> {
    return (await volumesOf(stage.array)).map(({ name }) => name).sort();
  }

  /** The product's own command, in front of the same array and beside the running plugin. */
  async function command(...words: readonly string[]): Promise<string> {
    return host.exec([...serviceCommand(stage.array), ...words]);
  }

  /** What the commands made podman ask; Activate, which every command sends first, is left out. */
  async function callsOf(...lines: readonly string[]): Promise<string[]> {
    const mark = await stage.log.mark();
    for (const line of lines) await types(line);
    return (await stage.log.calls(mark)).filter((call) => call !== 'Activate');
  }

  const run = 'podman run --pull=never';

  test('creates, lists, inspects and removes', async () => {
    expect(await callsOf('podman volume create --driver scaleio --opt size=8GiB pod')).toEqual([
      'Get pod!',
      'Create pod',
    ]);
    expect(await types('podman volume ls --format "{{.Driver}} {{.Name}}"')).toBe('scaleio pod');
    expect(await types('podman volume inspect pod')).toContain('"pool": "sp1"');
    await expect(types('podman volume create --driver scaleio pod')).rejects.toThrow(/already exists/);
    expect(await callsOf('podman volume rm pod')).toEqual(['Get pod', 'Remove pod']);
    expect(await types('podman volume ls --quiet')).toBe('');
    expect(await names()).toEqual([expect.stringMatching(/^~rm\..*\.pod$/)]);
  });

  test('shows why something failed', async () => {
    const create = 'podman volume create --driver scaleio --opt';
    await expect(types(`${create} sizes=8GiB wrong`)).rejects.toThrow(/did you mean "size"/);
    await expect(types(`${create} size=lots wrong`)).rejects.toThrow(/lots/);
    expect(await types('podman volume ls --quiet')).toBe('');
  });

  test('gives one container what another wrote, and releases with the last of them', async () => {
    await types('podman volume create --driver scaleio --opt size=8GiB shared');
    const mounts = (calls: readonly string[]): string[] => calls.filter((call) => call.includes('ount'));
    const first = await callsOf(
      `${run} -d --name first -v shared:/data ${image} sh -c 'echo hello >/data/a; sleep 600'`,
      `${run} -d --name second -v shared:/data ${image} sleep 600`,
    );
    expect(mounts(first)).toEqual(['Mount shared 1']);
    await until('the first container to write', () => types('podman exec second cat /data/a'));
    expect(mounts(await callsOf('podman rm --force --time 0 first'))).toEqual([]);
    expect(await types('podman exec second cat /data/a')).toBe('hello');
    await expect(types('podman volume rm shared')).rejects.toThrow(/being used/);
    await host.killPlugin();
    expect(mounts(await callsOf('podman rm --force --time 0 second'))).toEqual(['Unmount shared 1']);
    await untilNothingLeft(stage.array, host);
    expect(await types(`${run} --rm -v shared:/data ${image} cat /data/a`)).toBe('hello');
    await untilNothingLeft(stage.array, host);
    await types('podman volume rm shared');
  });

  test('gives up after 5 s, and finds the work done when it asks again', async () => {
    await types('podman volume create --driver scaleio --opt size=8GiB slow');
    await stage.array.request('POST', '/simulator/devices', { fault: 7000 });
    const read = `${run} --rm -v slow:/data ${image} touch /data/a`;
    await expect(types(read)).rejects.toThrow(/deadline exceeded|Timeout/i);
    await until('the volume to be mounted', async () => types(read).then(() => true), { timeoutMs: 20_000 });
    await stage.array.request('DELETE', '/simulator/faults');
    expect(await mappedTo(stage.array, host)).toHaveLength(0);
    await untilNothingLeft(stage.array, host);
    await types('podman volume rm slow');
  });

  test('a reload finds our volumes, and a prune takes them and no others', async () => {
    await stage.array.request('POST', '/simulator/seed', { count: 2, prefix: 'datastore-' });
    await types('docker volume create --driver scaleio -o size=8GiB made-by-docker');
    await types('podman volume create --driver scaleio --opt size=8GiB made-by-podman');
    await types('podman volume create --driver scaleio --opt size=8GiB in-use');
    await types(
      `${run} -d --name user -v in-use:/data ${image} sh -c 'echo precious >/data/a; sync; sleep 600'`,
    );
    await types('podman volume reload');
    const known = (await types('podman volume ls --quiet')).split('\n').sort();
    expect(known).toEqual(['in-use', 'made-by-docker', 'made-by-podman']);
    await types('podman volume prune --force');
    const inSight = async (): Promise<string[]> => (await names()).filter((name) => !name.startsWith('~rm.'));
    expect(await inSight()).toEqual(['datastore-1', 'datastore-2', 'docker-in-use']);
    await types('podman rm --force --time 0 user');
    await untilNothingLeft(stage.array, host);
    await types('podman volume prune --force');
    expect(await inSight()).toEqual(['datastore-1', 'datastore-2']);
    expect(await command('volume', 'undelete', 'in-use', '--as', 'saved')).toMatch(
      /^volume "saved" .* is back$/,
    );
    await types('podman volume reload');
    expect(await types(`${run} --rm -v saved:/data ${image} cat /data/a`)).toBe('precious');
    await untilNothingLeft(stage.array, host);
  });
});
