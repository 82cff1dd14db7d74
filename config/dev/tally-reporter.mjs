/** The tests in one plain line at the very end, for whoever reads only that. */
export default class TallyReporter {
  onRunComplete(
    _contexts,
    { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites },
  ) {
    // A suite that could not even be loaded has no test that failed.
    const failed = Math.max(numFailedTests, numFailedTestSuites);
    console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped`);
  }
}
