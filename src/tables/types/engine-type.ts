/**
 * DuckDB's type names, as `DESCRIBE` prints them, read into a tree.
 * @module
 */

/** A type as DuckDB names it. */
export type EngineType =
  | { readonly kind: 'scalar'; readonly name: string }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly item: EngineType }
  | { readonly kind: 'struct'; readonly members: readonly { readonly name: string; readonly type: EngineType }[] }
  | { readonly kind: 'map'; readonly key: EngineType; readonly value: EngineType }
  | { readonly kind: 'enum' }
  | { readonly kind: 'union' };

/**
 * Reads a type name.
 * @throws TypeError when the text is none; names come from the engine, so that is a fault here.
 */
export function parseEngineType(text: string): EngineType {
  let at = 0;

  function fail(): never {
    throw new TypeError(`cannot read the type "${text}" at ${at}`);
  }
  function skip(token: string): boolean {
    while (text[at] === ' ') at++;
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  }
  function expect(token: string): void {
    if (!skip(token)) fail();
  }
  function quoted(quote: string): string {
    expect(quote);
    let name = '';
    for (;;) {
      const end = text.indexOf(quote, at);
      if (end < 0) fail();
      name += text.slice(at, end);
      at = end + 1;
      if (text[at] !== quote) return name;
      name += quote;
      at++;
    }
  }
  function matched(pattern: RegExp): string {
    while (text[at] === ' ') at++;
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? fail();
    at += found.length;
    return found;
  }
  function members(): { name: string; type: EngineType }[] {
    const list: { name: string; type: EngineType }[] = [];
    expect('(');
    do {
      while (text[at] === ' ') at++;
      const name = text[at] === '"' ? quoted('"') : matched(/[^\s",()]+/y);
      list.push({ name, type: type() });
    } while (skip(','));
    expect(')');
    return list;
  }
  function base(): EngineType {
    while (text[at] === ' ') at++;
    if (text[at] === '"') return { kind: 'scalar', name: quoted('"') };
    const name = matched(/[A-Za-z_][A-Za-z0-9_]*/y).toUpperCase();
    if (name === 'STRUCT') return { kind: 'struct', members: members() };
    if (name === 'UNION') {
      members();
      return { kind: 'union' };
    }
    if (name === 'MAP') {
      expect('(');
      const key = type();
      expect(',');
      const value = type();
      expect(')');
      return { kind: 'map', key, value };
    }
    if (name === 'ENUM') {
      expect('(');
      do quoted("'");
      while (skip(','));
      expect(')');
      return { kind: 'enum' };
    }
    if (name === 'DECIMAL') {
      expect('(');
      const precision = Number(matched(/\d+/y));
      expect(',');
      const scale = Number(matched(/\d+/y));
      expect(')');
      return { kind: 'decimal', precision, scale };
    }
    if ((name === 'TIMESTAMP' || name === 'TIME') && skip('WITH TIME ZONE')) {
      return { kind: 'scalar', name: `${name} WITH TIME ZONE` };
    }
    return { kind: 'scalar', name };
  }
  function type(): EngineType {
    let found = base();
    while (text[at] === '[') {
      matched(/\[\d*\]/y);
      found = { kind: 'list', item: found };
    }
    return found;
  }

  const found = type();
  if (at !== text.length) fail();
  return found;
}
