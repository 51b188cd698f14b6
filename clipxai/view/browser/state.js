// What is the reader looking at? One state object, changed only by `reduce`, from which every panel is drawn.
// Hovering previews, clicking pins, clicking the same patch again or Escape unpins.
// @ts-check

/**
 * @typedef {{grid: number, row: number, column: number}} Cell  a patch; `grid` counts the patch grids of the figure
 * @typedef {{hover: Cell | null, pinned: Cell | null, help: boolean, [option: string]: any}} State
 * @typedef {{type: "hover", cell: Cell} | {type: "leave"} | {type: "pin", cell: Cell} | {type: "pinFocused"} | {type: "unpin"}
 *   | {type: "move", down: number, right: number} | {type: "help"} | {type: "set", values: object}} Action
 * @typedef {{height: number, width: number}} Size
 */

/** The cell that panels show. @param {State} state @returns {Cell | null} */
export function focused(state) {
  return state.hover ?? state.pinned;
}

/** @param {Cell | null} a @param {Cell | null} b @returns {boolean} */
export function sameCell(a, b) {
  return a === b || (!!a && !!b && a.grid === b.grid && a.row === b.row && a.column === b.column);
}

/** The nearest of 0 … size - 1. @param {number} n @param {number} size @returns {number} */
export function clamp(n, size) {
  return Math.min(Math.max(n, 0), size - 1);
}

/**
 * The next state; the very same object if nothing changed, so that nothing is drawn again.
 * @param {State} state @param {Action} action @param {Size[]} grids
 * @returns {State}
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
    case "unpin":
      return state.pinned || state.hover || state.help
        ? { ...state, pinned: null, hover: null, help: false }
        : state;
    case "move":
      return moved(state, action.down, action.right, grids);
    case "help":
      return { ...state, help: !state.help };
    case "set":
      return { ...state, ...action.values };
    default:
      throw new Error(`unknown action ${JSON.stringify(action)}`);
  }
}

/** @param {State} state @param {number} down @param {number} right @param {Size[]} grids @returns {State} */
function moved(state, down, right, grids) {
  const from = focused(state);
  const { height, width } = grids[from ? from.grid : 0];
  const cell = from
    ? {
        grid: from.grid,
        row: clamp(from.row + down, height),
        column: clamp(from.column + right, width),
      }
    : { grid: 0, row: height >> 1, column: width >> 1 };
  return reduce(state, { type: "hover", cell }, grids);
}

/**
 * What a key does, or null if it is none of ours.
 * @param {string} key @returns {Action | null}
 */
export function keyAction(key) {
  /** @type {Record<string, Action>} */
  const map = {
    ArrowUp: { type: "move", down: -1, right: 0 },
    ArrowDown: { type: "move", down: 1, right: 0 },
    ArrowLeft: { type: "move", down: 0, right: -1 },
    ArrowRight: { type: "move", down: 0, right: 1 },
    " ": { type: "pinFocused" },
    Enter: { type: "pinFocused" },
    Escape: { type: "unpin" },
    "?": { type: "help" },
  };
  return Object.hasOwn(map, key) ? map[key] : null;
}

/**
 * A store around `reduce`. Subscribers get the new and the old state.
 * @param {State} initial @param {Size[]} grids
 */
export function createStore(initial, grids) {
  let state = initial;
  /** @type {Set<(now: State, before: State) => void>} */
  const subscribers = new Set();
  return {
    get state() {
      return state;
    },
    /** @param {Action} action */
    dispatch(action) {
      const before = state;
      state = reduce(state, action, grids);
      if (state !== before) for (const notify of subscribers) notify(state, before);
    },
    /** @param {(now: State, before: State) => void} notify @returns {() => void} */
    subscribe(notify) {
      subscribers.add(notify);
      return () => subscribers.delete(notify);
    },
  };
}
