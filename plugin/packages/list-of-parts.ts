import { readFile } from 'node:fs/promises';
import path from 'node:path';

const project = path.resolve(import.meta.dirname, '../..');

interface Locked {
  readonly version: string;
  readonly license?: string;
}

interface Part {
  readonly type: 'library' | 'platform';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly { readonly expression: string }[];
}

/**
 * What a program is made of, as JSON in CycloneDX 1.6: the packages that files of its bundle come from, and Node. By the bundle, because
 * `npm sbom` leaves out what is needed both here and for development. `inputs`: as bundleProgram answers them.
 */
export async function listOfParts(inputs: readonly string[], version: string): Promise<string> {
  const lock = JSON.parse(await readFile(path.join(project, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const places = new Set(inputs.flatMap(placeOf));
  const libraries = [...places].sort().map((place) => partAt(place, lock.packages[place]));
  const list = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', name: 'docker-volume-scaleio', version },
    },
    components: [
      { ...partAt('node_modules/node', lock.packages['node_modules/node']), type: 'platform' },
      ...libraries,
    ],
  };
  return `${JSON.stringify(list, null, 2)}\n`;
}

/** The package's place in package-lock.json; none: the project's own file. */
function placeOf(input: string): string[] {
  const found = /^(?:.*\/)?((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+)/.exec(input)?.[1];
  const at = input.indexOf('node_modules/');
  return found === undefined || at < 0 ? [] : [input.slice(at, input.lastIndexOf(found) + found.length - 1)];
}

function partAt(place: string, locked: Locked | undefined): Part {
  if (locked === undefined)
    throw new Error(`${place} is in the bundle and not in package-lock.json: run npm ci, then try again`);
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const { version, license } = locked;
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  };
}
