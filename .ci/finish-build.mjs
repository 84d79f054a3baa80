// What `tsc` leaves to do: takes files out of dist/ whose source is gone, so that nothing stale is tested or packed, and
// makes the command executable. dist/ is not emptied, since a command of a clone may be running from it.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether `tsc` makes this file of dist/ from a source that is there. */
const isMade = (path) => existsSync(`${root}${path.replace(/\.(?:js|js\.map|d\.ts)$/, '.ts')}`);

if (existsSync(`${root}dist`)) {
  for (const entry of readdirSync(`${root}dist`, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const full = `${entry.parentPath}/${entry.name}`;
    if (!isMade(full.slice(`${root}dist/`.length).replaceAll('\\', '/'))) rmSync(full);
  }
}
// `tsc` writes files without the executable bit; the command needs it when run from a clone.
const main = `${root}dist/cli/main.js`;
if (existsSync(main)) chmodSync(main, 0o755);
