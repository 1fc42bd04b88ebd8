import { createHash, createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { systemCode } from './simulator-error.ts';

const VALID_DAYS = 3650;
/** RSA, because old clients know nothing else. */
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

export interface Certificate extends KeyPair {
  /** Path of the certificate authority's certificate, for clients that verify. */
  readonly caFile: string;
}

/**
 * A server certificate for the hosts, signed by a certificate authority of its own, in `dir`; `ca.pem` is also put
 * beside it. Made anew only when the hosts change. `now`: milliseconds since 1970.
 */
export async function ensureCertificate(
  dir: string,
  hosts: readonly string[],
  now: () => number,
): Promise<Certificate> {
  const folder = join(dir, 'tls');
  const names = [...new Set([...hosts, 'localhost', '127.0.0.1', '::1'])];
  const mark = createHash('sha256').update(names.join()).digest('hex');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readIfThere(join(folder, 'names'))) !== mark) {
    await rm(join(folder, 'names'), { force: true });
    const authority = (await readPair(folder, 'ca')) ?? (await makeAuthority(folder, now));
    await writePair(folder, 'server', await makeServer(authority, names, now));
    await writeFile(join(folder, 'names'), mark);
  }
  const caFile = join(dir, 'ca.pem');
  await copyFile(join(folder, 'ca.pem'), caFile);
  const server = await readPair(folder, 'server');
  if (server === undefined) throw new Error(`no server certificate in "${folder}"`);
  return { caFile, ...server };
}

async function makeAuthority(folder: string, now: () => number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await newKeys();
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now()),
    name: 'CN=Simulated ScaleIO CA',
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const authority = { key: pemOf(keys.privateKey), cert: made.toString('pem') };
  await writePair(folder, 'ca', authority);
  return authority;
}

async function makeServer(authority: KeyPair, hosts: readonly string[], now: () => number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await newKeys();
  const issuer = new x509.X509Certificate(authority.cert);
  const names = hosts.map((host) => ({
    type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const),
    value: host,
  }));
  const made = await x509.X509CertificateGenerator.create({
    ...validity(now()),
    subject: 'CN=Simulated ScaleIO gateway',
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(ALGORITHM, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { key: pemOf(keys.privateKey), cert: made.toString('pem') };
}

/** Most simulators speak plain HTTP, and start quicker without it. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  // It finds the types of its classes with this.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  const made = { ...ALGORITHM, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) };
  return webcrypto.subtle.generateKey(made, true, ['sign', 'verify']);
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** From a day ago, because a client's clock may be behind. `moment`: milliseconds since 1970. */
function validity(moment: number): { notBefore: Date; notAfter: Date; signingAlgorithm: typeof ALGORITHM } {
  return {
    notBefore: daysAfter(moment, -1),
    notAfter: daysAfter(moment, VALID_DAYS),
    signingAlgorithm: ALGORITHM,
  };
}

/** `moment`: milliseconds since 1970. */
function daysAfter(moment: number, days: number): Date {
  const date = new Date(moment);
  date.setUTCDate(date.getUTCDate() + days);
  return date;
}

/** The key comes last, and whole: where it is there, so is the certificate. */
async function writePair(folder: string, name: string, { key, cert }: KeyPair): Promise<void> {
  await writeFile(join(folder, `${name}.pem`), cert, { mode: 0o600 });
  await writeFile(join(folder, `${name}.key.new`), key, { mode: 0o600 });
  await rename(join(folder, `${name}.key.new`), join(folder, `${name}.key`));
}

async function readPair(folder: string, name: string): Promise<KeyPair | undefined> {
  const key = await readIfThere(join(folder, `${name}.key`));
  return key === undefined ? undefined : { key, cert: await readFile(join(folder, `${name}.pem`), 'utf8') };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
