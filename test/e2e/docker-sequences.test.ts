import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { onVolume, Writer } from '../../lab/stage/containers.ts';
import { seeded, sequences, type Step } from './engine-sequences.ts';
import { hostServiceStage } from './host-service.ts';
import { mappedTo, stateOf, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import type { ArrayStage } from '../../lab/stage/stage.ts';

describe('what the engine asks, and what comes of it', () => {
  let stage: ArrayStage;
  let host: Host;

  beforeAll(async () => {
    stage = await hostServiceStage();
    host = stage.host;
    await importSeeded();
  });

  afterAll(async () => {
    await stage.close();
  });

  async function importSeeded(): Promise<void> {
    const script = `set -e
      directory=$(mktemp -d)
      mkdir -p "$directory/bin" "$directory/srv/site"
      cp "$(command -v busybox)" "$directory/bin/"
      for name in cat ls; do ln -s busybox "$directory/bin/$name"; done
      echo welcome >"$directory/srv/site/page"
      chown 7:8 "$directory/srv/site"
      chmod 750 "$directory/srv/site"
      tar --create --directory "$directory" . | docker import --change 'ENV PATH=/bin' - ${seeded}
      rm -r "$directory"`;
    await types(script);
  }

  /** What a shell on the host makes of a line. */
  async function types(line: string): Promise<string> {
    return host.exec(['sh', '-c', line]);
  }

  async function expectCalls(mark: number, calls: readonly string[]): Promise<void> {
    await expect.poll(() => stage.log.calls(mark), { timeout: 10_000 }).toEqual(calls);
  }

  async function play(steps: readonly Step[]): Promise<void> {
    const mark = await stage.log.mark();
    const expected: string[] = [];
    for (const { line, calls, fails, prints } of steps) {
      if (fails !== undefined) await expect(types(line)).rejects.toThrow(fails);
      else expect(await types(line)).toMatch(prints ?? /(?:)/);
      if (calls !== '') expected.push(...calls.split(', '));
      await expectCalls(mark, expected);
    }
  }

  test('the plugin is started by the first call', async () => {
    expect(await host.pluginProcess()).toBeUndefined();
    expect(await types('docker volume ls --quiet')).toBe('');
    await expectCalls(0, ['Activate', 'List']);
  });

  for (const [what, steps] of Object.entries(sequences)) {
    test(what, async () => {
      await play(steps);
      await untilNothingLeft(stage.array, host);
      expect((await stateOf(stage.array)).volumes).toBe(0);
    });
  }

  test('copying from a running container, whose mount has the same ID, takes nothing from it', async () => {
    const mark = await stage.log.mark();
    const writer = await Writer.start(host, 'lent', ['--volume-driver', 'scaleio']);
    const started = ['Get lent!', 'Create lent', 'Get lent', 'Mount lent 1'];
    expect(await types(`docker cp ${writer.name}:/data/log - | wc --bytes`)).not.toBe('0');
    const copied = ['Get lent', 'Mount lent 1', 'Get lent', 'Unmount lent 1'];
    await expectCalls(mark, [...started, ...copied]);
    await writer.goesOn();
    expect(await mappedTo(stage.array, host)).toHaveLength(1);
    expect(Number(await onVolume(host, 'lent', 'wc -l </data/log'))).toBeGreaterThan(0);
    await writer.goesOn();
    await writer.remove();
    await untilNothingLeft(stage.array, host);
    await types('docker volume rm lent');
  });

  test('one volume at two places of a container has two IDs, released in any order', async () => {
    const mark = await stage.log.mark();
    const places = '--volume-driver scaleio -v twice:/one -v twice:/two';
    expect(await types(`docker run --rm ${places} busybox sh -c 'touch /one/a; ls /two'`)).toBe('a');
    const changes = async (): Promise<string[]> =>
      (await stage.log.calls(mark)).filter((call) => !call.startsWith('Get')).sort();
    const each = ['Mount twice 1', 'Mount twice 2', 'Unmount twice 1', 'Unmount twice 2'];
    await expect.poll(changes).toEqual(['Create twice', ...each]);
    await untilNothingLeft(stage.array, host);
    await types('docker volume rm twice');
  });

  test('containers that start at once share a volume, and it stays until the last has gone', async () => {
    await types('docker volume create -d scaleio -o size=8GiB team');
    const names = ['first', 'second', 'third', 'fourth'];
    const mark = await stage.log.mark();
    await Promise.all(
      names.map((name) => types(`docker run -d --name ${name} -v team:/data busybox sleep 600`)),
    );
    const mounts = (await stage.log.calls(mark)).filter((call) => call.startsWith('Mount'));
    expect(mounts).toEqual(names.map((_, index) => `Mount team ${index + 1}`));
    await types('docker exec first touch /data/a');
    for (const name of names.slice(0, 3)) await types(`docker rm -f ${name}`);
    expect(await types('docker exec fourth ls /data')).toBe('a');
    expect(await types('docker run --rm --volumes-from fourth busybox ls /data')).toBe('a');
    expect(await mappedTo(stage.array, host)).toHaveLength(1);
    await types('docker rm -f fourth');
    await untilNothingLeft(stage.array, host);
    await types('docker volume rm team');
  });

  test('an engine that was killed forgets its Mounts, and the volumes come free all the same', async () => {
    const leaked = await Writer.start(host, 'leaked', ['--volume-driver', 'scaleio']);
    const always = await Writer.start(host, 'again', ['--volume-driver', 'scaleio', '--restart', 'always']);
    const mark = await stage.log.mark();
    await host.killDockerd();
    await host.startDockerd();
    await until('the container to run again', () => always.lines());
    await always.goesOn();
    const calls = await stage.log.calls(mark);
    expect(calls.filter((call) => /^(Mount|Unmount)/.test(call))).toEqual(['Mount again 1']);
    await types(`docker rm ${leaked.name}`);
    expect(Number(await onVolume(host, 'leaked', 'wc -l </data/log'))).toBeGreaterThan(0);
    await always.remove();
    for (const name of ['leaked', 'again']) {
      await until(`volume ${name} to be removable`, async () => {
        await types(`docker volume rm ${name}`);
        return true;
      });
    }
    await untilNothingLeft(stage.array, host);
    expect((await stateOf(stage.array)).volumes).toBe(0);
  });

  test('without a gateway a Mount is refused with the reason, and an Unmount is not', async () => {
    await types('docker volume create -d scaleio -o size=8GiB idle');
    const writer = await Writer.start(host, 'used', ['--volume-driver', 'scaleio']);
    await stage.array.request('POST', '/simulator/rules', { kind: 'cut', path: '^/api/' });
    const mark = await stage.log.mark();
    await expect(types('docker run --rm -v idle:/data busybox true')).rejects.toThrow(/gateway/);
    expect(await types('docker volume inspect idle')).toContain('"stale": true');
    await expectCalls(mark, ['Get idle', 'Get idle', 'Mount idle 1!', 'Get idle']);
    await writer.goesOn();
    await writer.remove();
    await expect.poll(() => stage.log.calls(mark)).toContain('Unmount used 2');
    await stage.array.request('DELETE', '/simulator/faults');
    await untilNothingLeft(stage.array, host, 60_000);
    expect(Number(await onVolume(host, 'used', 'wc -l </data/log'))).toBeGreaterThan(0);
    await types('docker volume rm idle used');
  });

  // The engine repeats a call whose connection broke without its body. [moby client.go]
  test('a plugin that is killed within a Create leaves nothing, and the next Create makes the volume', async () => {
    await stage.array.request('POST', '/simulator/devices', { fault: 3000 });
    const creating = expect(types('docker volume create -d scaleio broken')).rejects.toThrow(
      /without a body/,
    );
    await until('the unfinished volume', async () => (await stateOf(stage.array)).volumes === 1);
    await host.killPlugin();
    await creating;
    await stage.array.request('DELETE', '/simulator/faults');
    await types('docker volume create -d scaleio broken');
    await untilNothingLeft(stage.array, host);
    expect((await stateOf(stage.array)).volumes).toBe(1);
    await types('docker volume rm broken');
  });

  test('an engine that starts finds its 60 volumes with two gateway calls', async () => {
    await stage.array.request('POST', '/simulator/seed', { count: 60, prefix: 'docker-crowd' });
    await types('for n in $(seq 60); do docker volume create -d scaleio crowd$n; done');
    await host.stopDockerd();
    const mark = await stage.log.mark();
    await stage.array.request('DELETE', '/simulator/requests');
    // On a busy machine an engine does not ask all at once: the first answer takes as long as that may.
    await stage.array.request('POST', '/simulator/latency', { fixedMs: 1000 });
    await host.startDockerd();
    const gets = async (): Promise<string[]> =>
      (await stage.log.calls(mark)).filter((call) => call.startsWith('Get'));
    await expect.poll(gets, { timeout: 20_000 }).toHaveLength(60);
    await stage.array.request('POST', '/simulator/latency', { fixedMs: 0 });
    const { body } = await stage.array.request('GET', '/simulator/requests');
    const requests = (JSON.parse(body) as { method: string; path: string; requestId?: string }[])
      // The reconciler has a rhythm of its own.
      .filter(({ requestId }) => requestId?.startsWith('reconcile-') !== true)
      .map(({ method, path }) => `${method} ${path}`);
    console.log(`60 Gets at once: ${requests.join(', ')}`);
    expect(requests.length).toBeLessThanOrEqual(2);
    await types('docker volume rm $(docker volume ls --quiet)');
    expect((await stateOf(stage.array)).volumes).toBe(0);
  });

  // Without socket activation the engine waits 15 s for each volume, and takes a local volume of the same name.
  test('an engine that starts before the plugin finds its volumes all the same', async () => {
    await types('docker volume create -d scaleio -o size=8GiB early');
    await onVolume(host, 'early', 'echo mine >/data/owner; sync');
    await host.stopDockerd();
    const before = await host.killPlugin();
    await host.startDockerd();
    expect(await onVolume(host, 'early', 'cat /data/owner')).toBe('mine');
    expect((await host.pluginProcess())?.pid).not.toBe(before.pid);
    expect(await types('docker volume ls --format "{{.Driver}} {{.Name}}"')).toBe('scaleio early');
    await untilNothingLeft(stage.array, host);
    await types('docker volume rm early');
  });
});
