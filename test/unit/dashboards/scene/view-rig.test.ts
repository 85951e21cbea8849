import { Mesh, Vector3 } from 'three';
import { describe, expect, test } from 'vitest';
import type { SceneGeom, SceneManifest } from '../../../../dashboards/scene/manifest.ts';
import { GHOST_LAYER, SceneModel } from '../../../../dashboards/scene/scene-model.ts';
import { ViewRig } from '../../../../dashboards/scene/view-rig.ts';

const HERE = { position: [0, 0, 0], quaternion: [1, 0, 0, 0] } as const;
const geom = (name: string, frame: number, group: number): SceneGeom => ({
  ...{ ...HERE, id: 0, name, frame, group, type: 'box', size: [0.1, 0.1, 0.1], rgba: [1, 0, 0, 1], material: -1 },
});

/** The world, two bodies, and a camera that a task moves. */
const MANIFEST: SceneManifest = {
  format: 1,
  frames: [
    { kind: 'body', name: 'world', parent: -1 },
    { kind: 'body', name: 'torso', parent: 0 },
    { kind: 'body', name: 'foot', parent: 1 },
    { kind: 'camera', name: 'side', parent: 1 },
  ],
  geoms: [geom('trunk', 1, 0), geom('sole', 2, 1), geom('hull', 1, 4)],
  sites: [geom('tip', 2, 3)],
  ...{ meshes: [], heightFields: [], materials: [], textures: [], lights: [] },
  cameras: [{ ...HERE, frame: 3, name: 'side', tracking: true, fovyDegrees: 30 }],
  view: {
    ...{ extent: 1, center: [0, 0, 0], meanSize: 0.1, zNear: 0.01, zFar: 50, skybox: -1 },
    headlight: { active: true, ambient: [0.1, 0.1, 0.1], diffuse: [0.4, 0.4, 0.4], specular: [0.5, 0.5, 0.5] },
  },
};

/** The torso at x, the foot below it; the camera in front of both. */
function posesAt(x: number): Float32Array {
  return Float32Array.from([x, 0, 1, 1, 0, 0, 0, x, 0, 0.1, 1, 0, 0, 0, 4, -3, 2, 0.6, 0.8, 0, 0]);
}

function seen(rig: ViewRig, model: SceneModel, poses: Float32Array): ViewRig['camera'] {
  rig.update(model, poses, 1);
  return rig.camera;
}

describe('the view of a tile', () => {
  test('through a camera of the model is exactly that camera, wherever a task moves it', () => {
    const model = new SceneModel(MANIFEST, new ArrayBuffer(0));
    const rig = new ViewRig('dmcontrol/walker-walk', model);
    rig.useCamera(0);
    const camera = seen(rig, model, posesAt(0));
    expect(camera.position.toArray().map((each) => Math.round(each * 1e5) / 1e5)).toEqual([4, -3, 2]);
    expect(camera.quaternion.angleTo(camera.quaternion.clone().set(0.8, 0, 0, 0.6))).toBeLessThan(1e-5);
    expect([camera.fov, rig.view()]).toEqual([30, '@0']);
    rig.orbitBy(5, 0);
    seen(rig, model, posesAt(0));
    expect(rig.seat).toEqual({ camera: null, follow: 0 });
  });

  test('that follows a body keeps it in the middle, and is taken up again from text', () => {
    const model = new SceneModel(MANIFEST, new ArrayBuffer(0));
    const rig = new ViewRig('dmcontrol/walker-walk', model);
    seen(rig, model, posesAt(0));
    rig.follow(2);
    for (const x of [0, 3]) {
      const middle = new Vector3(x, 0, 0.1).project(seen(rig, model, posesAt(x)));
      expect(Math.hypot(middle.x, middle.y)).toBeLessThan(1e-4);
    }
    const again = new ViewRig('dmcontrol/walker-walk', model);
    again.lookAs(rig.view());
    expect(again.seat).toEqual({ camera: null, follow: 2 });
    const place = seen(again, model, posesAt(1)).position;
    expect(place.distanceTo(seen(rig, model, posesAt(1)).position)).toBeLessThan(1e-3);
    expect([seen(again, model, posesAt(1)).fov, seen(rig, model, posesAt(1)).fov]).toEqual([30, 30]);
    rig.reset();
    expect([rig.view(), rig.seat.follow]).toEqual(['', 0]);
  });

  test.each(['@x', '@', '1,2', '1,2,3,4,5,6~-1', '~3'])('takes nothing odd from %s', (view) => {
    const model = new SceneModel(MANIFEST, new ArrayBuffer(0));
    const rig = new ViewRig('dmcontrol/walker-walk', model);
    rig.lookAs(view);
    seen(rig, model, posesAt(0));
    expect(rig.seat).toEqual({ camera: null, follow: 0 });
  });
});

describe('a scene', () => {
  const named = (model: SceneModel): string[] => {
    const names: string[] = [];
    model.scene.traverseVisible((each) => {
      const name = model.nameOf(each);
      if (name !== undefined) names.push(name);
    });
    return names.sort();
  };

  test('draws the groups that are wanted, at first 0, 1 and 2', () => {
    const model = new SceneModel(MANIFEST, new ArrayBuffer(0));
    model.pose(posesAt(0));
    expect(named(model)).toEqual(['foot · sole', 'torso · trunk']);
    model.show({ geoms: 0b010001, sites: 0b001000 });
    expect(named(model)).toEqual(['foot · tip', 'torso · hull', 'torso · trunk']);
    model.show({ geoms: 0b111, sites: 0b111 });
    expect(named(model)).toEqual(['foot · sole', 'torso · trunk']);
    expect(model.choices).toEqual({
      cameras: ['side'],
      bodies: [
        { frame: 1, name: 'torso' },
        { frame: 2, name: 'foot' },
      ],
    });
  });

  test('shows as a ghost only what is elsewhere', () => {
    const model = new SceneModel(MANIFEST, new ArrayBuffer(0));
    const beside = posesAt(0);
    const poses = beside.slice();
    poses[7] = 0.5; // the foot alone
    model.poseGhost(poses, beside);
    const ghostly: string[] = [];
    model.scene.traverse((each) => {
      if (each instanceof Mesh && each.layers.isEnabled(GHOST_LAYER)) ghostly.push(model.nameOf(each) ?? '');
    });
    expect(ghostly).toEqual(['foot · sole']);
  });
});
