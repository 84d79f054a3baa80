/**
 * Ends a command's process group when Holdout is gone, also by SIGKILL, which Holdout cannot answer. A command that reads
 * and writes sees its pipes close; one that does neither would go on. So a shell in a session of its own waits for the end
 * of a pipe that only Holdout holds. Windows has neither such a shell nor process groups: there such a command goes on.
 * @module
 */
import { spawn } from 'node:child_process';

/** A watch over one process group. */
export interface GroupWatch {
  /** Begins it. @param group number of the process group */
  begin(group: number): void;
  /** Ends it: the group is left alone. */
  dismiss(): void;
}

/** Reads the group's number, then waits; a second line is the dismissal. All of it is built into every shell. */
const script =
  'trap "" INT TERM HUP; read -r group || exit; case $group in ""|0|1|*[!0-9]*) exit;; esac; ' +
  'read -r over || kill -s KILL -- "-$group"';

/**
 * Starts the shell, before the command: unwatched is only the moment until its number is written. Where the shell cannot
 * be started nobody watches.
 */
export function startGroupWatch(): GroupWatch {
  if (process.platform === 'win32') return { begin: () => undefined, dismiss: () => undefined };
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
  shell.on('error', () => undefined).unref();
  const pipe = shell.stdin as typeof shell.stdin | undefined;
  pipe?.on('error', () => undefined);
  return {
    begin: (group) => void pipe?.write(`${group}\n`),
    dismiss: () => void pipe?.end('over\n'),
  };
}
