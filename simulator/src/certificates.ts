import { execa } from 'execa';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const days = ['-days', '3650'];

export interface Certificate {
  /** Path of the certificate authority's certificate, for clients that verify. */
  readonly caFile: string;
  readonly key: string;
  readonly cert: string;
}

/**
 * A server certificate for the hosts, signed by a certificate authority of its own, in `dir`; `ca.pem` is also put
 * beside it. Made with the openssl program, and made anew only when the hosts change. RSA, because old clients know
 * nothing else.
 */
export async function ensureCertificate(dir: string, hosts: readonly string[]): Promise<Certificate> {
  const folder = join(dir, 'tls');
  const names = [...new Set([...hosts, 'localhost', '127.0.0.1', '::1'])].map(alternativeName);
  const mark = createHash('sha256').update(names.join()).digest('hex');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readIfThere(join(folder, 'names'))) !== mark) {
    await rm(join(folder, 'names'), { force: true });
    if ((await readIfThere(join(folder, 'ca.key'))) === undefined) await makeAuthority(folder);
    await makeServer(folder, names);
    await writeFile(join(folder, 'names'), mark);
  }
  const caFile = join(dir, 'ca.pem');
  await copyFile(join(folder, 'ca.pem'), caFile);
  const [key, cert] = await Promise.all(
    ['server.key', 'server.pem'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  if (key === undefined || cert === undefined) throw new Error(`no server certificate in "${folder}"`);
  return { caFile, key, cert };
}

function alternativeName(host: string): string {
  return isIP(host) === 0 ? `DNS:${host}` : `IP:${host}`;
}

async function makeAuthority(folder: string): Promise<void> {
  const subject = ['-subj', '/CN=Simulated ScaleIO CA'];
  const extensions = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign',
  ];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key.new', '-out', 'ca.pem'];
  await execa('openssl', ['req', '-x509', ...made, ...days, ...subject, ...extensions], { cwd: folder });
  await execa('mv', ['ca.key.new', 'ca.key'], { cwd: folder });
}

async function makeServer(folder: string, names: readonly string[]): Promise<void> {
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.pem'];
  const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=Simulated ScaleIO gateway'];
  const extensions = [
    '-addext',
    `subjectAltName=${names.join()}`,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  await execa('openssl', ['req', '-x509', ...made, ...days, ...signer, ...extensions], { cwd: folder });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
