import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kind, kindNames } from '../../dist/transforms/mask-pii/kinds.js';
import { masker } from '../../dist/transforms/mask-pii/mask.js';
import { Workspace } from '../snapshots/workspace.js';
import { mapOn } from './map-on.js';

const replacements = Object.fromEntries(kindNames.map((kind) => [kind, `<${kind}>`])) as Record<Kind, string>;
/** Put together here, so that no scanner takes this file for a leak. */
const joined = (...parts: readonly string[]): string => parts.join('');
const mapper = masker({ kinds: kindNames, replacements, patterns: 0 });
const masked = (text: string): string => mapper.map(text, new Float64Array(kindNames.length), null);

describe('a stretch that is of a kind is masked, and nothing around it', () => {
  it.each<[Kind, string, string?]>([
    ['email', 'me@example.com'],
    ['email', 'first.last+tag@mail.example.co.uk'],
    ['email', "o'neil_x@ex-ample.org", "o'neil_x@ex-ample.org"],
    ['email', '<me@example.com>', 'me@example.com'],
    ['email', 'mailto:me@example.com.', 'me@example.com'],
    ['email', '联系me@example.com谢谢', 'me@example.com'],
    ['email', 'a@xn--bcher-kva.xn--p1ai'],
    ['phone', '+49 171 1234567'],
    ['phone', '+1 (415) 555-2671'],
    ['phone', '+44 (0)20 7946 0958'],
    ['phone', '+14155552671'],
    ['phone', '(415) 555-2671'],
    ['phone', '415-555-2671'],
    ['phone', '415.555.2671'],
    ['phone', '1-415-555-2671'],
    ['phone', '01 23 45 67 89'],
    ['phone', '020 7946 0958'],
    ['phone', '07700 900123'],
    ['phone', '0171 1234567'],
    ['phone', '030/12345678'],
    ['ip', '192.168.0.1'],
    ['ip', '255.255.255.255'],
    ['ip', '10.0.0.1:8080', '10.0.0.1'],
    ['ip', '10.0.0.0/8', '10.0.0.0'],
    ['ip', '2001:db8::8a2e:370:7334'],
    ['ip', 'fe80::1'],
    ['ip', '2001:0db8:0000:0000:0000:ff00:0042:8329'],
    ['ip', '[2001:db8::1]:443', '2001:db8::1'],
    ['card', '4111 1111 1111 1111'],
    ['card', '4111-1111-1111-1111'],
    ['card', '5500005555555559'],
    ['card', '3782 822463 10005'],
    ['card', '6011111111111117'],
    ['card', '30569309025904'],
    ['card', '3530111333300000'],
    ['iban', 'DE89 3704 0044 0532 0130 00'],
    ['iban', 'GB82WEST12345698765432'],
    ['iban', 'FR14 2004 1010 0505 0001 3M02 606'],
    ['iban', 'NL91 ABNA 0417 1643 00 BANK', 'NL91 ABNA 0417 1643 00'],
    ['keys', joined('AKIA', 'IOSFODNN7EXAMPLE')],
    ['keys', joined('ghp_', 'a1B2'.repeat(9))],
    ['keys', joined('github_pat_', '11AAAAAAA0'.repeat(4))],
    ['keys', joined('sk-', 'proj-', 'Ab3d'.repeat(12))],
    ['keys', joined('xoxb-', '123456789012-', 'abcDEF'.repeat(3))],
    ['keys', joined('AIza', 'Sy0-_'.repeat(7))],
    ['keys', joined('sk_', 'live_', '4eC39H'.repeat(4))],
    ['keys', joined('eyJ', 'hbGciOiJIUzI1NiJ9.', 'eyJ', 'zdWIiOiIxMjM0In0.', 'dozjgNryP4J3jVmNHl0w5N')],
    ['keys', joined('-----BEGIN RSA ', 'PRIVATE KEY-----\nMIIEow==\n-----END RSA ', 'PRIVATE KEY-----')],
    [
      'keys',
      joined('-----BEGIN ', 'PRIVATE KEY-----\nMIIEow\nAAAA, and'),
      joined('-----BEGIN ', 'PRIVATE KEY-----\nMIIEow\nAAAA'),
    ],
    ['secrets', `password = "x8Kd02mQz71b"`, 'x8Kd02mQz71b'],
    ['secrets', `API_KEY: f3a9c01be77d4e52`, 'f3a9c01be77d4e52'],
  ])('%s: %j', (kind, text, stretch = text) => {
    const [before, after] = text.split(stretch);
    expect(masked(`of ${text}, so`)).toBe(`of ${before}<${kind}>${after}, so`);
    expect(masked(text)).toBe(`${before}<${kind}>${after}`);
  });
});

