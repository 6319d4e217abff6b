"""Runs tests that mostly wait beside each other."""

import concurrent.futures
import threading
import unittest


class ConcurrentSuite(unittest.TestSuite):
    """Runs its tests in some threads. They share nothing but the result."""

    threads = 3

    def run(self, result: unittest.TestResult, debug: bool = False) -> unittest.TestResult:
        lock = threading.Lock()

        def run_one(test: unittest.TestCase) -> None:
            own = unittest.TestResult()
            test.run(own)
            with lock:
                result.startTest(test)
                for _, trace in own.failures:
                    result.addFailure(test, (AssertionError, AssertionError(trace), None))
                for _, trace in own.errors:
                    result.addError(test, (RuntimeError, RuntimeError(trace), None))
                for _, reason in own.skipped:
                    result.addSkip(test, reason)
                if own.wasSuccessful() and not own.skipped:
                    result.addSuccess(test)
                result.stopTest(test)

        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(run_one, self))
        return result


def beside_each_other(loader: unittest.TestLoader, case: type[unittest.TestCase]) -> unittest.TestSuite:
    """The tests of a case, as `load_tests` of a module returns them."""
    return ConcurrentSuite(loader.loadTestsFromTestCase(case))
