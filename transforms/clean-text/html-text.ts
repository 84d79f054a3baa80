/**
 * The text of HTML, by the tokenizer of the HTML standard (parse5). No tree is built: the time is linear in the text, and
 * nesting has no limit.
 * @module
 */
import { type Token, type TokenHandler, Tokenizer, TokenizerMode } from 'parse5';

/** Elements after which a paragraph ends: an empty line parts them from what follows. */
const paragraphs = new Set('p h1 h2 h3 h4 h5 h6 blockquote pre ul ol dl table'.split(' '));
/** Other elements that stand on lines of their own. */
const blocks = new Set(
  (
    'address article aside body caption center dd details dialog dir div dt fieldset figcaption figure footer form ' +
    'frameset header hgroup hr html legend li listing main menu nav optgroup option search section summary tbody tfoot ' +
    'thead tr'
  ).split(' '),
);
const cells = new Set(['td', 'th']);
/** Elements whose content is no text of the page; it goes with them. */
const silent = new Set('script style template title iframe noembed noframes svg math head'.split(' '));
/** Elements in which white space counts. */
const preformatted = new Set(['pre', 'textarea', 'listing']);
const inline = new Set(
  (
    'a abbr acronym area audio b base basefont bdi bdo big blink button canvas cite code col colgroup data datalist del ' +
    'dfn em embed font i img input ins kbd label link map mark marquee meta meter nobr noscript object output param picture ' +
    'progress q rb rp rt rtc ruby s samp select slot small source span strike strong sub sup textarea time track tt u ' +
    'var video wbr br'
  ).split(' '),
);

/** How the tokenizer reads what follows these start tags. */
const contentModes: Readonly<Record<string, (typeof TokenizerMode)[keyof typeof TokenizerMode]>> = {
  script: TokenizerMode.SCRIPT_DATA,
  style: TokenizerMode.RAWTEXT,
  iframe: TokenizerMode.RAWTEXT,
  noembed: TokenizerMode.RAWTEXT,
  noframes: TokenizerMode.RAWTEXT,
  title: TokenizerMode.RCDATA,
  textarea: TokenizerMode.RCDATA,
};

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** At least so many line ends between what stands before and behind. */
  | { readonly kind: 'break'; readonly lines: number }
  | { readonly kind: 'line-end' }
  | { readonly kind: 'cell' }
  | { readonly kind: 'preformatted'; readonly depth: 1 | -1 };

/**
 * The text that a browser would show, roughly. Tags and comments of HTML go, entities become characters, scripts, styles
 * and other unseen content go, paragraphs are parted by an empty line and other blocks by a line end. What only looks like a tag
 * (`List<String>`, `<think>`, `a < b`, an unfinished tag) stays as it is. White space collapses, as in a browser, only
 * where block elements stand: a plain text with entities keeps its lines.
 */
export function htmlText(html: string): string {
  if (!html.includes('<') && !html.includes('&')) return html;
  const source = html.includes('\r') ? html.replaceAll(/\r\n?/g, '\n') : html;
  const reader = new HtmlReader(source);
  const pieces = reader.read();
  if (pieces.some(({ kind }) => kind !== 'text')) return layOut(pieces);
  return pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
}

class HtmlReader implements TokenHandler {
  readonly #source: string;
  readonly #tokenizer: Tokenizer;
  readonly #pieces: Piece[] = [];
  readonly #unclosed = new Set<string>();
  #lowered: string | null = null;
  /** Where the last token ended. */
  #end = 0;
  /** The element whose content goes, up to the first end tag of that name: no more than that can be lost. */
  #silenced: string | null = null;

  constructor(source: string) {
    this.#source = source;
    this.#tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, this);
  }

  read(): readonly Piece[] {
    this.#tokenizer.write(this.#source, true);
    return this.#pieces;
  }

  onCharacter(token: Token.CharacterToken): void {
    this.#text(token.chars);
    this.#endAt(token.location);
  }

  onWhitespaceCharacter(token: Token.CharacterToken): void {
    this.onCharacter(token);
  }

  onNullCharacter(token: Token.CharacterToken): void {
    this.onCharacter(token);
  }

