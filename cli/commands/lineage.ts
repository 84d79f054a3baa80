/**
 * `holdout lineage`: the steps that led to a version, as a tree, a picture or data.
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { type LineageReport, lineageReport } from '../../schemas/lineage.ts';
import { HoldoutError } from '../../src/errors.ts';
import { reportLineage } from '../../src/lineage/graph-report.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { lineageMermaid } from '../lineage-mermaid.ts';
import { lineageTree } from '../lineage-tree.ts';
import { outputColumns, write, writeLines } from '../output.ts';

const formats = ['tree', 'json', 'mermaid', 'svg'];
/** Columns where nobody says how many there are. */
const columnsElsewhere = 120;

/** Prints a lineage, or writes it to a file. */
export const lineage: Action = async ({ context, operands, options }) => {
  const output = options.text('output');
  const format = context.json ? 'json' : (options.text('format') ?? formatOf(output));
  if (!formats.includes(format)) {
    throw new HoldoutError('USAGE', `--format takes ${formats.join(', ')}, not "${format}"`);
  }
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const report = lineageReport.parse(await reportLineage(store, builtInTransforms, entry));
  const text = await rendered(report, format, options.flag('ascii'));
  if (output === undefined) await write(text);
  else {
    await writeFile(output, text);
    await writeLines([`Wrote the lineage of ${report.version} to ${output}`]);
  }
  return exitStatus.ok;
};

function formatOf(output: string | undefined): string {
  const [, ending = ''] = /\.(svg|json|mmd|mermaid)$/.exec(output ?? '') ?? [];
  return ending === '' ? 'tree' : ending === 'mmd' ? 'mermaid' : ending;
}

async function rendered(report: LineageReport, format: string, ascii: boolean): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    case 'mermaid':
      return lineageMermaid(report);
    case 'svg': {
      const { lineageSvg } = await import('../lineage-svg.ts');
      return lineageSvg(report);
    }
    default: {
      const width = outputColumns() ?? columnsElsewhere;
      return `${[report.version, ...lineageTree(report, { width, ascii })].join('\n')}\n`;
    }
  }
}
