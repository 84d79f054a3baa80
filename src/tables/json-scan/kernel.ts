/**
 * The JavaScript side of the WebAssembly kernel: one instance, its memory, the typed names of its functions.
 * @module
 */
import { kernelWasm } from './kernel.wasm.ts';

/** What kernel.as.ts exports; its doc comments say what each does. */
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  begin(): void;
  open(bytes: number, offset: number): void;
  run(): number;
  rowsAt(): number;
  rowCount(): number;
  blanksAt(): number;
  blankCount(): number;
  newlineCount(): number;
  crlfCount(): number;
  longestLine(): number;
  refusalCode(): number;
  refusalAt(): number;
  rootAt(): number;
}

/** A kernel instance. It serves one file at a time: `begin`, then its blocks in rising order. */
export interface Kernel {
  readonly wasm: KernelExports;
  /** The kernel's memory as it is now; it is another buffer after it has grown. */
  bytes(): Buffer;
}

/** The part of the WebAssembly API that is used; TypeScript declares it with the browser's types only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;

let compiled: object | undefined;

/** Makes a kernel instance; compiling the module is done once a thread. */
export function openKernel(): Kernel {
  compiled ??= new Module(Buffer.from(kernelWasm, 'base64'));
  let view: Buffer = Buffer.alloc(0);
  const bytes = (): Buffer => {
    if (view.buffer !== wasm.memory.buffer) view = Buffer.from(wasm.memory.buffer);
    return view;
  };
  const parseDouble = (at: number, length: number): number =>
    Number(bytes().toString('latin1', at >>> 0, (at >>> 0) + length));
  const instance = new Instance(compiled, { 'number.as': { parseDouble } });
  const wasm = instance.exports as KernelExports;
  return { wasm, bytes };
}
