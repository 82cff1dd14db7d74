/** The control files as they were last read without a mistake. */
import { readControls, type LoadedControls } from './disk.ts';

export type ControlsInForce = {
  readonly current: LoadedControls;
  /** Reads again (SIGHUP). A mistake is thrown, and the settings from before stay. */
  reload(): LoadedControls;
};

/** Reads the directory; throws `ControlMistake` when it cannot be obeyed. */
export function controlsIn(directory: string): ControlsInForce {
  let current = readControls(directory);
  return {
    get current() {
      return current;
    },
    reload() {
      current = readControls(directory);
      return current;
    },
  };
}
