/** A part of a demangled C++ name or type. */
export type CxxNode =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'nested'; readonly scope: CxxNode; readonly name: CxxNode }
  | { readonly kind: 'template'; readonly base: CxxNode; readonly args: readonly CxxNode[] }
  | { readonly kind: 'tagged'; readonly base: CxxNode; readonly tag: string }
  /** A constructor or destructor is called as its class. */
  | { readonly kind: 'structor'; readonly of: CxxNode; readonly destroys: boolean }
  | { readonly kind: 'conversion'; readonly type: CxxNode }
  | { readonly kind: 'lambda'; readonly parameters: readonly CxxNode[]; readonly index: number }
  | { readonly kind: 'local'; readonly function: CxxNode; readonly entity: CxxNode }
  | FunctionNode
  | { readonly kind: 'special'; readonly prefix: string; readonly of: CxxNode; readonly suffix?: CxxNode }
  | { readonly kind: 'clone'; readonly of: CxxNode; readonly suffix: string }
  | { readonly kind: 'pointer'; readonly to: CxxNode; readonly mark: '*' | '&' | '&&' }
  | { readonly kind: 'qualified'; readonly type: CxxNode; readonly qualifiers: string }
  | FunctionTypeNode
  | { readonly kind: 'array'; readonly of: CxxNode; readonly size: CxxNode | undefined }
  | { readonly kind: 'member-pointer'; readonly of: CxxNode; readonly member: CxxNode }
  /** Text that stands after a type: `_Complex`, vector sizes. */
  | { readonly kind: 'suffixed'; readonly type: CxxNode; readonly suffix: readonly (string | CxxNode)[] }
  | { readonly kind: 'pack'; readonly nodes: readonly CxxNode[] }
  | { readonly kind: 'expansion'; readonly pattern: CxxNode }
  | ParameterNode
  | ExpressionNode;

/** A template's parameter; it may be named before its template's arguments. In a lambda it is one of the lambda's own: `auto:1`. */
export interface ParameterNode {
  readonly kind: 'parameter';
  readonly target: { node: CxxNode | undefined };
  readonly index: number;
  readonly ofLambda: boolean;
}

/** A function with what its symbol tells of its type. */
export interface FunctionNode {
  readonly kind: 'function';
  readonly name: CxxNode;
  readonly returns: CxxNode | undefined;
  readonly parameters: readonly CxxNode[];
  /** ` const`, ` &` and so on. */
  readonly qualifiers: string;
}

export interface FunctionTypeNode {
  readonly kind: 'function-type';
  readonly returns: CxxNode | undefined;
  readonly parameters: readonly CxxNode[];
  readonly qualifiers: string;
}

export type ExpressionNode =
  | { readonly kind: 'literal'; readonly type: CxxNode; readonly value: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: CxxNode }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: CxxNode; readonly right: CxxNode }
  | { readonly kind: 'conditional'; readonly parts: readonly [CxxNode, CxxNode, CxxNode] }
  | { readonly kind: 'call'; readonly callee: CxxNode; readonly args: readonly CxxNode[] }
  | { readonly kind: 'cast'; readonly type: CxxNode; readonly args: readonly CxxNode[] }
  | { readonly kind: 'named-cast'; readonly name: string; readonly type: CxxNode; readonly operand: CxxNode }
  | { readonly kind: 'list'; readonly type: CxxNode | undefined; readonly args: readonly CxxNode[] }
  | { readonly kind: 'decltype'; readonly expression: CxxNode }
  | { readonly kind: 'pack-size'; readonly of: CxxNode }
  /** Text and parts in a row. */
  | { readonly kind: 'row'; readonly parts: readonly (string | CxxNode)[] };

export const nameNode = (text: string): CxxNode => ({ kind: 'name', text });
