// Runs command lines one after the other in this process, each in its own folder and environment, by the same function
// as the shipped executable. A command line comes as a message; what it prints goes to this process's own standard output
// and error, then the mark of its end to both, then the answer as a message.
import { readdirSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../dist/cli/command-line.js';
import { endQuietlyOnClosedPipe } from '../../dist/cli/output.js';

/** How long what a command has closed may take to go. */
const settleMsMax = 2000;
const here = fileURLToPath(new URL('.', import.meta.url));
const listened = ['SIGINT', 'SIGTERM', 'exit', 'uncaughtException', 'unhandledRejection', 'warning'];

const setEnvironment = (environment) => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
};

/** Files below a folder that this process has open, where the system tells. */
const openFiles = (folder) => {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(`${folder}/`) ? [path] : [];
    } catch {
      return [];
    }
  });
};

/** Threads of this process, those of engines and of pools among them, where the system tells. */
const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);

/** What the command would leave if it were at its end now: timers, processes, threads, listeners, files. */
const leftOver = (before, home) => {
  const resources = process.getActiveResourcesInfo();
  for (const resource of before.resources) {
    const at = resources.indexOf(resource);
    if (at >= 0) resources.splice(at, 1);
  }
  const listeners = listened.filter((event, index) => process.listenerCount(event) > before.listeners[index]);
  return [
    ...resources,
    ...Array.from({ length: Math.max(0, threads() - before.threads) }, () => 'a thread'),
    ...listeners.map((event) => `a listener of ${event}`),
    ...openFiles(home),
  ];
};

const standing = () => ({
  resources: process.getActiveResourcesInfo(),
  listeners: listened.map((event) => process.listenerCount(event)),
  threads: threads(),
});

const serve = async ({ args, folder, home, environment, mark }) => {
  setEnvironment(environment);
  process.chdir(folder);
  const before = standing();
  const status = await runCommandLine(args);
  process.chdir(here);
  process.stdout.write(mark);
  process.stderr.write(mark);
  let left = leftOver(before, home);
  for (let waited = 0; left.length > 0 && waited < settleMsMax; waited += 5) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    left = leftOver(before, home);
  }
  process.send({ status, left });
};

endQuietlyOnClosedPipe();
// Node's own threads for files start at their first use.
await stat(here);
process.on('disconnect', () => process.exit());
process.on('message', (request) => void serve(request));