  onStartTag({ tagName, location }: Token.TagToken): void {
    const raw = this.#rawOf(location);
    if (this.#silenced !== null) return;
    if (!isElement(tagName)) return this.#text(raw);
    const mode = contentModes[tagName];
    if (mode !== undefined || silent.has(tagName)) {
      // Text about a tag, not a tag: nothing closes it, so the rest would be lost.
      if (!this.#isClosed(tagName, location)) return this.#text(raw);
      if (mode !== undefined) this.#tokenizer.state = mode;
      if (silent.has(tagName)) {
        this.#silenced = tagName;
        return;
      }
    }
    this.#boundary(tagName);
    if (preformatted.has(tagName)) this.#pieces.push({ kind: 'preformatted', depth: 1 });
  }

  onEndTag({ tagName, location }: Token.TagToken): void {
    const raw = this.#rawOf(location);
    if (this.#silenced !== null) {
      if (this.#silenced === tagName) this.#silenced = null;
      return;
    }
    if (!isElement(tagName)) return this.#text(raw);
    if (preformatted.has(tagName)) this.#pieces.push({ kind: 'preformatted', depth: -1 });
    if (tagName !== 'br' && !cells.has(tagName)) this.#boundary(tagName);
  }

  onComment({ location }: Token.CommentToken): void {
    const raw = this.#rawOf(location);
    const whole = (raw.startsWith('<!--') && raw.endsWith('-->')) || (raw.startsWith('<?') && raw.endsWith('?>'));
    // `</3`, `<!important`, a comment that never ends: no markup.
    if (!whole) this.#text(raw);
  }

  onDoctype({ location }: Token.DoctypeToken): void {
    this.#endAt(location);
  }

  onEof(): void {
    // The standard drops a tag that the text ends in.
    if (this.#end < this.#source.length) this.#text(this.#source.slice(this.#end));
  }

  #endAt(location: Token.Location | null): void {
    if (location !== null) this.#end = location.endOffset;
  }

  #rawOf(location: Token.Location | null): string {
    this.#endAt(location);
    return location === null ? '' : this.#source.slice(location.startOffset, location.endOffset);
  }

  #text(text: string): void {
    if (this.#silenced === null && text !== '') this.#pieces.push({ kind: 'text', text });
  }

  #boundary(tagName: string): void {
    if (tagName === 'br') this.#pieces.push({ kind: 'line-end' });
    else if (paragraphs.has(tagName)) this.#pieces.push({ kind: 'break', lines: 2 });
    else if (blocks.has(tagName)) this.#pieces.push({ kind: 'break', lines: 1 });
    else if (cells.has(tagName)) this.#pieces.push({ kind: 'cell' });
  }

  #isClosed(tagName: string, location: Token.Location | null): boolean {
    if (this.#unclosed.has(tagName)) return false;
    this.#lowered ??= this.#source.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
    const start = `</${tagName}`;
    for (let at = location?.endOffset ?? 0; (at = this.#lowered.indexOf(start, at)) >= 0;) {
      at += start.length;
      if (' \t\n\f/>'.includes(this.#lowered[at] ?? '…')) return true;
    }
    // Then nothing further on is closed either; searching again each time would be quadratic.
    this.#unclosed.add(tagName);
    return false;
  }
}

function isElement(name: string): boolean {
  return paragraphs.has(name) || blocks.has(name) || cells.has(name) || silent.has(name) || inline.has(name);
}

/** White space of HTML: five ASCII characters; a no-break space is none. */
const htmlSpaces = /[\t\n\f\r ]+/g;

/** Lines and paragraphs, white space collapsed but in preformatted text. */
function layOut(pieces: readonly Piece[]): string {
  const out: string[] = [];
  let [breaks, depth] = [0, 0];
  /** What parts the next text from the last: nothing, a blank or a tab. */
  let gap = '';
  let atLineStart = true;
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'break':
        breaks = Math.max(breaks, piece.lines);
        break;
      case 'preformatted':
        depth = Math.max(0, depth + piece.depth);
        break;
      case 'cell':
        gap = '\t';
        break;
      case 'line-end':
        if (out.length > 0 && breaks > 0) out.push('\n'.repeat(breaks));
        out.push('\n');
        [breaks, gap, atLineStart] = [0, '', true];
        break;
      case 'text': {
        const text = depth > 0 ? piece.text : piece.text.replaceAll(htmlSpaces, ' ');
        if (text === ' ' && depth === 0) {
          gap ||= ' ';
          break;
        }
        if (breaks > 0) {
          if (out.length > 0) out.push('\n'.repeat(breaks));
          [breaks, atLineStart] = [0, true];
        }
        if (depth > 0) {
          out.push(atLineStart ? '' : gap, text);
          [gap, atLineStart] = ['', text.endsWith('\n')];
          break;
        }
        const from = text.startsWith(' ') ? 1 : 0;
        const to = text.endsWith(' ') ? text.length - 1 : text.length;
        if (from === 1) gap ||= ' ';
        out.push(atLineStart ? '' : gap, text.slice(from, to));
        [gap, atLineStart] = [to < text.length ? ' ' : '', false];
        break;
      }
    }
  }
  const text = out.join('');
  const [from, to] = [text.search(/[^\n]/), text.length];
  let end = to;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === ' ')) end -= 1;
  return from < 0 ? '' : text.slice(from, end);
}
