import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'undici';
import { writeFileAtomic } from '../../src/host/files.ts';
import { PASSWORD, USER, type BenchArray, type BenchSdc } from './array.ts';
import { FloorMountpoints } from './floor-mountpoints.ts';

const run = promisify(execFile);
/** So that nobody takes these requests for the plugin's. */
const BY_HAND = { 'x-request-id': 'by-hand' };
const LABEL = 'trusted.docker-volume-scaleio';

export interface FloorVolume {
  readonly name: string;
  readonly id: string;
  readonly mountpoint: string;
}

/**
 * What the plugin's operations cannot do without, done by hand: the same requests to the gateway in the same order with
 * a token at hand, the same wait for the device, the same programs, and on disk as few records as a crash allows. No checks, no
 * locks, no log.
 */
export class Floor {
  readonly #array: BenchArray;
  readonly #gateway: Pool;
  readonly #authorization: string;
  readonly #poolId: string;
  readonly #mountpoints: FloorMountpoints;
  /** On the disk that has the plugin's state. */
  readonly #records: string;
  /** By directory: what comes and goes there. */
  readonly #devices: ReadonlyMap<string, FSWatcher>;

  private constructor(
    array: BenchArray,
    parts: {
      gateway: Pool;
      authorization: string;
      poolId: string;
      mountpoints: FloorMountpoints;
      records: string;
    },
  ) {
    this.#array = array;
    this.#gateway = parts.gateway;
    this.#authorization = parts.authorization;
    this.#poolId = parts.poolId;
    this.#mountpoints = parts.mountpoints;
    this.#records = parts.records;
    this.#devices = new Map(array.sdcs.map(({ byIdDir }) => [byIdDir, watch(byIdDir).setMaxListeners(0)]));
  }

