import type { ConstantData, GraphAttribute, GraphNode } from './graph.ts';
import type {
  AttributeMessage,
  NodeMessage,
  ProtocolBufferMessages,
  ShapeMessage,
  TensorMessage,
} from './native-library.ts';

/** A graph node as TensorFlow's `NodeDef` message. */
export function nodeDef(messages: ProtocolBufferMessages, node: GraphNode): NodeMessage {
  const message = new messages.NodeDef();
  message.setName(node.name);
  message.setOp(node.op);
  message.setInputList([...node.inputs]);
  const attributes = message.getAttrMap();
  for (const [name, attribute] of Object.entries(node.attributes)) {
    attributes.set(name, attributeMessage(messages, attribute));
  }
  return message;
}

function attributeMessage(messages: ProtocolBufferMessages, attribute: GraphAttribute): AttributeMessage {
  const message = new messages.AttrValue();
  switch (attribute.kind) {
    case 'string':
      message.setS(Buffer.from(attribute.value));
      break;
    case 'type':
      message.setType(attribute.value);
      break;
    case 'shape':
      message.setShape(shapeMessage(messages, attribute.value));
      break;
    case 'constant':
      message.setTensor(tensorMessage(messages, attribute.value));
      break;
    case 'int':
    case 'float':
    case 'bool':
      setNumbers(messages, message, attribute);
      break;
  }
  return message;
}

type NumberAttribute = Extract<GraphAttribute, { kind: 'int' | 'float' | 'bool' }>;

function setNumbers(messages: ProtocolBufferMessages, message: AttributeMessage, attribute: NumberAttribute): void {
  const list = new messages.AttrValue.ListValue();
  switch (attribute.kind) {
    case 'int':
      if (typeof attribute.value === 'number') message.setI(attribute.value);
      else list.setIList([...attribute.value]);
      break;
    case 'float':
      if (typeof attribute.value === 'number') message.setF(attribute.value);
      else list.setFList([...attribute.value]);
      break;
    case 'bool':
      if (typeof attribute.value === 'boolean') message.setB(attribute.value);
      else list.setBList([...attribute.value]);
      break;
  }
  if (Array.isArray(attribute.value)) message.setList(list);
}

function tensorMessage(messages: ProtocolBufferMessages, { dtype, shape, bytes }: ConstantData): TensorMessage {
  const message = new messages.Tensor();
  message.setDtype(dtype);
  message.setTensorShape(shapeMessage(messages, shape));
  message.setTensorContent(bytes);
  return message;
}

function shapeMessage(messages: ProtocolBufferMessages, shape: readonly number[]): ShapeMessage {
  const message = new messages.TensorShape();
  for (const length of shape) {
    const dimension = new messages.TensorShape.Dim();
    dimension.setSize(length);
    message.addDim(dimension);
  }
  return message;
}
