import { Group, Matrix4, MeshPhongMaterial, Vector3, type InstancedMesh } from 'three';
import { expect, test } from 'vitest';
import { ContactMarks } from '../../../../dashboards/scene/contact-marks.ts';

type Marks = Pick<InstancedMesh, 'count' | 'getMatrixAt'>;

const LOOKS = {
  pointRgba: [0.9, 0.6, 0.2, 1],
  forceRgba: [0.7, 0.9, 0.9, 1],
  pointRadius: 0.03,
  pointHalfHeight: 0.01,
  forceRadius: 0.01,
  metresPerNewton: 0.02,
} as const;

const LOOK = new MeshPhongMaterial();

function drawn(contacts: readonly (readonly number[])[]): Marks[] {
  const root = new Group();
  new ContactMarks(LOOKS, { point: LOOK, force: LOOK }, root).show(Float32Array.from(contacts.flat()));
  return root.children as unknown as Marks[];
}

/** Where a point of an instance's own shape is in the world. */
function place(mesh: Marks, index: number, point: Vector3): number[] {
  const matrix = new Matrix4();
  mesh.getMatrixAt(index, matrix);
  return point
    .applyMatrix4(matrix)
    .toArray()
    .map((each) => Number(each.toFixed(5)));
}

test('a force is an arrow of half its length from the contact, a contact a disc across its normal', () => {
  // 30 N upwards at (1, 2, 0), where the bodies overlap by 4 cm.
  const [points, shafts, heads] = drawn([[1, 2, 0, 0, 0, 1, 0, 0, 30, -0.04, 1]]);
  expect([points!.count, shafts!.count, heads!.count]).toEqual([1, 1, 1]);
  expect(place(points!, 0, new Vector3(0, 0.5, 0))).toEqual([1, 2, 0.02]);
  expect(place(shafts!, 0, new Vector3(0, -0.5, 0))).toEqual([1, 2, 0]);
  expect(place(shafts!, 0, new Vector3(0, 0.5, 0))).toEqual([1, 2, 0.2]);
  expect(place(heads!, 0, new Vector3(0, -0.5, 0))).toEqual([1, 2, 0.2]);
  expect(place(heads!, 0, new Vector3(0, 0.5, 0))).toEqual([1, 2, 0.3]);
});

test('two bodies that can move get an arrow each; a contact without force gets none', () => {
  const [points, shafts, heads] = drawn([
    [0, 0, 0, 0, 0, 1, 10, 0, 0, 0, 2],
    [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0],
  ]);
  expect([points!.count, shafts!.count, heads!.count]).toEqual([2, 2, 2]);
  expect(place(heads!, 0, new Vector3(0, 0.5, 0))).toEqual([0.1, 0, 0]);
  expect(place(heads!, 1, new Vector3(0, 0.5, 0))).toEqual([-0.1, 0, 0]);
});

test('more contacts than are drawn, or none, are no fault', () => {
  const many = Array.from({ length: 90 }, () => [0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2]);
  expect(drawn(many).map(({ count }) => count)).toEqual([64, 128, 128]);
  expect(drawn([]).map(({ count }) => count)).toEqual([0, 0, 0]);
});
