import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { L2mError } from '../errors.ts';
import type { GraphNode } from './graph.ts';
import type { NativeKernelBackend, NativeLibrary, ProtocolBufferMessages } from './native-library.ts';
import { nodeDef } from './node-def.ts';

/** Any version from TensorFlow 2.9 on: tells the loader that no operation needs its behaviour of older releases. */
const GRAPH_PRODUCER = 987;
const MODEL_TAG = 'l2m';
/** A protocol buffer message cannot be larger. */
const MAX_GRAPH_BYTES = 2 ** 31 - 1;

/** A graph inside TensorFlow, ready to run. Any subset of its nodes can be fed and fetched. */
export class GraphSession {
  readonly byteCount: number;
  readonly #backend: NativeKernelBackend;
  readonly #sessionId: number;
  #disposed = false;

  private constructor(backend: NativeKernelBackend, sessionId: number, byteCount: number) {
    this.#backend = backend;
    this.#sessionId = sessionId;
    this.byteCount = byteCount;
  }

  /**
   * Hands the graph to TensorFlow as a SavedModel, the one way in that the binding has, through a folder that is gone when
   * this returns.
   *
   * @throws L2M_CAPTURE_REFUSED if the graph is too large or TensorFlow does not take it
   */
  static load(library: NativeLibrary, nodes: readonly GraphNode[]): GraphSession {
    const bytes = savedModel(library.messages, nodes);
    let folder: string | undefined;
    try {
      folder = mkdtempSync(path.join(tmpdir(), 'l2m-graph-'));
      writeFileSync(path.join(folder, 'saved_model.pb'), bytes);
      const sessionId = library.backend.loadSavedModelMetaGraph(folder, MODEL_TAG);
      return new GraphSession(library.backend, sessionId, bytes.length);
    } catch (error) {
      throw new L2mError('L2M_CAPTURE_REFUSED', `TensorFlow does not load it: ${messageOf(error)}`, { cause: error });
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** @returns new tensors, the caller's; no data passes through JavaScript. @throws L2M_GRAPH_FAILED */
  run(feeds: readonly { readonly name: string }[], tensors: readonly Tensor[], fetches: readonly string[]): Tensor[] {
    if (this.#disposed) throw new L2mError('L2M_GRAPH_FAILED', 'it was disposed before');
    try {
      return this.#backend.runSavedModel(this.#sessionId, tensors, feeds, fetches);
    } catch (error) {
      throw new L2mError('L2M_GRAPH_FAILED', messageOf(error), { cause: error });
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.deleteSavedModel(this.#sessionId);
  }
}

function savedModel(messages: ProtocolBufferMessages, nodes: readonly GraphNode[]): Uint8Array {
  const constantBytes = nodes.reduce((total, node) => total + constantSize(node), 0);
  if (constantBytes > MAX_GRAPH_BYTES) {
    const got = `its constants take ${constantBytes} bytes, a graph at most ${MAX_GRAPH_BYTES}: pass weights as inputs`;
    throw new L2mError('L2M_CAPTURE_REFUSED', got);
  }
  const versions = new messages.VersionDef();
  versions.setProducer(GRAPH_PRODUCER);
  const graph = new messages.GraphDef();
  graph.setVersions(versions);
  graph.setNodeList(nodes.map((node) => nodeDef(messages, node)));
  const info = new messages.MetaGraphDef.MetaInfoDef();
  info.addTags(MODEL_TAG);
  const metaGraph = new messages.MetaGraphDef();
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graph);
  const model = new messages.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.addMetaGraphs(metaGraph);
  return model.serializeBinary();
}

function constantSize(node: GraphNode): number {
  const value = node.attributes['value'];
  return value?.kind === 'constant' ? value.value.bytes.length : 0;
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}
