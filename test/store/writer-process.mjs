// Commits versions to a store until it is killed or has committed enough; prints a line for each that is acknowledged.
// Arguments: folder of the store, a word that tells writers apart, how many versions.
import { existsSync } from 'node:fs';
import { Store } from '../../dist/src/store/store.js';
import { putVersionOf } from './version-content.mjs';

const [root, word, count] = process.argv.slice(2);
const now = new Date();
const facts = { holdoutVersion: '0.0.0-test', now };
console.log('starting');
const store = existsSync(`${root}/config.json`) ? await Store.open(root) : await Store.init(root, facts);

for (let i = 0; i < Number(count); i += 1) {
  const content = `${word} ${process.pid} ${i}`;
  const draft = await putVersionOf(store, {
    word: content,
    parquet: Buffer.alloc(300_000, content),
    digests: content,
    raw: Buffer.alloc(100_000, `raw ${content}`),
    source: content,
  });
  const entry = await store.commit(draft, now);
  console.log(`committed ${entry.version} ${entry.snapshot}`);
}
await store.close();
