/**
 * One command line, run to its end. Loads commander and the table of commands; a command's action, and everything heavy
 * behind it, is loaded when it is called, so that `holdout --help` answers at once.
 * @module
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help } from 'commander';
import { Options } from './command-spec.ts';
import { commands } from './command-table.ts';
import { CliContext } from './context.ts';
import { exitStatus } from './exit-codes.ts';
import { commandHelp, helpColumns, jsonOption, programHelp } from './help-text.ts';
import { reportError } from './output.ts';
import { HoldoutError } from '../src/errors.ts';

/**
 * Runs one command line and returns the exit status. Errors are printed, not thrown. What it opened is closed and its
 * listeners are gone when it ends; only the current folder may be another one.
 * @param argv what stands after `holdout`
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  let outcome: Promise<number> = Promise.resolve(exitStatus.ok);
  try {
    const program = buildProgram(packageVersion(), (status) => {
      outcome = status;
    });
    if (argv.length === 0) {
      process.stderr.write(new Help().formatHelp(program, program.createHelp()));
      return exitStatus.usage;
    }
    program.parse([...argv], { from: 'user' });
    return await outcome;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitStatus.ok;
      const { message, hint } = plainMessage(error.message);
      const more = hint ?? 'holdout --help lists the commands, holdout COMMAND --help their options';
      return reportError(new HoldoutError('USAGE', message, { hint: more }), json);
    }
    return reportError(error, json);
  }
}

const packageVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new TypeError('package.json has no version');
};

/** Commander's own text without its prefix and line ends. */
const plainMessage = (message: string): { message: string; hint?: string } => {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const hint = rest
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  return hint === '' ? { message: first } : { message: first, hint };
};

const buildProgram = (version: string, called: (status: Promise<number>) => void): Command => {
  const quiet = { outputError: (): void => undefined, getOutHelpWidth: helpColumns };
  const program = new Command('holdout')
    .description('Version control for training data and eval sets, and proof that the holdout was held out.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .option('-C, --directory <dir>', 'run as if started in DIR (as git -C); HOLDOUT_DIR names a store outright')
    .exitOverride()
    .configureOutput(quiet)
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 30, subcommandTerm: (command) => command.name() })
    .addHelpText('after', programHelp());
  for (const spec of commands) {
    const command = program.command(spec.name).description(spec.summary).summary(spec.summary);
    command.exitOverride().configureOutput(quiet).helpOption('-h, --help', 'print this help');
    for (const [notation, text] of spec.operands) command.argument(notation, text);
    for (const [flags, text] of spec.options) command.option(flags, text);
    if (!spec.options.some(([flags]) => flags === '--json')) command.option('--json', jsonOption);
    command.addHelpText('after', commandHelp(spec));
    command.action(() => {
      const values = command.optsWithGlobals<Record<string, unknown>>();
      called(
        (async () => {
          const context = CliContext.start(new Options(values), version);
          return context.finish(async () => {
            const action = await spec.load();
            return action({ context, operands: command.args, options: new Options(values) });
          });
        })(),
      );
    });
  }
  return program;
};
