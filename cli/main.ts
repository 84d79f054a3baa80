#!/usr/bin/env node
/**
 * The `holdout` command: runs the command line that this process was given, and ends with its exit status.
 * @module
 */
import { runCommandLine } from './command-line.ts';
import { endQuietlyOnClosedPipe } from './output.ts';

endQuietlyOnClosedPipe();
const status = await runCommandLine(process.argv.slice(2));
// An exit at once would lose what a slow pipe has not taken yet; waiting for the event loop could wait for a worker.
process.stdout.write('', () => process.exit(status));
