import type { DataType, Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/**
 * The parts of `@tensorflow/tfjs-node-gpu` 4.22 that recording relies on. The package types them as private or not at
 * all; `backend.ts` checks their presence once, when it loads the library.
 */
export interface NativeLibrary {
  readonly backend: NativeKernelBackend;
  readonly messages: ProtocolBufferMessages;
}

export interface NativeKernelBackend {
  binding: NativeBinding;
  getDTypeInteger(dtype: DataType): number;
  executeSingleOutput(name: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[]): Tensor;
  readSync(dataId: object): unknown;
  read(dataId: object): Promise<unknown>;
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(
    sessionId: number,
    inputs: readonly Tensor[],
    inputInfos: readonly { readonly name: string }[],
    outputNames: readonly string[],
  ): Tensor[];
  deleteSavedModel(sessionId: number): void;
  getNumOfTFTensors(): number;
  getNumOfSavedModels(): number;
}

/** The compiled addon. Its properties are read-only and not enumerable. */
export interface NativeBinding {
  createTensor(shape: number[], dtype: number, values: unknown): number;
  tensorDataSync(tensorId: number): ArrayBufferView;
  deleteTensor(tensorId: number): void;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputIds: number[],
    outputCount: number,
  ): TensorMetadata[];
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** TensorFlow's own protocol buffer classes, as far as a graph needs them; they come with the package. */
export interface ProtocolBufferMessages {
  readonly SavedModel: MessageClass<SavedModelMessage>;
  readonly MetaGraphDef: MessageClass<MetaGraphMessage> & { readonly MetaInfoDef: MessageClass<MetaInfoMessage> };
  readonly GraphDef: MessageClass<GraphMessage>;
  readonly VersionDef: MessageClass<VersionMessage>;
  readonly NodeDef: MessageClass<NodeMessage>;
  readonly AttrValue: MessageClass<AttributeMessage> & { readonly ListValue: MessageClass<ListMessage> };
  readonly Tensor: MessageClass<TensorMessage>;
  readonly TensorShape: MessageClass<ShapeMessage> & { readonly Dim: MessageClass<DimensionMessage> };
}

type MessageClass<T> = new () => T;

interface SavedModelMessage {
  setSavedModelSchemaVersion(version: number): void;
  addMetaGraphs(graph: MetaGraphMessage): void;
  serializeBinary(): Uint8Array;
}
interface MetaGraphMessage {
  setMetaInfoDef(info: MetaInfoMessage): void;
  setGraphDef(graph: GraphMessage): void;
}
interface MetaInfoMessage {
  addTags(tag: string): void;
}
export interface GraphMessage {
  setNodeList(nodes: NodeMessage[]): void;
  setVersions(versions: VersionMessage): void;
}
interface VersionMessage {
  setProducer(version: number): void;
}
export interface NodeMessage {
  setName(name: string): void;
  setOp(op: string): void;
  setInputList(inputs: string[]): void;
  getAttrMap(): { set(name: string, value: AttributeMessage): void };
}
export interface AttributeMessage {
  setS(value: string | Uint8Array): void;
  setI(value: number): void;
  setF(value: number): void;
  setB(value: boolean): void;
  setType(value: number): void;
  setShape(value: ShapeMessage): void;
  setTensor(value: TensorMessage): void;
  setList(value: ListMessage): void;
}
interface ListMessage {
  setIList(values: number[]): void;
  setFList(values: number[]): void;
  setBList(values: boolean[]): void;
}
export interface TensorMessage {
  setDtype(dtype: number): void;
  setTensorShape(shape: ShapeMessage): void;
  setTensorContent(bytes: Uint8Array): void;
}
export interface ShapeMessage {
  addDim(dimension: DimensionMessage): void;
}
interface DimensionMessage {
  setSize(size: number): void;
}
