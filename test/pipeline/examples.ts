/**
 * Pipeline files that are right, and ones that are wrong in form: what Holdout and the JSON Schema must agree on.
 * @module
 */

export const right: readonly (readonly [what: string, text: string])[] = [
  ['the least', 'version: 1\n'],
  ['empty sections', 'version: 1\ndatasets:\nevals:\nchecks:\n'],
  ['one file', 'version: 1\ndatasets:\n  raw: {files: a.jsonl}\n'],
  [
    'every key of files',
    `version: 1
description: all of it
datasets:
  raw:
    description: free
    files: [a.csv, "b/*.csv"]
    role: train
    fields: {question: q, passage: [p, r], choices: c, answer: a, id: i}
    format: csv
    schema: "q VARCHAR"
    infer: false
    raw: true
`,
  ],
  ['a step by its name alone', 'version: 1\ndatasets:\n  a: {files: x}\n  b: {from: a, steps: [shuffle]}\n'],
  ['a step with nothing under it', 'version: 1\ndatasets:\n  a: {files: x}\n  b: {from: a, steps: [{shuffle: }]}\n'],
  [
    'steps of a version, with their whole name, with notes',
    `version: 1
datasets:
  a: {files: x}
  b:
    from: a
    steps:
      - filter@1: {where: "true"}
      - holdout/head: {n: 3}
      - holdout/skip@1: {n: 3}
        name: rest
        description: said
      - shuffle@1
      - {sort: {by: [a, {column: b, order: desc}]}}
      - {split: {shares: {x: 0.5, y: 0.5}, which: x, seed: 3}}
`,
  ],
  ['several inputs', 'version: 1\ndatasets:\n  a: {files: x}\n  b: {files: y}\n  c: {from: [a, b]}\n'],
  [
    'checks',
    `version: 1
datasets: {t: {files: x}}
evals: {e: {files: y, fields: {question: q}}}
checks:
  - {train: t, against: e}
  - {train: [t], against: [e], fail_on: suspect, allow-incomplete: true, description: why}
`,
  ],
  ['a date as text', 'version: 1\ndescription: 2026-01-01\n'],
];

/** Each with the place and words of what is said of it. */
export const wrong: readonly (readonly [says: string, text: string])[] = [
  ['1:1: the file: version: must be 1', 'datasets: {}\n'],
  ['1:10: the file: version: must be 1', 'version: 2\n'],
  ['1:10: the file: version: must be 1', 'version: "1"\n'],
  ['2:1: the file: unknown key "dataset" (did you mean datasets?)', 'version: 1\ndataset: {}\n'],
  ['2:11: datasets: expected names', 'version: 1\ndatasets: [a]\n'],
  ['3:3: "a b" cannot be a name here', 'version: 1\ndatasets:\n  a b: {files: x}\n'],
  ['3:6: dataset "a": expected names with values, not 3', 'version: 1\ndatasets:\n  a: 3\n'],
  ['3:7: dataset "a": unknown key "file" (did you mean files?)', 'version: 1\ndatasets:\n  a: {file: x}\n'],
  ['3:6: dataset "a": files is missing', 'version: 1\ndatasets:\n  a: {role: train}\n'],
  ['3:14: dataset "a": files: expected a file', 'version: 1\ndatasets:\n  a: {files: 3}\n'],
  [
    '3:23: dataset "a": role: expected train, eval or none, not the text "tran" (did you mean train?)',
    'version: 1\ndatasets:\n  a: {files: x, role: tran}\n',
  ],
  ['3:16: dataset "a" says "files" and "from"', 'version: 1\ndatasets:\n  a: {from: s, files: x}\n'],
  ['3:23: dataset "a": steps: expected a list of steps', 'version: 1\ndatasets:\n  a: {from: s, steps: shuffle}\n'],
  ['3:24: dataset "a", step 1: there is no step "shufle"', 'version: 1\ndatasets:\n  a: {from: s, steps: [shufle]}\n'],
  [
    '3:34: dataset "a", step 1, filter: unknown key "were" (did you mean where?)',
    'version: 1\ndatasets:\n  a: {from: s, steps: [{filter: {were: x}}]}\n',
  ],
  ['dataset "a", step 1, filter: where is missing', 'version: 1\ndatasets:\n  a: {from: s, steps: [filter: {}]}\n'],
  ['dataset "a", step 1, filter: where is missing', 'version: 1\ndatasets:\n  a: {from: s, steps: [filter]}\n'],
  [
    'dataset "a", step 1, sample: fraction: 2 is too large: at most 1',
    'version: 1\ndatasets:\n  a: {from: s, steps: [sample: {fraction: 2}]}\n',
  ],
  [
    'dataset "a", step 1, sort: by, item 1: unknown key "colum" (did you mean column?)',
    'version: 1\ndatasets:\n  a: {from: s, steps: [sort: {by: [{colum: x}]}]}\n',
  ],
  [
    'dataset "a", step 1: "head" and "skip" where one',
    'version: 1\ndatasets:\n  a: {from: s, steps: [{head: {n: 1}, skip: {n: 1}}]}\n',
  ],
  ['dataset "a", step 1: no step is named', 'version: 1\ndatasets:\n  a: {from: s, steps: [{name: x}]}\n'],
  [
    'dataset "a", step 1: name: expected text, not 3',
    'version: 1\ndatasets:\n  a: {from: s, steps: [{shuffle: {}, name: 3}]}\n',
  ],
  ['eval set "e": fields: unknown key "questin"', 'version: 1\nevals:\n  e: {files: x, fields: {questin: q}}\n'],
  ['eval set "e": unknown key "role"', 'version: 1\nevals:\n  e: {files: x, role: train}\n'],
  ['2:9: checks: expected a list', 'version: 1\nchecks: {}\n'],
  ['check 1: against is missing', 'version: 1\nchecks: [{train: s}]\n'],
  [
    'check 1: fail_on: expected leak or suspect, not the text "all"',
    'version: 1\nchecks: [{train: s, against: s, fail_on: all}]\n',
  ],
  ['check 1: unknown key "when"', 'version: 1\nchecks: [{train: s, against: s, when: now}]\n'],
];