describe('what is of no kind stays', () => {
  it.each([
    'user@host',
    '@name and a @ b',
    'a@b.c',
    'x@-example.com',
    'x@example.123',
    'call 5551234',
    '4155552671',
    '12345678901234567890',
    '+1 + 2',
    '2024-01-31 12:00:00',
    '01.02.2023',
    '01-02-2023 12:30',
    '1,234,567.89',
    '3.14159265358979',
    '256.1.1.1',
    '1.2.3',
    'v1.2.3.4',
    '1.2.3.4.5',
    '01.2.3.4',
    '12:34:56',
    'std::vector a::b ::1 face:b00c',
    '4111 1111 1111 1112',
    '4111 11111111 1111',
    '1234567890123456',
    '04111111111111111',
    'DE88 3704 0044 0532 0130 00',
    'de89370400440532013000',
    'XX89 3704 0044 0532 0130 00',
    'AKIAIOSFODNN7EXAMPL',
    'ghp_short',
    'sk-learn-estimator-checks-for-classifiers',
    'task-Ab3dAb3dAb3dAb3dAb3dAb3d',
    'eyJhbGciOiJIUzI1NiJ9.notatoken',
    '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
    'password: correcthorsebattery',
    'password = ********',
    'token: aaaaaaaaaaaa1',
  ])('%j', (text) => {
    expect(masked(text)).toBe(text);
  });
});

describe('mask-pii', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.make();
  });
  afterAll(async () => workspace.remove());
  const rows = [
    { id: 1, text: 'me@example.com, EMP-0042 and EMP-0043', more: null },
    { id: 2, text: null, more: '\uFEFFat 10.0.0.1' },
    { id: 3, text: 'nothing', more: '' },
  ];

  it('counts stretches by kind and rows touched, and leaves null and other columns alone', async () => {
    const mapped = await mapOn(workspace, rows, 'mask-pii: {columns: [text, more]}');
    expect(mapped.rows).toEqual([
      { id: 1, text: '[EMAIL], EMP-0042 and EMP-0043', more: null },
      { id: 2, text: null, more: '\uFEFFat [IP]' },
      { id: 3, text: 'nothing', more: '' },
    ]);
    expect(mapped.counts).toEqual({ rowsTouched: 2, keys: 0, email: 1, iban: 0, card: 0, ip: 1, phone: 0 });
    expect(mapped.kept).toEqual({ id: 'id' });
  });

  it('counts what stands for itself, too, and leaves columns alone in which nothing is found', async () => {
    const own = [
      { id: 1, text: '[IP] me@example.com', more: 'nothing', none: null },
      { id: 2, text: 'x', more: null, none: '' },
    ];
    const step = 'mask-pii: {columns: [none, text, more], kinds: [email], replacement: {email: me@example.com}}';
    const mapped = await mapOn(workspace, own, step);
    expect(mapped.rows).toEqual(own);
    expect(mapped.counts).toEqual({ rowsTouched: 0, email: 1 });
    expect(Object.keys(mapped.kept).toSorted()).toEqual(['id', 'more', 'none']);
  });

  it('takes patterns of the person, with groups, before the kinds', async () => {
    const { rows: out, counts } = await mapOn(
      workspace,
      rows,
      `mask-pii: {columns: [text], kinds: [email], replacement: {email: "(mail)"}, patterns: [{name: staff, regex: 'EMP-00(\\d)\\d', replace: 'E\\1@x.org'}]}`,
    );
    expect((out[0] as { text: string }).text).toBe('(mail), (mail) and (mail)');
    expect(counts).toEqual({ rowsTouched: 1, email: 3, staff: 2 });
  });

  it.each([
    ['mask-pii: {columns: [id]}', 'holds BIGINT, not text'],
    ['mask-pii: {columns: [txt]}', 'there is no column "txt"'],
    ['mask-pii: {columns: [text], patterns: [{name: a, regex: "(", replace: ""}]}', 'pattern "a": missing )'],
    ['mask-pii: {columns: [text], patterns: [{name: a, regex: "(?=x)", replace: ""}]}', 'pattern "a": invalid perl'],
    ['mask-pii: {columns: [text], patterns: [{name: a, regex: "x*", replace: ""}]}', 'matches where there is nothing'],
    [`mask-pii: {columns: [text], patterns: [{name: a, regex: "(x)", replace: '\\2'}]}`, 'has no group 2'],
    ['mask-pii: {columns: [text], patterns: [{name: email, regex: "x", replace: ""}]}', 'is taken'],
  ])('refuses %s', async (step, says) => {
    await expect(mapOn(workspace, rows, step)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(says) as string,
    });
  });
});
