import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft, volumeMounts } from '../../lab/stage/left-on-host.ts';
import type { Recorder } from './recorder.ts';
import { RecordingService } from './recording-service.ts';
import { writersInTurn } from '../../lab/stage/records.ts';
import { type ArrayStage, engineLog, pluginStage } from '../../lab/stage/stage.ts';

describe('a Swarm service with one volume', () => {
  let stage: ArrayStage;
  let marks: Map<Host, number>;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 3, plugin: { SCALEIO_FAILOVER_GRACE: '5s' } });
    await stage.lab.swarm({ heartbeat: '2s' });
  });

  beforeEach(async () => {
    const ends = stage.lab.hosts.map(async (host) => [host, await engineLog(host).mark()] as const);
    marks = new Map(await Promise.all(ends));
  });

  afterAll(async () => {
    await stage.close();
  });

  /** Of all hosts since the test began: what a fence says in the log. */
  async function fences(): Promise<string[]> {
    const logs = stage.lab.hosts.map((host) => engineLog(host).lines(marks.get(host)));
    return (await Promise.all(logs))
      .flat()
      .flatMap(({ msg }) => (/^volume taken from|^taking a volume/.test(msg) ? [msg] : []));
  }

  /** Nobody was fenced, no write failed, and no task shows an error that somebody would have to look at. */
  async function wasClean(service: RecordingService): Promise<void> {
    expect(await fences()).toEqual([]);
    expect((await service.testimonies()).flatMap(({ failed }) => failed)).toEqual([]);
    expect((await service.tasks()).map(({ error }) => error).filter((error) => error !== '')).toEqual([]);
  }

  /** The array has the volume mapped to this host alone. */
  async function isHeldOnlyBy({ host }: Recorder): Promise<void> {
    for (const other of stage.lab.hosts) {
      expect(await mappedTo(stage.array, other)).toHaveLength(other === host ? 1 : 0);
    }
  }

  test('moves on drain, --force, a stop-first update and scale 1-0-1 without fence or error', async () => {
    await createVolume(stage.host, 'moves');
    const service = await RecordingService.start(stage.lab, 'moves');
    let now = await service.recordsAnew([]);
    const moves: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['drain', () => stage.lab.drain(now.host)],
      ['force', () => service.update('--force')],
      ['stop-first', () => service.update('--update-order', 'stop-first', '--env-add', 'VERSION=2')],
      ['scale', () => scaleDownAndUp(service)],
    ];
    const turns = [now.writer];
    for (const [how, move] of moves) {
      const before = await service.testimonies();
      const { host } = now;
      await move();
      now = await service.recordsAnew(before);
      if (how === 'drain') {
        expect(now.host).not.toBe(host);
        await stage.lab.drain(host, 'active');
      }
      turns.push(now.writer);
      await isHeldOnlyBy(now);
    }
    expect(writersInTurn(await now.records(await service.testimonies()))).toEqual(turns);
    await wasClean(service);
    await service.removeFrom(stage.array);
  });

  async function scaleDownAndUp(service: RecordingService): Promise<void> {
    await service.manage(['scale', '--detach', `${service.name}=0`]);
    for (const host of stage.lab.hosts) await untilNothingLeft(stage.array, host);
    await service.manage(['scale', '--detach', `${service.name}=1`]);
  }

  test('is refused to a second host by start-first, which says what to use, while the old task runs on', async () => {
    await createVolume(stage.host, 'twice');
    const service = await RecordingService.start(stage.lab, 'twice');
    const first = await service.recordsAnew([]);
    const other = stage.lab.hosts.find((host) => host !== first.host && host !== stage.host);
    await service.update(
      '--update-order',
      'start-first',
      '--constraint-add',
      `node.hostname==${other?.name ?? ''}`,
    );
    const refusal = await service.refusal();
    expect(refusal).toContain('volume "twice" is held by host ');
    expect(refusal).toContain(first.host.address('storage'));
    expect(refusal).toContain('an exclusive volume cannot be on two hosts, use --update-order stop-first');
    await first.goesOn();
    await isHeldOnlyBy(first);
    expect(await fences()).toEqual([]);
    expect((await first.testimony()).failed).toEqual([]);

    const before = await service.testimonies();
    await service.update('--update-order', 'stop-first', '--force');
    const second = await service.recordsAnew(before);
    expect(second.host).toBe(other);
    expect(writersInTurn(await second.records(await service.testimonies()))).toEqual([
      first.writer,
      second.writer,
    ]);
    await service.removeFrom(stage.array);
  });

  test('is had by one of two replicas on two hosts, and the other is told by whom', async () => {
    await createVolume(stage.host, 'shared');
    const service = await RecordingService.start(stage.lab, 'shared', ['--replicas-max-per-node', '1']);
    const first = await service.recordsAnew([]);
    await service.manage(['scale', '--detach', 'shared=2']);
    expect(await service.refusal()).toContain(
      `held by host ${first.host.address('storage')}, which is connected`,
    );
    await first.goesOn();
    await isHeldOnlyBy(first);
    expect(await fences()).toEqual([]);
    await service.removeFrom(stage.array);
  });

  test('goes on while plugin and engine of the host that lost it are killed, and nothing is released wrongly', async () => {
    await createVolume(stage.host, 'restarts', { size: '8GiB', failover: 'always' });
    const service = await RecordingService.start(stage.lab, 'restarts');
    const first = await service.recordsAnew([]);
    await first.host.cutNetwork('cluster');
    const before = await service.testimonies();
    const taken = service.recordsAnew(before);
    await until('a new task to be made', async () => (await service.tasks()).length > 1, {
      timeoutMs: 60_000,
    });
    await first.host.killPlugin();
    const second = await taken;
    expect(second.host).not.toBe(first.host);
    await first.host.killDockerd();
    await first.host.startDockerd();
    await first.host.killPlugin();
    await second.goesOn();
    await isHeldOnlyBy(second);
    await first.host.restoreNetwork('cluster');
    await until(`${first.writer} to be stopped`, () => first.isStopped());
    await untilNothingLeft(stage.array, first.host);
    await second.goesOn();
    await isHeldOnlyBy(second);
    expect(writersInTurn(await second.records(await service.testimonies()))).toEqual([
      first.writer,
      second.writer,
    ]);
    expect((await second.testimony()).failed).toEqual([]);
    await service.removeFrom(stage.array);
  });

  test('stays mounted once while plugin and engine of the host that took it are killed', async () => {
    await createVolume(stage.host, 'keeps');
    const service = await RecordingService.start(stage.lab, 'keeps');
    const first = await service.recordsAnew([]);
    await first.host.powerOff();
    const second = await service.recordsAnew(await service.testimonies());
    await second.host.killPlugin();
    await second.goesOn();
    await until('the plugin to answer again', async () => {
      return (await second.host.docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', 'keeps'])) !== '';
    });
    expect(new Set(await volumeMounts(second.host)).size).toBe(1);
    await second.goesOn();
    expect((await second.testimony()).failed).toEqual([]);

    const before = await service.testimonies();
    await second.host.killDockerd();
    await second.host.startDockerd();
    const third = await service.recordsAnew(before);
    expect(new Set(await volumeMounts(third.host)).size).toBe(1);
    await isHeldOnlyBy(third);
    await first.host.boot();
    await untilNothingLeft(stage.array, first.host);
    await third.goesOn();
    expect(writersInTurn(await third.records(await service.testimonies()))).toEqual([
      first.writer,
      second.writer,
      third.writer,
    ]);
    // What an engine that was killed never gave back is known to be unused soon after the plugin's start.
    await service.manage(['rm', service.name]);
    for (const host of stage.lab.hosts) await untilNothingLeft(stage.array, host, 60_000);
  });
});
