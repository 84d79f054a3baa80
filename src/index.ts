/**
 * The public door of Holdout as a library. Everything named here is kept stable; what is not named may change.
 * @module
 */

// What can go wrong.
export { HoldoutError } from './errors.ts';
export type { ErrorCode, ErrorPlace } from './errors.ts';

// Without a store: identity of files, and the leak check.
export { checkFiles, identifyFiles } from './files.ts';
export type { FilesIdentity, FilesToCheck } from './files.ts';

// The store.
export { Store } from './store/store.ts';
export type { JournalState, VersionEntry } from './store/journal-state.ts';

// The one door to DuckDB, and tables read through it.
export { Engine } from './engine/engine.ts';
export type { EngineOptions } from './engine/options.ts';
export { readTable } from './tables/read/read-table.ts';
export type { ReadOptions, ReadTable, SourceFile } from './tables/read/read-table-types.ts';
export { openReadTable } from './tables/read-table-reader.ts';
export { openTable } from './tables/table-reader.ts';
export type { TableReader } from './tables/table-reader.ts';
export { exportTable } from './tables/export.ts';
export type { ExportOptions, ExportResult } from './tables/export.ts';
export { itemsRootOf } from './tables/items-root.ts';

// Snapshots: make, find, list, compare, verify.
export { addDataset } from './snapshots/add.ts';
export type { AddContext, AddOptions, AddResult } from './snapshots/add.ts';
export { listNames, logOf, resolveVersion, showVersion } from './snapshots/versions.ts';
export type { NamedVersion, VersionDetails } from './snapshots/versions.ts';
export { diffTables } from './snapshots/diff.ts';
export type { DiffOptions, TableDiff } from './snapshots/diff.ts';
export { statusOf } from './snapshots/status.ts';
export type { SourceStatus } from './snapshots/status.ts';
export { exportRaw } from './snapshots/raw-files.ts';
export { verifyStore } from './snapshots/verify.ts';
export type { VerifyOptions, VerifyResult } from './snapshots/verify.ts';

// Lineage: steps, their replay, and where a row came from.
export { defineTransform } from './lineage/transform.ts';
export type { StepContext, StepDefinition, Transform } from './lineage/transform.ts';
export type { StepOutput } from './lineage/step-output.ts';
export { runStep } from './lineage/run-step.ts';
export type { StepInput, StepResult, StepRun } from './lineage/run-step.ts';
export { deriveVersion } from './lineage/derive-version.ts';
export type { DerivedVersion, VersionRun } from './lineage/derive-version.ts';
export { deriveChain, planChain } from './lineage/derive-chain.ts';
export type { ChainRun, ChainStep, DerivedChain } from './lineage/derive-chain.ts';
export { reproduceVersion } from './lineage/reproduce.ts';
export type { ReproduceRun, Reproduction, StepOutcome } from './lineage/reproduce.ts';
export { traceRows } from './lineage/trace.ts';
export type { RowSource } from './lineage/row-source.ts';

// The leak check over open tables.
export { checkLeaks } from './leakage/check-leaks.ts';
export type { CheckOptions, CheckResult } from './leakage/check-leaks.ts';
export { checkFields, recogniseFields } from './leakage/fields.ts';
export type { Evidence } from './leakage/evidence.ts';
export type { NamedEval, NamedTable } from './leakage/types.ts';

// Pins in a model's folder.
export { createPin, readPin, writePin } from './models/pin.ts';
export type { GivenScore, PinContent, WrittenPin } from './models/pin.ts';
export { verifyPin } from './models/verify-pin.ts';
export type { DataAtHand, DataSources, PinVerification } from './models/verify-pin.ts';
export { comparePins } from './models/compare-pins.ts';
export type { ComparedScore, PinComparison } from './models/compare-pins.ts';

// Stored records and reports, with the schemas that check them.
export { leakReport } from '../schemas/leak-report.ts';
export type { HitClass, LeakHit, LeakReport, Verdict } from '../schemas/leak-report.ts';
export { pinRecord } from '../schemas/pin.ts';
export type { PinRecord, PinnedDataset, PinnedEval } from '../schemas/pin.ts';
export { tableSchema } from '../schemas/table-schema.ts';
export type { Column, ColumnType, TableSchema } from '../schemas/table-schema.ts';
export type { FieldRoles, Role, SnapshotRecord } from '../schemas/records.ts';
export type { SetRoot, Sha256Id, TableId } from '../schemas/ids.ts';
