/** Which of MuJoCo's six groups of geoms and of sites are drawn: bit g of each is group g. */
export interface ShownGroups {
  readonly geoms: number;
  readonly sites: number;
}

/** As MuJoCo's own viewer begins: groups 0, 1 and 2. */
export const FIRST_GROUPS: ShownGroups = { geoms: 0b111, sites: 0b111 };
export const GROUP_COUNT = 6;

/** How one tile is looked at. */
export interface ViewSettings {
  /** Index of a camera of the model; null for the free one. */
  readonly camera: number | null;
  /** Frame of the body that the free camera keeps in its middle; 0 for none. */
  readonly follow: number;
  readonly groups: ShownGroups;
}

/** What a scene has to choose from. */
export interface ViewChoices {
  readonly cameras: readonly string[];
  readonly bodies: readonly { readonly frame: number; readonly name: string }[];
}
