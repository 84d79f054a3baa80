/**
 * What a process has sent of a batch and nobody has taken yet, in order. Who sends is told how many bytes wait.
 * @module
 */
import type { BatchPiece } from './module-messages.ts';

/** The pieces of one batch, for one reader. */
export class PieceQueue {
  readonly #pieces: BatchPiece[] = [];
  readonly #onTaken: (bytes: number) => void;
  #ended = false;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  /** @param onTaken told the bytes of each piece when it is taken */
  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken;
  }

  push(piece: BatchPiece): void {
    this.#pieces.push(piece);
    this.#ended = piece.states !== null;
    this.#wake();
  }

  /** What came before is not read any more. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  /** @throws Error as `fail` was told */
  async *[Symbol.asyncIterator](): AsyncGenerator<BatchPiece> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#onTaken(pieceBytes(piece));
        yield piece;
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** What a piece takes. */
export function pieceBytes({ text, outputs, states }: BatchPiece): number {
  return text.length + outputs.byteLength + (states?.length ?? 0);
}