  static async start(dir: string, array: BenchArray): Promise<Floor> {
    const mountpoints = await FloorMountpoints.start(dir);
    const records = `${dir}-records`;
    await mkdir(records);
    const gateway = new Pool(array.gateway, { connections: 16 });
    const basic = (user: string, secret: string): string =>
      `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
    const get = async (asked: string, authorization: string): Promise<unknown> =>
      (
        await gateway.request({ method: 'GET', path: asked, headers: { authorization, ...BY_HAND } })
      ).body.json();
    const authorization = basic('', String(await get('/api/login', basic(USER, PASSWORD))));
    const pools = (await get('/api/types/StoragePool/instances', authorization)) as { id: string }[];
    return new Floor(array, { gateway, authorization, poolId: pools[0]?.id ?? '', mountpoints, records });
  }

  /** The name shall bear no prefix of the plugin's, so that it leaves the volume alone. */
  async create(name: string): Promise<FloorVolume> {
    await this.#find(name);
    await this.#record(name);
    const id = await this.#make(`${name}-new`);
    await this.#call('GET', `/api/instances/Volume::${id}`);
    await this.#act(id, 'addMappedSdc', { sdcId: this.#array.sdc.id, allowMultipleMappings: 'FALSE' });
    const node = await this.#device(id);
    await run('blockdev', ['--flushbufs', node]);
    // It answers 2 when it finds nothing, as it should.
    await run('blkid', ['-p', '-o', 'export', '--', node]).catch(() => undefined);
    await run('wipefs', ['--no-act', '--parsable', '--', node]);
    await run('mkfs.xfs', ['-q', '-K', '--', node]);
    const [draft, final] = [this.#mountpoints.at(`${name}-new`), this.#mountpoints.at(name)];
    await this.#mountpoints.ensure([draft, final]);
    await this.#mountAt(node, draft);
    await run('setfattr', ['-n', LABEL, '-v', 'as long as a label'.repeat(10), '--', draft]);
    await run('umount', ['-n', '--', draft]);
    await this.#act(id, 'removeMappedSdc', { sdcId: this.#array.sdc.id });
    await this.#act(id, 'setVolumeName', { newName: name });
    await this.#record(name);
    return { name, id, mountpoint: final };
  }

  /** What a Get asks for. */
  async get({ id }: FloorVolume): Promise<void> {
    await this.#call('GET', `/api/instances/Volume::${id}`);
  }

  async mount({ name, id, mountpoint }: FloorVolume): Promise<void> {
    await this.#call('GET', `/api/instances/Volume::${id}`);
    await this.#record(name);
    await this.#act(id, 'addMappedSdc', { sdcId: this.#array.sdc.id, allowMultipleMappings: 'FALSE' });
    const node = await this.#device(id);
    await run('blkid', ['-p', '-o', 'export', '--', node]);
    await this.#mountAt(node, mountpoint);
    await readLabel(mountpoint);
    await this.#record(name);
  }

  async unmount({ name, id, mountpoint }: FloorVolume): Promise<void> {
    await run('umount', ['-n', '--', mountpoint]);
    await this.#act(id, 'removeMappedSdc', { sdcId: this.#array.sdc.id });
    await this.#record(name);
  }

  /** Where the volume is mounted on a host. */
  placeOf({ name }: FloorVolume, { guid }: BenchSdc): string {
    return this.#mountpoints.at(guid === this.#array.sdc.guid ? name : `${name}-on-${guid}`);
  }

  /** What a Mount asks and does that takes the volume from a host that the array has lost. */
  async takeOver(volume: FloorVolume, from: BenchSdc, to: BenchSdc): Promise<void> {
    const { name, id } = volume;
    await this.#call('GET', `/api/instances/Volume::${id}`);
    await this.#call('GET', `/api/instances/Sdc::${from.id}`);
    await this.#find(`~never.${id}`);
    await this.#act(id, 'removeMappedSdc', { sdcId: from.id });
    await this.#call('GET', `/api/instances/Volume::${id}`);
    await this.#record(name);
    await this.#act(id, 'addMappedSdc', { sdcId: to.id, allowMultipleMappings: 'FALSE' });
    const node = await this.#device(id, to);
    await run('blkid', ['-p', '-o', 'export', '--', node]);
    await this.#mountAt(node, this.placeOf(volume, to));
    await readLabel(this.placeOf(volume, to));
    await this.#record(name);
  }

  /** What is left on a host that has lost the volume. */
  async cleanUp(volume: FloorVolume, on: BenchSdc): Promise<void> {
    await run('umount', ['-n', '--lazy', '--', this.placeOf(volume, on)]);
  }

  /** The list read as JSON: what anybody needs who wants names. */
  async list(): Promise<void> {
    await this.#call('GET', '/api/types/Volume/instances');
  }

  async remove({ id }: FloorVolume): Promise<void> {
    await this.#call('GET', `/api/instances/Volume::${id}`);
    await this.#act(id, 'removeVolume', { removeMode: 'ONLY_ME' });
  }

  async #make(name: string): Promise<string> {
    const made = await this.#call('POST', '/api/types/Volume/instances', {
      name,
      volumeSizeInKb: String(16 * 1024 * 1024),
      storagePoolId: this.#poolId,
      volumeType: 'ThinProvisioned',
    });
    return (made as { id: string }).id;
  }

  async #find(name: string): Promise<void> {
    const asked = '/api/types/Volume/instances/action/queryIdByKey';
    await this.#call('POST', asked, { name }, 500);
  }

  /** Without a record on disk nobody knows after a crash what is to be undone. */
  #record(name: string): Promise<void> {
    return writeFileAtomic(path.join(this.#records, name), 'as long as an entry of the journal'.repeat(12));
  }

  #act(id: string, action: string, body: object): Promise<unknown> {
    return this.#call('POST', `/api/instances/Volume::${id}/action/${action}`, body);
  }

  async #call(method: 'GET' | 'POST', asked: string, body?: object, expected = 200): Promise<unknown> {
    const headers = { authorization: this.#authorization, 'content-type': 'application/json', ...BY_HAND };
    const json = body === undefined ? null : JSON.stringify(body);
    const reply = await this.#gateway.request({ method, path: asked, headers, body: json });
    const answer: unknown = await reply.body.json();
    if (reply.statusCode !== expected) throw new Error(`${asked}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async #device(id: string, { byIdDir } = this.#array.sdc): Promise<string> {
    const link = path.join(byIdDir, `emc-vol-${this.#array.systemId}-${id}`);
    const changes = this.#devices.get(byIdDir);
    if (changes === undefined) throw new Error(`nobody watches ${byIdDir}`);
    while (!existsSync(link)) await once(changes, 'change');
    return realpath(link);
  }

  async #mountAt(node: string, mountpoint: string): Promise<void> {
    await this.#mountpoints.ensure([mountpoint]);
    const options = 'noatime,nodev,nodiscard,nouuid';
    await run('mount', ['-n', '--read-write', '-t', 'xfs', '-o', options, '--', node, mountpoint]);
  }
}

/** Whose volume it is, and with which limits and subpath. */
async function readLabel(mountpoint: string): Promise<void> {
  await run('getfattr', ['--absolute-names', '--only-values', '-n', LABEL, '--', mountpoint]);
}
