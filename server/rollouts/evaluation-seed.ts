/** Seed of the start states of evaluations where nothing else is said; collections begin with 1000, so what is scored was never learned from. */
export const EVALUATION_SEED = 42;
