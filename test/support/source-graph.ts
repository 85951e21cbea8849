import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const TYPESCRIPT = /\.(ts|tsx|mjs)$/;
const LEFT_OUT = new Set(['node_modules', 'dist', '__pycache__', 'generated']);

export interface Import {
  /** As written: a package or a relative path. */
  readonly specifier: string;
  readonly line: number;
  /** False for `import type`, which leaves nothing behind at run time. */
  readonly atRunTime: boolean;
}

export interface SourceFile {
  /** From the root of the checkout, with forward slashes. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Line of a default export, if there is one. */
  readonly defaultExportLine: number | undefined;
}

/** Files below a folder of the checkout whose names match, sorted. */
export function filesBelow(folder: string, matching: RegExp): readonly string[] {
  const here = path.join(ROOT, folder);
  if (!existsSync(here)) return [];
  return readdirSync(here, { withFileTypes: true })
    .flatMap((entry) => {
      const child = `${folder}/${entry.name}`;
      if (entry.isDirectory())
        return LEFT_OUT.has(entry.name) || entry.name.startsWith('.') ? [] : filesBelow(child, matching);
      return matching.test(entry.name) ? [child] : [];
    })
    .sort();
}

export function readSources(folder: string): readonly SourceFile[] {
  return filesBelow(folder, TYPESCRIPT).map(readSource);
}

function readSource(file: string): SourceFile {
  return parseSource(file, readFileSync(path.join(ROOT, file), 'utf8'));
}

export function parseSource(file: string, text: string): SourceFile {
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  let defaultExportLine: number | undefined;
  const lineOf = (node: ts.Node) => parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push({ specifier, line: lineOf(node), atRunTime: !isTypeOnly(node) });
    if (isDefaultExport(node)) defaultExportLine = lineOf(node);
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return { file, text, imports, defaultExportLine };
}

function specifierOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return node.argument.literal.text;
  }
  return undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return false;
  const { phaseModifier, name, namedBindings } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

/** The file of the checkout that an import leads to; undefined for packages. */
export function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(file), specifier);
}

/** `@scope/name/inner` -> `@scope/name`; `node:fs` stays. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

/** One cycle as the list of its files, first and last the same; undefined where there is none. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const trail: string[] = [];
  const walk = (file: string): readonly string[] | undefined => {
    if (finished.has(file)) return undefined;
    const seenAt = trail.indexOf(file);
    if (seenAt >= 0) return [...trail.slice(seenAt), file];
    trail.push(file);
    for (const next of edges.get(file) ?? []) {
      const cycle = walk(next);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    finished.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = walk(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
