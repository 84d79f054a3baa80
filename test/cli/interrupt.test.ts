import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

let box: Sandbox;

beforeAll(async () => {
  box = await Sandbox.make();
  await box.run(['init']);
});
afterAll(async () => box.remove());

async function temporaries(): Promise<string[]> {
  const folder = join(box.folder, '.holdout', 'tmp');
  return (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.stdin'));
}

describe('an interrupted add', () => {
  // It waits for more input when the signal comes, so that it cannot stop by itself.
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('that cannot stop by itself is ended by %s, and leaves nothing', async (signal, status) => {
    const child = box.start(['add', 'sft', '-']);
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stdin.write(lines([{ text: 'A walk along the harbour.' }]));
    while ((await temporaries()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill(signal);
    expect(await ended).toBe(status);
    expect(await readdir(join(box.folder, '.holdout', 'tmp'))).toEqual([]);
    expect(await box.json(['ls'])).toEqual({ datasets: [] });
  });
});
