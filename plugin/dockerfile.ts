import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contents, packagedFiles, packageNames } from './contents.ts';

/**
 * The Dockerfile for builders that have a registry: the same contents as rootfs.ts. Its result is exported, not run:
 * `docker build --output dist/plugin/rootfs -f plugin/Dockerfile .`; with `--build-arg MIRROR=http://mirror.example.com` packages come
 * from there instead of where the image says.
 */
export function dockerfileText(): string {
  const files = packagedFiles().join(' \\\n      ');
  const libraries = contents.extraLibraries.join(' \\\n      ');
  const links = Object.entries(contents.links).map(([link, to]) => `ln -sT ${to} /rootfs${link}`);
  const texts = Object.entries(contents.texts).map(
    ([file, text]) => `printf '${printed(text)}' >/rootfs${file}`,
  );
  return `# Written by plugin/dockerfile.ts from plugin/contents.ts: change those, then run "make dockerfile".
FROM debian:${contents.suite}-slim AS programs
ARG MIRROR=
RUN [ -z "$MIRROR" ] || sed -i "s|^\\(URIs: \\)https*://[^/]*|\\1$MIRROR|" /etc/apt/sources.list.d/debian.sources
RUN apt-get update && apt-get install -y --no-install-recommends \\
      ${packageNames().join(' \\\n      ')}
RUN mkdir -p ${['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64', '/etc', ...contents.directories].map((one) => `/rootfs${one}`).join(' ')} && \\
    chmod 1777 /rootfs/tmp && \\
    ${[...links, ...texts].join(' && \\\n    ')}
RUN set -e; \\
    for file in \\
      ${files}; do \\
      cp --parents --no-dereference "$file" /rootfs; \\
      real=$(readlink -f "$file"); \\
      [ -e "/rootfs$real" ] || cp --parents "$real" /rootfs; \\
      ldd "$real" 2>/dev/null | grep -o '/[^ ]*' >>/tmp/libraries || true; \\
    done; \\
    for name in \\
      ${libraries}; do \\
      ldconfig -p | grep -F "$name " | head -1 | grep -o '/[^ ]*$' >>/tmp/libraries; \\
    done; \\
    sort -u /tmp/libraries | while read -r library; do cp --parents --dereference "$library" /rootfs; done

FROM node:24-${contents.suite} AS program
WORKDIR /build
COPY package.json package-lock.json ./
COPY simulator/package.json simulator/
RUN npm ci
COPY . .
RUN npm run bundle

FROM scratch
COPY --from=programs /rootfs/ /
COPY --from=program /build/node_modules/node/bin/node ${contents.node}
COPY --from=program /build/dist/docker-volume-scaleio.cjs ${contents.bundle}
`;
}

/** Text as printf's format within single quotes of a shell. */
function printed(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('\n', '\\n').replaceAll("'", `'\\''`);
}

if (import.meta.main) await writeFile(path.join(import.meta.dirname, 'Dockerfile'), dockerfileText());
