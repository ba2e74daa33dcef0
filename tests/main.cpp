// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

namespace {

// A filter that matches nothing is a mistake, not a success: CTest names every test case by such a filter.
bool nothing_ran = false;

struct RunWatch : doctest::IReporter {
  explicit RunWatch(doctest::ContextOptions const&) {}

  void test_run_end(doctest::TestRunStats const& run) override {
    nothing_ran = run.numTestCasesPassingFilters == 0;
  }

  void report_query(doctest::QueryData const&) override {}
  void test_run_start() override {}
  void test_case_start(doctest::TestCaseData const&) override {}
  void test_case_reenter(doctest::TestCaseData const&) override {}
  void test_case_end(doctest::CurrentTestCaseStats const&) override {}
  void test_case_exception(doctest::TestCaseException const&) override {}
  void subcase_start(doctest::SubcaseSignature const&) override {}
  void subcase_end() override {}
  void log_assert(doctest::AssertData const&) override {}
  void log_message(doctest::MessageData const&) override {}
  void test_case_skipped(doctest::TestCaseData const&) override {}
};

}  // namespace

DOCTEST_REGISTER_LISTENER("nothing ran", 1, RunWatch);

int main(int argc, char** argv) {
  auto const failed = doctest::Context{argc, argv}.run();
  return failed != 0 || nothing_ran ? 1 : 0;
}
