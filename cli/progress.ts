/**
 * One line of progress on stderr, where that is a terminal: what is done, rate, time left. Cleared at the end.
 * @module
 */
import { clipMiddle, formatBytes, formatCount, formatDuration } from './text.ts';

/** Reports how far a long operation is, in bytes or rows. */
export interface Progress {
  /** `done` of `total` so far; without a total only the rate is shown. */
  update(done: number, total?: number): void;
  /** Another phase: its label, and counting from zero. */
  phase(label: string): void;
  /** Clears the line. */
  end(): void;
}

const silent: Progress = {
  update: () => undefined,
  phase: () => undefined,
  end: () => undefined,
};

const intervalMs = 100;

/** What is counted, and how a count is written. */
export type ProgressUnit = 'bytes' | 'rows';

const formats: Readonly<Record<ProgressUnit, (count: number) => string>> = {
  bytes: formatBytes,
  rows: (count) => `${formatCount(Math.round(count))} rows`,
};

/** Starts a progress line; silent where stderr is no terminal. */
export function startProgress(label: string, unit: ProgressUnit = 'bytes'): Progress {
  if (!process.stderr.isTTY) return silent;
  let current = label;
  let started = performance.now();
  let shownAt = 0;
  let shown = false;
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001b[2K');
    shown = false;
  };
  return {
    update(done, total) {
      const now = performance.now();
      if (now - shownAt < intervalMs) return;
      shownAt = now;
      shown = true;
      process.stderr.write(`\r\u001b[2K${progressText(current, done, total, (now - started) / 1000, formats[unit])}`);
    },
    phase(next) {
      current = next;
      started = performance.now();
    },
    end: clear,
  };
}

/** The line itself, cut to the terminal. */
function progressText(
  label: string,
  done: number,
  total: number | undefined,
  seconds: number,
  format: (count: number) => string,
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const parts: string[] = [];
  if (total !== undefined && total > 0) {
    parts.push(`${Math.min(100, Math.floor((100 * done) / total))} %`, `${format(done)} of ${format(total)}`);
  } else {
    parts.push(format(done));
  }
  if (seconds >= 0.5 && rate > 0) {
    parts.push(`${format(rate)}/s`);
    if (total !== undefined && total > done) parts.push(`${formatDuration((total - done) / rate)} left`);
  }
  const numbers = parts.join('  ');
  const width = (process.stderr.columns || 80) - 1;
  return `${numbers}  ${clipMiddle(label, width - numbers.length - 2)}`.slice(0, width);
}
