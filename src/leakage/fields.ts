/**
 * Which columns of an eval set hold the question, the passage, the choices, the answer and the id: by name, as public
 * sets write them, or as the person says.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { FieldRole, FieldRoles } from '../../schemas/records.ts';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import { holdsText } from './row-text.ts';

/** Names of a question, the surest first; only the first that a set has counts, with its companions. */
const questionNames = [
  ['question', 'questions', 'questiontext', 'qtext', 'questionstem', 'stem'],
  ['problem', 'problemtext', 'problemstatement'],
  ['query'],
  ['prompt'],
  ['instruction', 'instructions'],
  ['input', 'inputs'],
  ['text', 'sentence', 'statement', 'task', 'goal', 'ctx', 'content'],
];
/** Columns that are the other half of a question of that name. */
const companions: Readonly<Record<string, readonly string[]>> = {
  question: ['body'],
  instruction: ['input'],
  instructions: ['input', 'inputs'],
};
const passageNames = [
  'passage',
  'context',
  'article',
  'body',
  'story',
  'paragraph',
  'document',
  'background',
  'support',
];
const choicesNames = ['choices', 'options', 'answerchoices', 'candidates', 'endings', 'choice', 'option'];
const answerNames =
  'answer answers label labels target targets correct correctanswer goldanswer gold solution canonicalsolution groundtruth expected output response completion answerkey'.split(
    ' ',
  );
const idNames = ['id', 'qid', 'taskid', 'docid', 'questionid', 'itemid', 'exampleid', 'uid', 'uuid', 'idx', 'index'];

/**
 * The roles of a table's columns. `question` is missing where no column can be one.
 */
export function recogniseFields(schema: TableSchema): FieldRoles {
  const columns = schema.columns;
  const question = questionOf(columns) ?? nestedQuestionOf(columns) ?? onlyText(columns);
  const free = columns.filter(({ name }) => !question?.includes(name));
  const roles: Partial<Record<FieldRole, string[]>> = {};
  const add = (role: FieldRole, names: readonly string[]): void => {
    if (names.length > 0) roles[role] = [...names];
  };
  add('question', question ?? []);
  add(
    'passage',
    named(
      free.filter(({ type }) => holdsText(type)),
      passageNames,
    ),
  );
  add('choices', choicesOf(free));
  add('answer', named(free, answerNames));
  add('id', named(free, idNames));
  return roles;
}

/** What is wrong with roles of columns: of which role, and which of its columns. */
export interface WrongFields {
  readonly role: FieldRole;
  readonly index: number;
  readonly message: string;
  readonly hint: string;
}

/** The first column that does not exist, or that no question is named; null where roles fit the columns. */
export function wrongFields(schema: TableSchema, roles: FieldRoles): WrongFields | null {
  const known = schema.columns.map(({ name }) => name);
  for (const [role, paths] of Object.entries(roles)) {
    for (const [index, path] of paths.entries()) {
      const exists = known.includes(path) || known.includes(path.split('.')[0] ?? '');
      if (exists) continue;
      const near = nearestName(path, known);
      const columns = `Its columns are ${known.map((name) => `"${name}"`).join(', ')}.`;
      return {
        role: role as FieldRole,
        index,
        message: `there is no column "${path}" to be the ${role}`,
        hint: near === null ? columns : `Did you mean "${near}"? ${columns}`,
      };
    }
  }
  if (roles.question !== undefined) return null;
  const example = schema.columns.find(({ type }) => type === 'VARCHAR')?.name ?? known[0] ?? 'NAME';
  return {
    role: 'question',
    index: 0,
    message: 'none of its columns looks like a question',
    hint: `Say which one is: by --fields question=${example}, in holdout.yaml by \`fields: {question: ${example}}\`.`,
  };
}

/**
 * Checks roles that a person gave.
 * @throws HoldoutError INPUT_INVALID when a column does not exist, or no question is named.
 */
export function checkFields(schema: TableSchema, roles: FieldRoles, tableName: string): void {
  const wrong = wrongFields(schema, roles);
  if (wrong !== null) throw new HoldoutError('INPUT_INVALID', `${tableName}: ${wrong.message}`, { hint: wrong.hint });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function named(columns: readonly Column[], names: readonly string[]): string[] {
  return columns.filter(({ name }) => names.includes(plain(name))).map(({ name }) => name);
}

function questionOf(columns: readonly Column[]): string[] | null {
  const texts = columns.filter(({ type }) => holdsText(type));
  for (const names of questionNames) {
    const [found] = named(texts, names);
    if (found === undefined) continue;
    const others = companions[plain(found)] ?? [];
    return texts.filter(({ name }) => name === found || others.includes(plain(name))).map(({ name }) => name);
  }
  return null;
}

/** A question inside a struct, or inside the structs of a list, one level down. */
function nestedQuestionOf(columns: readonly Column[]): string[] | null {
  for (const { name, type } of columns) {
    const inner = typeof type === 'object' && 'list' in type ? type.list : type;
    if (typeof inner !== 'object' || !('struct' in inner)) continue;
    const found = questionOf(inner.struct);
    if (found !== null) return found.map((field) => `${name}.${field}`);
  }
  return null;
}

/** The one column of text beside answers and ids, if there is just one. */
function onlyText(columns: readonly Column[]): string[] | null {
  const texts = columns.filter(
    ({ name, type }) => type === 'VARCHAR' && ![...answerNames, ...idNames, ...choicesNames].includes(plain(name)),
  );
  const [only] = texts;
  return texts.length === 1 && only !== undefined ? [only.name] : null;
}

function choicesOf(columns: readonly Column[]): string[] {
  const found = named(columns, choicesNames);
  if (found.length > 0) return found;
  const letters = columns.filter(({ name }) => /^(?:option_?)?[A-F]$/i.test(name)).map(({ name }) => name);
  return letters.length >= 2 ? letters : [];
}
