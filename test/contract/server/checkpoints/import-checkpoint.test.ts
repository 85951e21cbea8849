import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomSource } from '../../../../agent/random.ts';
import { importCheckpoint } from '../../../../server/checkpoints/import-checkpoint.ts';
import { L2mError } from '../../../../server/errors.ts';
import { openZip } from '../../../../server/checkpoints/zip-archive.ts';
import { zipOf, type ZipContent } from '../../../support/zip-writer.ts';

const GOLDEN = join(import.meta.dirname, '../../../golden/agent/reference/mddt.checkpoint.zip');

let folder = '';
let inner: ZipContent[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'l2m-import-'));
  inner = await contentsOf(Buffer.from((await contentsOf(GOLDEN)).find(({ name }) => name === 'policy.pth')!.bytes));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function contentsOf(from: string | Buffer): Promise<ZipContent[]> {
  const zip = await openZip({ from, where: 'golden', code: 'L2M_CHECKPOINT_INVALID' });
  const contents: ZipContent[] = [];
  for (const name of zip.names) contents.push({ name, bytes: await zip.read(name, 2 ** 30) });
  zip.close();
  return contents;
}

async function importBytes(bytes: Buffer, changes: { heads?: number; folder?: string } = {}) {
  const file = join(folder, 'try.zip');
  await writeFile(file, bytes);
  return importCheckpoint(file, {
    ...{ heads: 2, name: 'try', overwrite: false, ...changes },
    provenance: { command: 'test', commit: 'unknown', versions: {} },
  });
}

const wrapped = (contents: readonly ZipContent[]) => zipOf([{ name: 'policy.pth', bytes: zipOf(contents) }]);
const without = (suffix: string) => inner.filter(({ name }) => !name.endsWith(suffix));
const changed = (suffix: string, change: Partial<ZipContent>) =>
  inner.map((content) => (content.name.endsWith(suffix) ? { ...content, ...change } : content));
const pickle = () => Buffer.from(inner.find(({ name }) => name.endsWith('data.pkl'))!.bytes);
const pickleWith = (from: string, to: string) =>
  Buffer.from(pickle().toString('latin1').replaceAll(from, to), 'latin1');

