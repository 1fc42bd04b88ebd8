import type { ScaleioHost } from './scaleio-host.ts';

/** What of a volume's description counts here. */
export interface SeenVolume {
  readonly id: string;
  readonly name: string;
  readonly sizeInKb: number;
  readonly mappedSdcInfo: readonly unknown[] | null;
}

/** The array of a machine, asked as its administrator does, from inside. */
export class Gateway {
  readonly #host: ScaleioHost;
  #token = '';

  constructor(host: ScaleioHost) {
    this.#host = host;
  }

  /** The one volume of that name; the plugin's prefix is put before it. */
  async volume(name: string): Promise<SeenVolume> {
    const all = (await this.ask('GET', '/api/types/Volume/instances')) as SeenVolume[];
    const found = all.filter((volume) => volume.name === `docker-${name}`);
    const [only] = found;
    if (only === undefined || found.length > 1)
      throw new Error(`${found.length} volumes are named "${name}"`);
    return only;
  }

  /** The plugin's host is not told. */
  async grow(name: string, sizeInGB: number): Promise<void> {
    const { id } = await this.volume(name);
    await this.ask('POST', `/api/instances/Volume::${id}/action/setVolumeSize`, {
      sizeInGB: `${sizeInGB}`,
    });
  }

  /** Rejects when the array refuses. */
  async ask(method: string, url: string, body?: object): Promise<unknown> {
    const answer = await this.#send(method, url, body);
    if (answer.code !== 401) return parsed(`${method} ${url}`, answer);
    const login = await this.#request('GET', '/api/login', ['admin', this.#host.password]);
    this.#token = parsed('log in', login) as string;
    return parsed(`${method} ${url}`, await this.#send(method, url, body));
  }

  /** Has the array fail as docs/simulator.md says. */
  async fault(what: string, body: object): Promise<void> {
    const answer = await this.#request('POST', `/simulator/${what}`, ['', ''], body);
    if (answer.code >= 300) throw new Error(`the fault "${what}" was refused: ${answer.stdout}`);
  }

  async #send(method: string, url: string, body?: object): Promise<Answer> {
    return this.#request(method, url, ['', this.#token], body);
  }

  async #request(
    method: string,
    url: string,
    [user, secret]: readonly [string, string],
    body?: object,
  ): Promise<Answer> {
    const authorization = `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
    return this.#host.machine.request('127.0.0.1:8080', method, url, { body, headers: { authorization } });
  }
}

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function parsed(what: string, { code, stdout, stderr }: Answer): unknown {
  if (code !== 200) throw new Error(`the array refused to ${what}: ${code} ${stdout}${stderr}`);
  return JSON.parse(stdout);
}
