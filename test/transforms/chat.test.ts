import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Workspace } from '../snapshots/workspace.js';
import { mapOn } from './map-on.js';
import { OwnSteps } from './own-steps.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.make();
});
afterAll(async () => workspace.remove());

const rows = [
  { id: 1, instruction: 'Add', input: '1 + 2', output: '3', system: 'Be terse.' },
  { id: 2, instruction: 'Say {input}', input: '', output: '', system: null },
  { id: 3, instruction: null, input: 'x', output: 'y', system: null },
];
const good = rows.slice(0, 2);
const message = (role: string, content: string | null): object => ({ role, content });
const template = '{{I}} {instruction}{?input}, given {input}{/input}{^system}!{/system} → {output}';
const eachOn = (more: string): string => `from-chat: {turns: each, history: before${more}}`;
const renderOn = (nulls: string): string => `render: {template: "${template}", into: output, nulls: ${nulls}}`;

describe('to-chat and from-chat', () => {
  it('makes messages of instruction, input, output and system, and leaves empty parts out', async () => {
    const { rows: out, kept } = await mapOn(workspace, good, 'to-chat: {}');
    expect(out).toEqual([
      {
        id: 1,
        messages: [
          { role: 'system', content: 'Be terse.' },
          { role: 'user', content: 'Add\n\n1 + 2' },
          { role: 'assistant', content: '3' },
        ],
      },
      {
        id: 2,
        messages: [
          { role: 'user', content: 'Say {input}' },
          { role: 'assistant', content: '' },
        ],
      },
    ]);
    expect(kept).toEqual({ id: 'id' });
  });

  it('there and back gives the columns again, in either format', async () => {
    for (const format of ['openai', 'sharegpt']) {
      const there = await mapOn(workspace, good, `to-chat: {format: ${format}}`);
      const back = await mapOn(workspace, there.rows as object[], `from-chat: {format: ${format}}`);
      expect(back.rows).toEqual([
        { id: 1, instruction: 'Add\n\n1 + 2', output: '3', system: 'Be terse.' },
        { id: 2, instruction: 'Say {input}', output: '', system: null },
      ]);
    }
  });

  it('names a row without an instruction, drops it, or keeps it as null', async () => {
    await expect(mapOn(workspace, rows, 'to-chat: {}')).rejects.toThrow(
      'row 3: conversation: instruction must hold text and output must not be null (instruction = null',
    );
    const dropped = await mapOn(workspace, rows, 'to-chat: {on_error: drop, drop: false}');
    expect(dropped.rows.length).toBe(2);
    expect(dropped.counts).toEqual({ columnsDropped: 0, failed: 1 });
    const kept = await mapOn(workspace, rows, 'to-chat: {on_error: keep}');
    expect(kept.rows[2]).toEqual({ id: 3, messages: null });
  });

  it('takes apart only one question and one answer', async () => {
    const conversations = [
      [message('user', 'q'), message('assistant', 'a')],
      [message('user', 'q'), message('assistant', 'a'), message('user', 'q')],
      [message('assistant', 'a'), message('user', 'q')],
      [message('user', 'q'), message('assistant', null)],
      [message('system', 's'), message('user', 'q')],
      [],
      null,
    ].map((messages, id) => ({ id, messages }));
    await expect(mapOn(workspace, conversations, 'from-chat: {}')).rejects.toThrow(
      'row 2: conversation: not one question and one answer (turns: last takes the last ones, turns: each all)',
    );
    const { why } = await mapOn(workspace, conversations, 'from-chat: {on_error: drop}');
    expect(why).toEqual([null, 'failed', 'failed', 'failed', 'failed', 'failed', 'failed']);
    const { rows: kept } = await mapOn(workspace, conversations, 'from-chat: {on_error: keep}');
    expect(kept[1]).toEqual({ id: 1, instruction: null, output: null, system: null });
  });

  it('takes the last answer of longer ones, and keeps what was said before it as messages', async () => {
    const [ask, say] = [message('user', 'q'), message('assistant', 'a')];
    const turns = [message('user', 'q0'), message('assistant', 'a0')];
    const conversations = [
      [message('system', 's'), ...turns, ...turns, ask, say],
      [ask, say],
      [ask, say, ask],
      [ask, ask, say, say],
      [message('user', null), say, ask, say],
      [message('system', 's')],
      [],
      null,
    ].map((messages, id) => ({ id, messages }));
    const step = 'from-chat: {turns: last, history: earlier, on_error: drop}';
    const { rows: out, why } = await mapOn(workspace, conversations, step);
    expect(out).toEqual([
      { id: 0, instruction: 'q', output: 'a', system: 's', earlier: [...turns, ...turns] },
      { id: 1, instruction: 'q', output: 'a', system: null, earlier: [] },
    ]);
    expect(why.slice(2)).toEqual(Array(6).fill('failed'));
    const sharegpt = [
      { from: 'human', value: 'q' },
      { from: 'gpt', value: 'a' },
    ];
    const other = [{ conversations: [...sharegpt, ...sharegpt] }];
    expect((await mapOn(workspace, other, 'from-chat: {format: sharegpt, turns: last}')).rows).toEqual([
      { instruction: 'q', output: 'a', system: null, history: sharegpt },
    ]);
    await expect(mapOn(workspace, conversations, 'from-chat: {turns: last}')).rejects.toThrow(
      'row 3: conversation: not questions and answers in turn, each with text, with an answer at the end',
    );
  });

  it('makes a row of each answer, in turn, traced to its conversation', async () => {
    const turn = (n: number): object[] => [message('user', `q${n}`), message('assistant', `a${n}`)];
    const [system, good, single] = [message('system', 's'), [...turn(1), ...turn(2), ...turn(3)], turn(4)];
    const conversations = [[system, ...good], [...turn(5), message('user', 'q')], null, single];
    const project = await OwnSteps.make(conversations.map((messages, id) => ({ messages, id })));
    onTestFinished(() => project.remove());
    expect(await project.failure(eachOn(''))).toMatchObject({
      message: expect.stringMatching(
        /row 2: conversation: not questions and answers in turn, .* at the end \(messages = /,
      ),
      place: { line: 2 },
    });
    const answers = [
      { id: 0, instruction: 'q1', output: 'a1', system: 's', before: [] },
      { id: 0, instruction: 'q2', output: 'a2', system: 's', before: turn(1) },
      { id: 0, instruction: 'q3', output: 'a3', system: 's', before: [...turn(1), ...turn(2)] },
    ];
    const last = { id: 3, instruction: 'q4', output: 'a4', system: null, before: [] };
    const dropped = await project.take(eachOn(', on_error: drop'));
    expect(dropped.rowsOut).toEqual([...answers, last]);
    expect(dropped.counts).toEqual({ columnsDropped: 1, failed: 2 });
    expect(await project.linesOf('out')).toEqual([1, 1, 1, 4]);
    const [, fate] = await project.fates('out');
    expect(fate?.dropped[0]?.why).toMatch(/conversation: not questions and answers in turn/);
    expect((await project.reproduce()).state).toBe('same');
    const kept = await project.take(eachOn(', on_error: keep, drop: false'));
    const none = { instruction: null, output: null, system: null, before: null };
    expect(kept.rowsOut.slice(3)).toEqual([
      { messages: conversations[1], id: 1, ...none },
      { messages: null, id: 2, ...none },
      { messages: single, ...last },
    ]);
    expect(kept.counts).toEqual({ columnsDropped: 0, madeNull: 2 });
  });

  it.each([
    ['from-chat: {history: h}', '`history` goes with `turns: last` or `each`'],
    ['to-chat: {instruction: id}', 'holds BIGINT, not text'],
    ['to-chat: {input: inputt}', 'there is no column "inputt"'],
    ['from-chat: {column: instruction}', 'not a list of {role, content}'],
    ['from-chat: {}', 'there is no column "messages"'],
    ['render: {template: "{instructoin}"}', 'there is no column "instructoin"'],
    ['render: {template: "{?input}x"}', '"{/input}" is missing for the section at character 1'],
    ['render: {template: "{?input}x{/output}"}', '"{/output}" at character 10: "{/input}" is expected'],
    ['render: {template: "x{/output}"}', 'no section is open'],
  ])('refuses %s', async (step, says) => {
    await expect(mapOn(workspace, good, step)).rejects.toThrow(says);
  });
});

describe('render', () => {
  it('writes sections only by their values, and takes no value for a template', async () => {
    const { rows: out, kept } = await mapOn(workspace, good, `render: {template: "${template}", drop: [system]}`);
    expect(out.map((row) => (row as { text: string }).text)).toEqual([
      '{I} Add, given 1 + 2 → 3',
      '{I} Say {input}! → ',
    ]);
    expect(kept).toEqual({ id: 'id', instruction: 'instruction', input: 'input', output: 'output' });
  });

  it('names a row with a null, puts nothing there, drops it or keeps null', async () => {
    await expect(mapOn(workspace, rows, renderOn('fail'))).rejects.toThrow(
      'row 3: column "output": a value that the template names is null (instruction = null, input = "x"',
    );
    const texts = async (nulls: string): Promise<unknown[]> =>
      (await mapOn(workspace, rows, renderOn(nulls))).rows.map((row) => (row as { output: unknown }).output);
    expect((await texts('empty'))[2]).toBe('{I} , given x! → y');
    expect((await texts('drop')).length).toBe(2);
    expect((await texts('keep'))[2]).toBe(null);
  });
});
