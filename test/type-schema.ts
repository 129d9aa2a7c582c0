/** JSON schemas of records, written from their TypeScript types, so that they cannot say anything else. */
import { join } from 'node:path';
import ts from 'typescript';

const project = join(import.meta.dirname, '../..');

/** A schema, as data. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * The schema of one line of a stream, whose type is a union on `kind`: `lineSchema('agent/records/dkms/message.ts', 'DkmsMessage')`. Each member
 * is described by the comment above it; members are in the order of their kinds.
 */
export function lineSchema(file: string, name: string, shared: Schema): readonly Schema[] {
  const path = join(project, file);
  const program = ts.createProgram([path], {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  if (source === undefined) throw new Error(`${file} is not there`);
  const alias = source.statements.find(
    (each): each is ts.TypeAliasDeclaration => ts.isTypeAliasDeclaration(each) && each.name.text === name,
  );
  if (alias === undefined) throw new Error(`${file} has no type ${name}`);
  const type = checker.getTypeAtLocation(alias);
  const members = type.isUnion() ? type.types : [type];
  const writer = new SchemaWriter(checker, alias);
  return members
    .map((member) => ({
      kind: kindOf(checker, member, alias),
      schema: { ...describe(member), ...writer.object(member, shared) },
    }))
    .toSorted(byText)
    .map(({ schema }) => schema);
}

/** The words of a member's `kind`, by which members are sorted. */
function kindOf(checker: ts.TypeChecker, member: ts.Type, place: ts.Node): string {
  const symbol = checker.getPropertyOfType(member, 'kind');
  return symbol === undefined ? '' : checker.typeToString(checker.getTypeOfSymbolAtLocation(symbol, place));
}

/** The comment above a member of a union, if there is one. */
function describe(type: ts.Type): Schema {
  const node = type.symbol?.declarations?.[0];
  if (node === undefined || !ts.isTypeLiteralNode(node) || !ts.isUnionTypeNode(node.parent)) return {};
  const { types } = node.parent;
  const at = types.indexOf(node);
  const text = node.getSourceFile().text.slice(types[at - 1]?.end ?? node.parent.pos, node.pos);
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  return comment === undefined ? {} : { description: comment.replaceAll(/\s*\n\s*\* ?/g, ' ').trim() };
}

class SchemaWriter {
  readonly #checker: ts.TypeChecker;
  readonly #place: ts.Node;

  constructor(checker: ts.TypeChecker, place: ts.Node) {
    this.#checker = checker;
    this.#place = place;
  }

  /** An object with its properties; one that may be undefined is not there then. */
  object(type: ts.Type, shared: Schema = {}): Schema {
    const properties: Record<string, unknown> = { ...shared };
    const required = Object.keys(shared);
    for (const symbol of this.#checker.getPropertiesOfType(type)) {
      const whole = this.#checker.getTypeOfSymbolAtLocation(symbol, this.#place);
      const mayLack = (symbol.flags & ts.SymbolFlags.Optional) !== 0 || this.#parts(whole).some(isUndefined);
      const comment = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)).replaceAll('\n', ' ');
      properties[symbol.name] = { ...(comment === '' ? {} : { description: comment }), ...this.#value(whole) };
      if (!mayLack) required.push(symbol.name);
    }
    return { type: 'object', additionalProperties: false, required, properties };
  }

  #parts(type: ts.Type): readonly ts.Type[] {
    return type.isUnion() ? type.types : [type];
  }

  #value(type: ts.Type): Schema {
    const parts = this.#parts(type).filter((part) => !isUndefined(part));
    const literals = parts.flatMap((part) => (part.isStringLiteral() || part.isNumberLiteral() ? [part.value] : []));
    if (parts.length > 0 && literals.length === parts.length)
      return literals.length === 1 ? { const: literals[0] } : { enum: literals.toSorted(byText) };
    if (parts.every((part) => (part.flags & ts.TypeFlags.BooleanLike) !== 0)) return { type: 'boolean' };
    const [first] = parts;
    if (first === undefined) throw new Error('a property that is always undefined');
    if (parts.length > 1)
      return {
        oneOf: parts.map((part) => this.#value(part)).toSorted(byText),
      };
    if ((first.flags & ts.TypeFlags.StringLike) !== 0) return { type: 'string' };
    if ((first.flags & ts.TypeFlags.NumberLike) !== 0) return { type: 'number' };
    if (this.#checker.isArrayType(first)) {
      const [element] = this.#checker.getTypeArguments(first as ts.TypeReference);
      return element === undefined ? { type: 'array' } : { type: 'array', items: this.#value(element) };
    }
    return this.object(first);
  }
}

/** The compiler's own order of union members is that of their first use. */
function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function isUndefined(type: ts.Type): boolean {
  return (type.flags & ts.TypeFlags.Undefined) !== 0;
}
