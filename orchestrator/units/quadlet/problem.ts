/** Why Quadlet does not make a unit, in Quadlet's own words. */
export class QuadletProblem extends Error {}