describe('import of a checkpoint', () => {
  test('reads the outer zip, the inner zip alone, packed or stored', async () => {
    for (const bytes of [
      await readFile(GOLDEN),
      wrapped(inner),
      zipOf(inner),
      wrapped(inner.map((content) => ({ ...content, deflated: true }))),
    ]) {
      const report = await importBytes(bytes);
      expect(report.missing).toEqual([]);
      expect(report.used).toHaveLength(39);
    }
  });

  test('names what is missing, and writes nothing then', async () => {
    const bytes = wrapped(changed('data.pkl', { bytes: pickleWith('encoder.ln_f.bias', 'encoder.ln_f.bios') }));
    const report = await importBytes(bytes);
    expect(report.missing).toEqual(['encoder.ln_f.bias']);
    expect(report.skipped).toContainEqual({ name: 'encoder.ln_f.bios', reason: 'unknown to this model' });
    await expect(importBytes(bytes, { folder: join(folder, 'out') })).rejects.toMatchObject({
      code: 'L2M_CHECKPOINT_INVALID',
      message: expect.stringContaining('encoder.ln_f.bias') as string,
    });
    expect(await readdir(folder)).not.toContain('out');
  });

  test('drops one leading module. and ignores attributes of the dictionary', async () => {
    // SETITEMS, STOP at the end: put attributes in between, as PyTorch does for a module's state.
    const attributes = Buffer.from('}X\x09\x00\x00\x00_metadata}sb', 'latin1');
    const bytes = Buffer.concat([pickle().subarray(0, -1), attributes, Buffer.from('.')]);
    const report = await importBytes(wrapped(changed('data.pkl', { bytes })));
    expect(report.missing).toEqual([]);
    const name = 'embed_ln.bias';
    const prefixed = `module.${name}`;
    const renamed = pickleWith(
      `${String.fromCharCode(name.length)}\0\0\0${name}`,
      `${String.fromCharCode(prefixed.length)}\0\0\0${prefixed}`,
    );
    expect((await importBytes(wrapped(changed('data.pkl', { bytes: renamed })))).used).toContain(name);
  });

  const dangerous = 'cos\nsystem\nX\x04\x00\x00\x00echo\x85R.';
  const cases: readonly (readonly [what: string, bytes: () => Buffer, message: RegExp])[] = [
    ['no zip', () => Buffer.from('hello, I am no zip archive at all'), /end of central directory/i],
    ['an empty file', () => Buffer.alloc(0), /end of central directory/i],
    ['a zip without a policy', () => zipOf([{ name: 'data', bytes: Buffer.from('{}') }]), /no policy\.pth/],
    ['a policy saved before PyTorch 1.6', () => zipOf([{ name: 'policy.pth', bytes: pickle() }]), /before 1\.6/],
    [
      'no pickle inside',
      () => wrapped(without('data.pkl').concat({ name: 'x/y/data.pkl', bytes: pickle() })),
      /data\.pkl/,
    ],
    [
      'a pickle that calls os.system',
      () => wrapped(changed('data.pkl', { bytes: Buffer.from(`\x80\x02${dangerous}`, 'latin1') })),
      /os\.system/,
    ],
    [
      'builtins.eval by STACK_GLOBAL',
      () => wrapped(changed('data.pkl', { bytes: Buffer.from('\x80\x04\x8c\x08builtins\x8c\x04eval\x93.', 'latin1') })),
      /builtins\.eval/,
    ],
    [
      'an opcode that builds instances',
      () => wrapped(changed('data.pkl', { bytes: Buffer.from('\x80\x02(ios\nsystem\n.', 'latin1') })),
      /opcode 0x69/,
    ],
    ['a pickle cut short', () => wrapped(changed('data.pkl', { bytes: pickle().subarray(0, 900) })), /end of the data/],
    ['a storage cut short', () => wrapped(changed('data/1', { bytes: Buffer.alloc(8) })), /instead of/],
    ['a missing storage', () => wrapped(without('/data/1')), /instead of/],
    ['big-endian numbers', () => wrapped(changed('byteorder', { bytes: Buffer.from('big') })), /byte order/],
    ['a wrong checksum', () => wrapped(changed('data/1', { claimedCrc: 7 })), /CRC/],
    ['an encrypted entry', () => wrapped(changed('data/1', { flags: 1, deflated: true })), /encrypted/],
    ['an entry twice', () => wrapped([...inner, inner[0]!]), /twice/],
    [
      'a name that leaves the folder',
      () => wrapped([...inner, { name: '../../evil', bytes: Buffer.alloc(1) }]),
      /relative path/,
    ],
    ['an absolute name', () => wrapped([...inner, { name: '/etc/evil', bytes: Buffer.alloc(1) }]), /absolute path/],
    [
      'a bomb',
      () => wrapped([...inner, { name: 'bomb', bytes: Buffer.alloc(64 * 2 ** 20), deflated: true }]),
      /claims 67108864/,
    ],
    [
      'more bytes than it claims',
      () => wrapped(changed('data/1', { deflated: true, claimedBytes: 16 })),
      /instead of|too many bytes/,
    ],
  ];
  test.each(cases)('refuses %s, with what was got', async (_, bytes, message) => {
    await expect(importBytes(bytes(), { folder: join(folder, 'out') })).rejects.toMatchObject({
      code: 'L2M_CHECKPOINT_INVALID',
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(folder)).not.toContain('out');
  });

  test('asks for the heads where no published size tells them', async () => {
    const file = GOLDEN;
    const provenance = { command: 'test', commit: 'unknown', versions: {} };
    await expect(importCheckpoint(file, { name: 'x', overwrite: false, provenance })).rejects.toMatchObject({
      code: 'L2M_CONFIG_INVALID',
      hint: expect.stringContaining('--heads') as string,
    });
  });

  test('survives damaged archives: an error with a code, or an honest report', async () => {
    const random = randomSource(5);
    const good = await readFile(GOLDEN);
    for (let round = 0; round < 150; round++) {
      const bytes = Buffer.from(good);
      // Half of the damage goes where the directories are.
      for (let flips = 0; flips <= random.below(8); flips++) {
        const at = random.uniform() < 0.5 ? bytes.length - 1 - random.below(6000) : random.below(bytes.length);
        bytes[at] = random.below(256);
      }
      const cut = random.uniform() < 0.2 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
      await importBytes(cut, { folder: join(folder, `fuzz-${round}`) }).catch((thrown: unknown) => {
        expect(thrown).toBeInstanceOf(L2mError);
        expect((thrown as L2mError).code).toMatch(/^L2M_CHECKPOINT_INVALID$/);
      });
    }
  });
});
