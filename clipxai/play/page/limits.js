// How much fits on the page? Of what an address may ask, too.
// @ts-check

export const [MOST_THINGS, MOST_TEXTS, LONGEST_TEXT] = [8, 6, 200];
export const [SMALLEST, LARGEST] = [0.12, 0.9]; // sides of a thing, as shares of the stage
