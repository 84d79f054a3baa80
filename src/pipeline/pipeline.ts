/**
 * A pipeline as it is run: what `holdout.yaml` says, checked, names resolved to what they mean.
 * @module
 */
import type { FieldRole, FieldRoles, Role } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { PreparedStep } from '../lineage/transform.ts';
import type { SourceFormat } from '../tables/read/read-table-types.ts';
import type { Place } from './yaml-places.ts';

/** Where a pipeline file says what a dataset is read from. */
export interface FilePlaces {
  readonly files: readonly Place[];
  readonly fields: Readonly<Partial<Record<FieldRole, readonly Place[]>>>;
}

/** A dataset, or an eval set, that is read from files. */
export interface FileNode {
  readonly kind: 'files';
  readonly name: string;
  readonly section: 'datasets' | 'evals';
  /** The pipeline file, as messages name it. */
  readonly file: string;
  readonly place: Place;
  /** Where it names each of `files`, and each column of `fields`. */
  readonly places: FilePlaces;
  /** As `holdout add` takes them, relative to the folder of the pipeline file. */
  readonly files: readonly string[];
  readonly role: Role;
  /** Undefined: those recognised, of an eval set. */
  readonly fields: FieldRoles | undefined;
  readonly schema: TableSchema | undefined;
  readonly infer: boolean;
  readonly raw: boolean;
  readonly format: SourceFormat | undefined;
}

/** A step of a derived dataset. */
export interface NodeStep {
  /** The name that the file gives it, else the step's own. */
  readonly label: string;
  readonly step: PreparedStep;
  readonly place: Place;
}

/** A dataset that is made of others. */
export interface DerivedNode {
  readonly kind: 'derived';
  readonly name: string;
  readonly section: 'datasets';
  /** The pipeline file, as messages name it. */
  readonly file: string;
  readonly place: Place;
  /** What the first step reads. */
  readonly from: string;
  /** At least one. */
  readonly steps: readonly NodeStep[];
  /** Every dataset that it is made of, `from` first, each once: names of this file, or references into the store. */
  readonly needs: readonly string[];
}

export type PipelineNode = FileNode | DerivedNode;

/** A check of training sets against eval sets. */
export interface PipelineCheck {
  /** `train against gsm8k`; no two are equal. */
  readonly label: string;
  readonly trains: readonly string[];
  readonly evals: readonly string[];
  readonly failOn: 'leak' | 'suspect';
  readonly allowIncomplete: boolean;
  readonly place: Place;
}

/** A pipeline file, read. */
export interface Pipeline {
  /** The file, as it was found. */
  readonly file: string;
  /** Datasets and eval sets; each stands behind all that it needs. */
  readonly nodes: readonly PipelineNode[];
  readonly checks: readonly PipelineCheck[];
}
