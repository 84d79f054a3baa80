// Writes the synthetic training file of the benchmarks: seeded, so every machine gets the same bytes.
//   node bench/generate.mjs OUT.jsonl [ROWS=1000000]
// One row: {"id","prompt","response","score","tags"}; about 779 bytes, 743 MiB for a million rows.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { argv } from 'node:process';

const [, , out, rowsText = '1000000'] = argv;
const rows = Number(rowsText);
if (!out || !Number.isSafeInteger(rows) || rows < 1) {
  console.error('usage: node bench/generate.mjs OUT.jsonl [ROWS]');
  process.exit(2);
}

// xorshift32: small, fast, the same everywhere.
let state = 0x9e3779b9;
const random = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 4294967296;
};

const syllables =
  'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu za bri clo dra fle gri plu sta tre'.split(' ');
const vocabulary = Array.from({ length: 20_000 }, () => {
  let word = '';
  for (let n = 1 + Math.floor(random() * 3.2); n >= 0; n--) word += syllables[Math.floor(random() * syllables.length)];
  return word;
});
// Zipf-like: frequent words are frequent.
const word = () => vocabulary[Math.floor(vocabulary.length * random() ** 3)];
const sentence = (words) => {
  let text = '';
  for (let i = 0; i < words; i++) text += (i === 0 ? '' : ' ') + word();
  return text[0].toUpperCase() + text.slice(1) + '.';
};
const text = (words) => {
  const parts = [];
  for (let left = words; left > 0;) {
    const n = Math.min(left, 6 + Math.floor(random() * 14));
    parts.push(sentence(n));
    left -= n;
  }
  return parts.join(random() < 0.2 ? '\n' : ' ');
};

const tags = ['math', 'code', 'chat', 'news', 'law', 'bio', 'poem', 'list'];
const stream = createWriteStream(out);
let block = '';
for (let i = 0; i < rows; i++) {
  block +=
    JSON.stringify({
      id: i,
      prompt: text(12 + Math.floor(random() * 30)),
      response: text(28 + Math.floor(random() * 59)),
      score: Math.round(random() * 1e4) / 1e4,
      tags: [tags[Math.floor(random() * 8)], tags[Math.floor(random() * 8)]],
    }) + '\n';
  if (block.length > 1 << 20) {
    if (!stream.write(block)) await once(stream, 'drain');
    block = '';
  }
}
stream.end(block);
await once(stream, 'finish');
