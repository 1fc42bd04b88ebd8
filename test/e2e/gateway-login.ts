import type { LabArray } from '../../lab/hosts/array.ts';

/** What of a volume's description counts here. */
export interface SeenVolume {
  readonly id: string;
  readonly name: string;
  readonly sizeInKb: number;
  readonly storagePoolId: string;
  readonly mappedSdcInfo: readonly SeenMapping[] | null;
}

export interface SeenMapping {
  readonly sdcIp: string;
  readonly limitIops: number;
  readonly limitBwInMbps: number;
}

/** Asks the gateway as its administrator; the answer's JSON. Throws when it refuses. */
export async function askGateway(
  array: LabArray,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const basic = (user: string, secret: string): Record<string, string> => {
    const credentials = Buffer.from(`${user}:${secret}`).toString('base64');
    return { authorization: `Basic ${credentials}` };
  };
  const login = await array.request('GET', '/api/login', undefined, basic(array.user, array.password));
  const token = JSON.parse(login.body) as string;
  const answer = await array.request(method, path, body, basic('', token));
  if (answer.status !== 200) throw new Error(`${method} ${path} was refused: ${answer.body}`);
  return JSON.parse(answer.body);
}

/** All volumes as the gateway describes them to anybody who logs in. */
export async function volumesOf(array: LabArray): Promise<readonly SeenVolume[]> {
  return (await askGateway(array, 'GET', '/api/types/Volume/instances')) as SeenVolume[];
}

/** The one volume of this name on the array. */
export async function volumeNamed(array: LabArray, name: string): Promise<SeenVolume> {
  const found = (await volumesOf(array)).filter((volume) => volume.name === name);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} volumes are named "${name}"`);
  return only;
}
