import { execa } from 'execa';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';

const here = import.meta.dirname;
/** Where Debian's packages are unpacked; it goes with `make clean`. */
const unpacked = path.resolve(here, '../../../.cache/openstack');

/** Runs the rest of its arguments where the SDC of one directory is the machine's: its links, its programs, its settings. */
const inPlace = `set -eu
directory=$1
shift
mkdir -p /dev/disk
mount --bind "$directory/dev/disk" /dev/disk
mount -t tmpfs tmpfs /opt
mkdir -p /opt/emc
cp -R "$directory/scaleio" /opt/emc/scaleio
exec "$@"`;

const reply = z.union([
  z.strictObject({ done: z.unknown() }),
  z.strictObject({ failed: z.string(), message: z.string() }),
]);

export interface OpenStackHostOptions {
  /** Of this host alone; the SDC's /dev is `dev` in it, and cinder.log comes to be there. */
  readonly directory: string;
  /** The compiled program. */
  readonly drvCfg: string;
  /** Options of the back end in cinder.conf. */
  readonly backend: Readonly<Record<string, string | number | boolean>>;
  /** Of `backend` as well; os-brick has a file of its own for it. */
  readonly password: string;
  /** Certificate of the gateway's authority. */
  readonly caFile: string;
}

/** Downloads and unpacks what is missing of OpenStack: about half a minute, once. Throws with what apt said. */
export async function unpackOpenStack(): Promise<void> {
  await execa(path.join(here, 'unpack.sh'), [path.join(here, 'packages'), unpacked]);
}

/** A host on which Cinder's driver and os-brick run as Debian has them; see host.py. Ended with `end`. */
export class OpenStackHost {
  readonly #python: ReturnType<typeof startPython>;
  readonly #lines: AsyncIterator<string>;

  private constructor(python: ReturnType<typeof startPython>) {
    this.#python = python;
    this.#lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when the driver has been set up. Throws with what Python said when it could not be. */
  static async start(options: OpenStackHostOptions): Promise<OpenStackHost> {
    const { directory, backend, password } = options;
    const scaleio = path.join(directory, 'scaleio');
    await mkdir(path.join(scaleio, 'sdc/bin'), { recursive: true });
    await mkdir(path.join(scaleio, 'openstack'));
    await copyFile(options.drvCfg, path.join(scaleio, 'sdc/bin/drv_cfg'));
    const connector = `[${String(backend['volume_backend_name'])}]\nsan_password = ${password}\n`;
    await writeFile(path.join(scaleio, 'openstack/connector.conf'), connector, { mode: 0o600 });
    await writeFile(path.join(directory, 'host.json'), JSON.stringify({ directory, backend }), {
      mode: 0o600,
    });
    const host = new OpenStackHost(startPython(options));
    await host.#answer();
    return host;
  }

  /** Has the host do something, and gives its result. Throws the exception's class and text. */
  async do(name: string, details: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#python.stdin.write(`${JSON.stringify({ do: name, ...details })}\n`);
    return this.#answer();
  }

  async end(): Promise<void> {
    this.#python.stdin.end();
    await this.#python;
  }

  async #answer(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the OpenStack host has ended: ${(await this.#python).stderr}`);
    const answer = reply.parse(JSON.parse(line.value));
    if ('failed' in answer) throw new Error(`${answer.failed}: ${answer.message}`);
    return answer.done;
  }
}

function startPython({ directory, caFile }: OpenStackHostOptions) {
  const python = ['/usr/bin/python3', '-W', 'ignore', path.join(here, 'host.py')];
  const inNamespace = ['--mount', '--propagation', 'private', 'sh', '-c', inPlace, 'sh', directory];
  return execa('unshare', [...inNamespace, ...python, path.join(directory, 'host.json')], {
    env: { PYTHONPATH: path.join(unpacked, 'usr/lib/python3/dist-packages'), REQUESTS_CA_BUNDLE: caFile },
    reject: false,
  });
}
