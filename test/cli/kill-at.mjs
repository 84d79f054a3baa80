// Loaded before the command (`node --import`): ends the process by SIGKILL before its nth change of the file system,
// n in KILL_AT. With KILL_COUNT, the path of a file, it writes the number of all changes there instead.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_AT: at, KILL_COUNT: count } = process.env;
const { promises } = fs;
let changes = 0;
for (const name of ['link', 'rename', 'unlink', 'mkdir', 'writeFile']) {
  const real = promises[name];
  promises[name] = (...args) => {
    changes += 1;
    if (changes === Number(at)) process.kill(process.pid, 'SIGKILL');
    return real.apply(promises, args);
  };
}
syncBuiltinESMExports();
if (count !== undefined) process.on('exit', () => fs.writeFileSync(count, String(changes)));
