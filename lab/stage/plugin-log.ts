import { readFile, stat } from 'node:fs/promises';

/** One line of the plugin's own log. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  /** Of the call of the engine, or of other work, that the line was written for. */
  readonly requestId?: string;
  readonly operation?: string;
  readonly volume?: string;
  readonly mountId?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly ms?: number;
  /** Of a request to the gateway. */
  readonly route?: string;
  /** That was run. */
  readonly program?: string;
  /** Of a host that joins the storage. */
  readonly step?: string;
}

/** What the plugin logged, read from its own output or from the engine's log, into which engines copy it. */
export class PluginLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Where the log ends now, to read from there later. */
  async mark(): Promise<number> {
    return (await stat(this.#file)).size;
  }

  async lines(since = 0): Promise<LogLine[]> {
    const text = (await readFile(this.#file)).subarray(since).toString();
    return text.split('\n').flatMap((line) => {
      const quoted = /msg=("\{.*\}") plugin=/.exec(line)?.[1];
      const json = quoted === undefined ? line : (JSON.parse(quoted) as string);
      return json.startsWith('{') ? [JSON.parse(json) as LogLine] : [];
    });
  }

  /**
   * The driver's calls in order, such as "Mount db 1": Mount IDs are counted in the order of their first appearance,
   * anonymous volumes are called "*", what failed ends in "!". Without Capabilities, which engines ask all the time.
   */
  async calls(since: number): Promise<string[]> {
    const ids: string[] = [];
    const numberOf = (id: string): number => (ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1) + 1;
    return (await this.lines(since)).flatMap(({ operation, volume, mountId, outcome }) => {
      if (operation === undefined || operation === 'Capabilities') return [];
      const name = volume === undefined ? [] : [/^[0-9a-f]{64}$/.test(volume) ? '*' : volume];
      const id = mountId === undefined ? [] : [`${numberOf(mountId)}`];
      return [[operation, ...name, ...id].join(' ') + (outcome === 'done' ? '' : '!')];
    });
  }
}
