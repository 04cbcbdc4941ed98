// The types of what rebuild.sh bundles from ../codemirror.js.
export declare function makeEditor(
  parent: HTMLElement, text: string, label: string, changed: () => void, run: () => void,
): { value: string; focus: () => void };
