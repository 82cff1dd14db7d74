/** The control files as they were last read without a mistake. */
import type { ControlTexts } from './controls.ts';
import { loadControls, type LoadedControls } from './disk.ts';

export type ControlsInForce = {
  readonly current: LoadedControls;
  /** Obeys other texts from now on (SIGHUP). A mistake is thrown, and the settings from before stay. */
  reload(texts: ControlTexts): LoadedControls;
};

/**
 * Texts come from whoever may read the files, which need not be whoever obeys them. `directory` is
 * named in mistakes. Throws `ControlMistake` when the texts cannot be obeyed.
 */
export function controlsInForce(texts: ControlTexts, directory: string): ControlsInForce {
  let current = loadControls(texts, directory);
  return {
    get current() {
      return current;
    },
    reload(newTexts) {
      current = loadControls(newTexts, directory);
      return current;
    },
  };
}
