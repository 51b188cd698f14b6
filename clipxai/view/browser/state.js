// What is the reader looking at? One state object, changed only by `reduce`, from which every panel
// is drawn. Hovering previews, clicking pins, clicking the same patch again or Escape unpins.
// @ts-check

/**
 * @typedef {{grid: number, row: number, column: number}} Cell  a patch; `grid` counts the patch
 *   grids of the figure
 * @typedef {{height: number, width: number}} Size
 * @typedef {{hover: Cell | null, pinned: Cell | null, help: boolean}} State  of every viewer; each
 *   has options of its own beside these
 */
/**
 * @template {State} S
 * @typedef {{type: "hover" | "pin", cell: Cell}
 *   | {type: "leave" | "pinFocused" | "unpin" | "help"}
 *   | {type: "move", down: number, right: number}
 *   | {type: "set", values: Partial<S>}} Action
 */
/**
 * @template {State} S
 * @typedef {object} Store
 * @property {S} state
 * @property {(action: Action<S>) => void} dispatch
 * @property {(values: Partial<S>) => void} set options
 * @property {(notify: (now: S, before: S) => void) => () => void} subscribe and how to leave
 */

/**
 * Before anybody touched anything.
 * @type {State}
 */
export const UNTOUCHED = { hover: null, pinned: null, help: false };

/**
 * The cell that panels show.
 * @param {State} state
 */
export function focused(state) {
  return state.hover ?? state.pinned;
}

/**
 * @param {Cell | null} a
 * @param {Cell | null} b
 */
export function sameCell(a, b) {
  if (!a || !b) return a === b;
  return a.grid === b.grid && a.row === b.row && a.column === b.column;
}

/**
 * Whether the cell that panels show is the pinned one.
 * @param {State} state
 */
export function showsPinned(state) {
  return state.pinned !== null && sameCell(focused(state), state.pinned);
}

/**
 * The nearest of 0 … size - 1.
 * @param {number} n
 * @param {number} size
 */
export function clamp(n, size) {
  return Math.min(Math.max(n, 0), size - 1);
}

/**
 * The next state; the very same object if nothing changed, so that nothing is drawn again.
 * @template {State} S
 * @param {S} state
 * @param {Action<S>} action
 * @param {Size[]} grids
 * @returns {S}
 */
export function reduce(state, action, grids) {
  switch (action.type) {
    case "hover":
      return sameCell(state.hover, action.cell) ? state : { ...state, hover: action.cell };
    case "leave":
      return state.hover ? { ...state, hover: null } : state;
    case "pin":
      return { ...state, pinned: sameCell(state.pinned, action.cell) ? null : action.cell };
    case "pinFocused": {
      const cell = focused(state);
      return cell ? reduce(state, { type: "pin", cell }, grids) : state;
    }
    case "unpin": {
      const held = state.pinned || state.hover || state.help;
      return held ? { ...state, pinned: null, hover: null, help: false } : state;
    }
    case "move":
      return reduce(state, { type: "hover", cell: beside(state, action, grids) }, grids);
    case "help":
      return { ...state, help: !state.help };
    case "set":
      return { ...state, ...action.values };
    default:
      throw new Error(`unknown action ${JSON.stringify(action)}`);
  }
}

/**
 * The patch some steps away from the one that is shown; the middle if there is none.
 * @param {State} state
 * @param {{down: number, right: number}} step
 * @param {Size[]} grids
 * @returns {Cell}
 */
function beside(state, { down, right }, grids) {
  const from = focused(state);
  const { height, width } = grids[from ? from.grid : 0];
  if (!from) return { grid: 0, row: height >> 1, column: width >> 1 };
  const [row, column] = [clamp(from.row + down, height), clamp(from.column + right, width)];
  return { grid: from.grid, row, column };
}

/** @type {Record<string, Action<State>>} */
const KEYS = {
  ArrowUp: { type: "move", down: -1, right: 0 },
  ArrowDown: { type: "move", down: 1, right: 0 },
  ArrowLeft: { type: "move", down: 0, right: -1 },
  ArrowRight: { type: "move", down: 0, right: 1 },
  " ": { type: "pinFocused" },
  Enter: { type: "pinFocused" },
  Escape: { type: "unpin" },
  "?": { type: "help" },
};

/**
 * What a key does, or null if it is none of ours.
 * @param {string} key
 * @returns {Action<State> | null}
 */
export function keyAction(key) {
  return Object.hasOwn(KEYS, key) ? KEYS[key] : null;
}

/**
 * A store around `reduce`. Subscribers get the new and the old state.
 * @template {State} S
 * @param {S} initial
 * @param {Size[]} grids
 * @returns {Store<S>}
 */
export function createStore(initial, grids) {
  let state = initial;
  /** @type {Set<(now: S, before: S) => void>} */
  const subscribers = new Set();
  /** @param {Action<S>} action */
  const dispatch = (action) => {
    const before = state;
    state = reduce(state, action, grids);
    if (state === before) return;
    for (const notify of subscribers) notify(state, before);
  };
  return {
    get state() {
      return state;
    },
    dispatch,
    set: (values) => dispatch({ type: "set", values }),
    subscribe(notify) {
      subscribers.add(notify);
      return () => subscribers.delete(notify);
    },
  };
}
